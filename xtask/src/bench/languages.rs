//! The benchmarks of tests/bench that are programs, one folder a language: built, installed, run.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::Options;
use crate::npm::{self, Npm};
use crate::python;
use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, go, installed, system};

pub(super) fn rust(repo: &Repo, options: &Options) -> Result<Value> {
    result_of(repo, repo.cargo("bench --locked -p cardseal-bench --bench ratios --"), options)
}

pub(super) fn python(repo: &Repo, options: &Options) -> Result<Value> {
    let mut command = repo.command(python_with_peers(repo, &Shell::live())?);
    command.args(["-B", PYTHON_RATIOS]);
    result_of(repo, command, options)
}

/// Do the candidates in Python agree?
pub(crate) fn check_python(repo: &Repo, shell: &Shell) -> Result<()> {
    let program = python_with_peers(repo, shell)?;
    shell.run(repo.command(program).args(["-B", PYTHON_RATIOS, "--check"]))
}

const PYTHON_RATIOS: &str = "tests/bench/python/ratios.py";

/// An interpreter that has the package as it is published, and its peers.
pub(super) fn python_with_peers(repo: &Repo, shell: &Shell) -> Result<PathBuf> {
    installed::python_with(repo, shell, "python-bench", python::PEERS)
}

pub(super) fn go(repo: &Repo, options: &Options) -> Result<Value> {
    result_of(repo, go::command(repo, go::BENCH, &["run", "."]), options)
}

/// Each engine is measured as it is packed, in Node.
pub(super) fn javascript(repo: &Repo, engine: &str, options: &Options) -> Result<Value> {
    let shell = Shell::live();
    let npm = Npm::with_tools(repo, &shell)?;
    let project = npm::bench_project(&npm, &npm.pack()?)?;
    let mut command = npm.command("node");
    command.current_dir(&project).arg(format!("{engine}/bench.mjs"));
    result_of(repo, command, options)
}

/// Redis is installed where that takes no question, and left out where it is not there.
pub(super) fn server(repo: &Repo, options: &[String]) -> Result<()> {
    let shell = Shell::live();
    system::ensure("redis-server", "redis-server", repo, &shell);
    shell.run(repo.cargo("run --locked --release -p cardseal-bench-server --").args(options))
}

/// What the adapters cost, each language's package installed as its users install it.
pub(super) fn http(repo: &Repo, options: &[String]) -> Result<()> {
    let shell = Shell::live();
    let python = installed::python(repo, &shell)?;
    let script = installed::node(repo, &shell, "bench-http", &["tests/bench/http"])?.join("client.mjs");
    let program = installed::go(repo, &shell, go::BENCH, "./http")?.join("http");
    let mut command = repo.cargo("run --locked --release -p cardseal-bench-http --");
    command.args(options).arg("Python requests").arg(python).args(["-B", "tests/bench/http/client.py", "--"]);
    command.args(["Node fetch", "node"]).arg(script).arg("--").arg("Go net/http").arg(program);
    shell.run(&mut command)
}

/// Runs a benchmark, and gives what it writes to the file that it is told.
fn result_of(repo: &Repo, mut command: Command, options: &Options) -> Result<Value> {
    let file = repo.target().join("xtask/bench.json");
    npm::write(&file, "")?; // the folder is there, and no result of another run
    command.args(options.quick.then_some("--quick")).arg("--json").arg(&file).args(&options.parts);
    Shell::live().run(&mut command)?;
    let text = std::fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("what the benchmark wrote is no JSON: {error}"))
}
