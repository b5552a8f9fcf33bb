//! `cargo xtask bench`: the measurements of tests/bench, one folder a language.

use std::process::{Command, ExitCode};

use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, fail, go};

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    let wanted = |language: &str| arguments.is_empty() || arguments == [language];
    let chosen: Vec<_> = BENCHMARKS.iter().filter(|(language, _)| wanted(language)).collect();
    if chosen.is_empty() {
        let known: Vec<&str> = BENCHMARKS.iter().map(|(language, _)| *language).collect();
        return fail(format!("there is no benchmark `{}`; there are: {}", arguments.join(" "), known.join(", ")));
    }
    for (_, command) in chosen {
        Shell::live().run(&mut command(repo))?;
    }
    Ok(ExitCode::SUCCESS)
}

type Benchmark = (&'static str, fn(&Repo) -> Command);

const BENCHMARKS: &[Benchmark] = &[
    ("rust", |repo| repo.cargo("bench --locked -p cardseal-bench --bench ratios")),
    ("go", |repo| go::command(repo, go::BENCH, &["run", "."])),
];
