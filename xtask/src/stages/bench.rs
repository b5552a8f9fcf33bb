//! The benchmarks: their candidates agree, and all of them compile. None is timed, since no test may depend on the speed
//! of the machine. And the committed report is what the committed results say.

use crate::counts::Counts;
use crate::test::Context;
use crate::{Result, bench};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let mut counts = context.cargo_test("-p cardseal-bench")?;
    counts +=
        context.cargo_all(&["check --locked -p cardseal-bench --benches", "check --locked -p cardseal-bench-http"])?;
    super::build_programs(context.repo, &context.shell)?;
    context.shell.run(context.repo.command(context.repo.target().join("debug/load")).arg("--check"))?;
    counts += Counts::PASSED;
    bench::check_python(context.repo, &context.shell)?;
    counts += Counts::PASSED;
    bench::check_report(context.repo, &context.shell)?;
    counts += Counts::PASSED;
    Ok(counts)
}
