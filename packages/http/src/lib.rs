//! Sealed requests beneath HTTP: plain JSON goes in and comes out, and every attempt is sealed anew.
//!
//! * [`Client`] (feature `client`) calls endpoints: path and payload in, payload out.
//! * [`SealMiddleware`] (feature `middleware`) sits beneath a client of `reqwest-middleware` that exists already.
//! * [`server::SealLayer`] (feature `server`) stands before the handlers of axum, or of any tower service.
//! * [`server::RedisReplayStore`] (feature `redis`) keeps claims for several processes.
//!
//! Clients keep the rules of SPEC.md, section 27: a new timestamp and nonce and the same idempotency key for each attempt;
//! retries of what may be repeated, with exponential backoff and jitter, until a deadline; [`Error::OutcomeUnknown`] where a
//! call may have been carried out and cannot be repeated safely.
//!
#![cfg_attr(feature = "client", doc = "```no_run")]
#![cfg_attr(not(feature = "client"), doc = "```ignore")]
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use cardseal_http::Client;
//! use serde_json::{Value, json};
//!
//! let client = Client::from_env()?; // CARDSEAL_URL, CARDSEAL_API_KEY, CARDSEAL_SECRET
//! let topup = json!({"card_id": "card_1", "amount": "20.00"});
//! let order: Value = client.call_keyed("/cards/topup", &topup, "invoice-42").await?;
//! let order = client.wait_for_order(order["order_id"].as_str().unwrap_or_default(), std::time::Duration::from_secs(60)).await?;
//! println!("{}", order["status"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

#[cfg(feature = "client")]
mod attempts;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "client")]
mod clock;
#[cfg(feature = "client")]
mod error;
#[cfg(feature = "middleware")]
mod middleware;
#[cfg(feature = "client")]
mod options;
#[cfg(feature = "server")]
pub mod server;

#[cfg(feature = "client")]
pub use client::Client;
#[cfg(feature = "client")]
pub use error::{Error, OutcomeUnknown};
#[cfg(feature = "middleware")]
pub use middleware::{SealMiddleware, api_error};
#[cfg(feature = "client")]
pub use options::{AttemptEvent, Listener, Options};

/// The code in this crate's README, compiled and run.
#[cfg(all(doctest, feature = "middleware", feature = "server"))]
#[doc = include_str!("../README.md")]
struct Readme;
