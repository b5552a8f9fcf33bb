//! The server from outside, over real connections.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in tests a broken assumption has to stop everything"
)]

mod checks;
mod control;
mod durable;
mod endpoints;
mod faults;
mod hostile;
mod idempotency;
mod redis;
mod refusals;
mod support;
mod webhooks;
