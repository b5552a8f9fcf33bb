//! The binary as its users have it: run, fed and read.

#![expect(clippy::unwrap_used, reason = "in tests a broken assumption has to stop everything")]

mod batch;
mod bodies;
mod failures;
mod fields;
mod generated;
mod help;
mod inspect;
mod readme;
mod run;
#[cfg(all(feature = "sandbox", unix))]
mod sandbox;
mod streams;
