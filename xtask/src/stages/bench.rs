//! The benchmarks: compiled, not run, since no test may depend on the speed of the machine.

use crate::counts::Counts;
use crate::screen::say;
use crate::test::Context;
use crate::{Result, bench};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    if !context.repo.path(bench::RUST).exists() {
        say!("   nothing to check: there is no {}", bench::RUST);
        return Ok(Counts::default());
    }
    context.cargo_all(&[&format!("check --locked --benches --manifest-path {}", bench::RUST)])
}
