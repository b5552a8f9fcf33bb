//! `cargo xtask bench`: the measurements of tests/bench, one folder a language.

use std::process::ExitCode;

use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, fail};

pub(crate) const RUST: &str = "tests/bench/rust/Cargo.toml";

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    match arguments {
        [] => {}
        [language] if language == "rust" => {}
        _ => return fail(format!("there is no benchmark `{}`; there is: rust", arguments.join(" "))),
    }
    if !repo.path(RUST).exists() {
        return fail(format!("{RUST} is missing"));
    }
    Shell::live().run(&mut repo.cargo(&format!("bench --locked --manifest-path {RUST}")))?;
    Ok(ExitCode::SUCCESS)
}
