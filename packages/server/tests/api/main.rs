//! The server from outside, over real connections.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a broken assumption has to stop everything")]

mod checks;
mod durable;
mod endpoints;
mod idempotency;
mod refusals;
mod support;
