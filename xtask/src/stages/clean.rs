//! No stage may leave a file behind or change one.

use std::collections::BTreeSet;

use crate::counts::Counts;
use crate::screen::say;
use crate::test::Context;
use crate::{Result, fail};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let (before, after) = match (&context.tree_before, &context.repo.git_status()) {
        (Ok(before), Ok(after)) => (before.clone(), after.clone()),
        (Err(error), _) | (_, Err(error)) => {
            say!("   this is no git checkout: {error}");
            return Ok(Counts::SKIPPED);
        }
    };
    let (before, after): (BTreeSet<&str>, BTreeSet<&str>) = (before.lines().collect(), after.lines().collect());
    let mut changed: Vec<&str> = before.symmetric_difference(&after).copied().collect();
    let count = changed.len();
    changed.truncate(SHOWN);
    match count {
        0 => Ok(Counts::PASSED),
        _ => fail(format!("{count} files changed during the run: {}", changed.join(", "))),
    }
}

const SHOWN: usize = 8;
