//! `cargo xtask bench`: the measurements of tests/bench, one folder a language.

use std::process::ExitCode;

use crate::npm::{self, Npm};
use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, fail};

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    let shell = Shell::live();
    match arguments.split_first().map(|(language, options)| (language.as_str(), options)) {
        None | Some(("rust", [])) => shell.run(&mut repo.cargo("bench --locked -p cardseal-bench --bench ratios"))?,
        Some((engine @ ("node" | "wasm"), options)) => {
            let npm = Npm::with_tools(repo, &shell)?;
            npm::bench(&npm, &npm.pack()?, engine, options)?;
        }
        _ => return fail(format!("there is no benchmark `{}`; there are: rust, node, wasm", arguments.join(" "))),
    }
    Ok(ExitCode::SUCCESS)
}
