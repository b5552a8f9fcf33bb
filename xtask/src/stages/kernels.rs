//! The engines choose their code by the vector instructions that they find. Here they find fewer than there are: both
//! have to give the same bytes all the same, and every vector has to hold.

use crate::counts::Counts;
use crate::screen::{bad, say};
use crate::test::Context;
use crate::{Result, fail, shell, system};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let Context { repo, shell, .. } = context;
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        say!("   {} what hides vector instructions does so on x86-64 Linux alone", bad("skipped:"));
        return Ok(Counts::SKIPPED);
    }
    shell.run(&mut repo.cargo("build --locked --release -p cardseal-guards --bin processor"))?;
    let mut counts = Counts::default();
    for Runner { command, package, hides } in RUNNERS {
        let words: Vec<&str> = command.split(' ').collect();
        let [program, arguments @ ..] = words.as_slice() else { continue };
        if !system::ensure(program, package, repo, shell) {
            counts += Counts::SKIPPED;
            continue;
        }
        let processor = repo.target().join("release/processor");
        let seen = shell::pipe(repo.command(program).args(arguments).arg(processor), "")?;
        if let Some(shown) = hides.iter().find(|hidden| seen.contains(**hidden)) {
            return fail(format!("`{command}` shows {shown} to programs, which it should hide"));
        }
        say!("   {command}: {}", seen.trim());
        let runner = format!("target.'cfg(all())'.runner = {words:?}");
        for tests in TESTS {
            let mut test = repo.cargo("test --locked --no-fail-fast --config");
            counts += context.count_tests(test.arg(&runner).args(tests.split(' ')))?;
        }
    }
    Ok(counts)
}

/// A program that runs another one.
struct Runner {
    command: &'static str,
    package: &'static str,
    /// What programs may not see beneath it.
    hides: &'static [&'static str],
}

/// With everything that is there, the stage `rust` runs them.
const RUNNERS: &[Runner] = &[
    Runner { command: "valgrind --quiet --tool=none", package: "valgrind", hides: &["avx512"] },
    Runner { command: "qemu-x86_64 -cpu Nehalem", package: "qemu-user", hides: &["avx512", "avx2"] },
];

/// Those of the stage `rust` that compare the engines and read the vectors; it has compiled them too.
const TESTS: &[&str] = &[
    "-p cardseal --all-features --lib -- secretbox",
    "-p cardseal --no-default-features --features std,simd,serde,writer --test vectors",
];
