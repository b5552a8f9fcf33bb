//! A reference server of the card-issuing API: stateful, faithful to the protocol, and made to be tested against.
//!
//! It runs every rule of a server: the order of checks, the plain and the sealed errors, replay claims, idempotency, orders
//! that advance by the documented state machines, webhooks that are delivered at least once. What the protocol leaves open,
//! such as the shapes of some endpoints, is decided here and marked "ours" in SPEC.md.
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use cardseal_server::{Options, Sandbox};
//!
//! let sandbox = Sandbox::start(Options::default()).await?;
//! println!("{} {}", sandbox.url(), sandbox.api_key()); // a free port on loopback, a project with money in its wallet
//! sandbox.control().fund("25.00", None).await?;
//! sandbox.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The command line tool starts the same: `cardseal sandbox`.

#![forbid(unsafe_code)]

mod api;
mod business;
mod catalog;
mod clock;
mod control;
mod damage;
mod database;
mod http;
mod ids;
mod money;
mod options;
mod orders;
mod projects;
mod refusal;
mod replay;
mod sandbox;
mod server;
mod webhooks;

pub use control::faults::{Fault, FaultRule, When};
pub use control::holds::Point as HoldPoint;
pub use control::{Control, ControlError};
pub use options::{Options, Project};
pub use sandbox::{Sandbox, StartError};

/// The code in this crate's README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
