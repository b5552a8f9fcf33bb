//! The server from outside, over real connections.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod endpoints;
mod support;
