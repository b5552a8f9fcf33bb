//! The generated tables.

use crate::counts::Counts;
use crate::test::Context;
use crate::{Result, codegen};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    codegen::run(context.repo, true).map(|()| Counts::PASSED)
}
