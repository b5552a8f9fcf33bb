//! `cargo xtask bench`: the measurements of tests/bench, one folder a language.

use std::process::ExitCode;

use crate::python::{self, Interpreter};
use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, fail};

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    match arguments.split_first() {
        None => rust(repo, &[])?,
        Some((language, options)) => match language.as_str() {
            "rust" => rust(repo, options)?,
            "python" => python(repo, options)?,
            _ => return fail(format!("there is no benchmark `{language}`; there are: rust, python")),
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn rust(repo: &Repo, options: &[String]) -> Result<()> {
    let mut command = repo.cargo("bench --locked -p cardseal-bench --bench ratios --");
    Shell::live().run(command.args(options))
}

/// The package as it is published, its peers in the same environment.
fn python(repo: &Repo, options: &[String]) -> Result<()> {
    let shell = Shell::live();
    let default = Interpreter::default(repo)?;
    let tools = python::environment(repo, &shell, &default, "python-tools", python::DEVELOPMENT)?;
    let wheel = python::build_wheel(repo, &shell, &tools, &default)?;
    let program = python::environment(repo, &shell, &default, "python-bench", python::PEERS)?;
    python::install_wheel(repo, &shell, &program, &wheel)?;
    shell.run(repo.command(&program).args(["-B", "tests/bench/python/ratios.py"]).args(options))
}
