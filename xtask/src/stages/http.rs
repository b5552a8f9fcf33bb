//! The Rust adapters' own tests. What every adapter of every language has to keep is the stage `adapters`.

use crate::counts::Counts;
use crate::test::Context;
use crate::{Result, system};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    // Ignored are the tests that need Redis alone; without it they count as skipped.
    let has_redis = system::ensure("redis-server", "redis-server", context.repo, &context.shell);
    let ignored = if has_redis { "-- --include-ignored" } else { "" };
    context.cargo_test(&format!(
        "-p cardseal-http --no-default-features --features middleware,rustls,server,redis {ignored}"
    ))
}
