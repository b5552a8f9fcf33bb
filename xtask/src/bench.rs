//! `cargo xtask bench`: the measurements of tests/bench, one folder a language.

use std::process::ExitCode;

use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, fail};

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    match arguments {
        [] => {}
        [language] if language == "rust" => {}
        _ => return fail(format!("there is no benchmark `{}`; there is: rust", arguments.join(" "))),
    }
    Shell::live().run(&mut repo.cargo("bench --locked -p cardseal-bench --bench ratios"))?;
    Ok(ExitCode::SUCCESS)
}
