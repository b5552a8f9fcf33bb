//! Our own unit tests.

use crate::Result;
use crate::counts::Counts;
use crate::test::Context;

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    context.cargo_test("-p xtask")
}
