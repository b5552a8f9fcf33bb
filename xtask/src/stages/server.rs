//! The reference server's tests, over real sockets, with a real Redis, and as a process that is killed.

use crate::counts::Counts;
use crate::test::Context;
use crate::{Result, system};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let Context { repo, shell, .. } = context;
    // Ignored are the tests that need Redis alone; without it they count as skipped.
    let ignored = if system::ensure("redis-server", "redis-server", repo, shell) { "-- --include-ignored" } else { "" };
    let mut counts = context.cargo_test(&format!("-p cardseal-server --features sabotage {ignored}"))?;
    if context.is_full {
        counts += context.cargo_all(&["run --locked --release -p cardseal-bench-server -- --soak 600"])?;
    }
    Ok(counts)
}
