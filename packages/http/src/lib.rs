//! Sealed requests beneath [`reqwest`]: plain JSON goes in and comes out, and every attempt is sealed anew.
//!
//! * [`Client`] calls endpoints: path and payload in, payload out.
//! * [`SealMiddleware`] (feature `middleware`) sits beneath a client of `reqwest-middleware` that exists already.
//!
//! Both keep the rules of SPEC.md, section 27: a new timestamp and nonce and the same idempotency key for each attempt;
//! retries of what may be repeated, with exponential backoff and jitter, until a deadline; [`Error::OutcomeUnknown`] where a
//! call may have been carried out and cannot be repeated safely.
//!
//! ```no_run
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

mod attempts;
mod client;
mod error;
#[cfg(feature = "middleware")]
mod middleware;
mod options;

pub use client::Client;
pub use error::{Error, OutcomeUnknown};
#[cfg(feature = "middleware")]
pub use middleware::{SealMiddleware, api_error};
pub use options::{AttemptEvent, Listener, Options};

/// The code in this crate's README, compiled and run.
#[cfg(all(doctest, feature = "middleware"))]
#[doc = include_str!("../README.md")]
struct Readme;
