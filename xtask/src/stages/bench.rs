//! The benchmarks: their candidates agree, and all of them compile. None is timed, since no test may depend on the speed
//! of the machine.

use crate::Result;
use crate::counts::Counts;
use crate::test::Context;

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let mut counts = context.cargo_test("-p cardseal-bench")?;
    counts += context.cargo_all(&[
        "check --locked -p cardseal-bench --benches",
        "check --locked -p cardseal-bench-http",
        "run --locked -p cardseal-bench-server -- --check",
    ])?;
    Ok(counts)
}
