//! Constant time: valgrind follows keys and messages through the compiled engines, and complains where one decides which
//! way a program goes or where it reads.

use crate::counts::Counts;
use crate::screen::{bad, say};
use crate::test::Context;
use crate::{Result, system};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let Context { repo, shell, .. } = context;
    if !cfg!(target_arch = "x86_64") {
        say!("   {} the requests to valgrind are written for x86-64", bad("skipped:"));
        return Ok(Counts::SKIPPED);
    }
    if !system::ensure("valgrind", "valgrind", repo, shell) {
        return Ok(Counts::SKIPPED);
    }
    let mut counts = Counts::default();
    for engine in ["portable", "simd"] {
        let features = format!("--no-default-features --features {engine}");
        shell.run(&mut repo.cargo(&format!("build --locked --release -p cardseal-guards --bin secrets {features}")))?;
        let valgrind = |mistake: &[&str]| {
            let mut command = repo.command("valgrind");
            command.args(["--quiet", "--error-limit=no"]).arg(repo.target().join("release/secrets")).args(mistake);
            command
        };
        let finished = shell.finish(&mut valgrind(&[]))?;
        say!("   {engine} on {}", finished.text.lines().last().unwrap_or_default());
        counts += if finished.success { Counts::PASSED } else { Counts::FAILED };
        for mistake in ["branch", "lookup", "compare"] {
            let finished = shell.watch(&mut valgrind(&[mistake]))?;
            if finished.success || !finished.text.contains(" leaks") {
                say!("   {} {engine} with the mistake `{mistake}`: nobody noticed it", bad("FAILED"));
                counts += Counts::FAILED;
            } else {
                counts += Counts::PASSED;
            }
        }
    }
    Ok(counts)
}
