//! The Rust adapters' own tests. What every adapter of every language has to keep is the stage `adapters`.

use crate::Result;
use crate::counts::Counts;
use crate::test::Context;

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    context.cargo_test("-p cardseal-http --no-default-features --features middleware,server,redis")
}
