//! What a call of the core costs, in instructions.

use crate::counts::Counts;
use crate::test::Context;
use crate::{Result, budgets};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    budgets::check(context.repo, &context.shell)
}
