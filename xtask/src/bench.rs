//! `cargo xtask bench`: the measurements of tests/bench, one folder a language.

use std::process::ExitCode;

use crate::npm::{self, Npm};
use crate::python::{self, Interpreter};
use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, fail, go, installed, system};

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    let (chosen, options) = match arguments.split_first() {
        None => ("rust", arguments),
        Some((language, options)) => (language.as_str(), options),
    };
    match BENCHMARKS.iter().find(|(language, _)| *language == chosen) {
        Some((_, measure)) => measure(repo, options)?,
        None => {
            let known: Vec<&str> = BENCHMARKS.iter().map(|(language, _)| *language).collect();
            return fail(format!("there is no benchmark `{chosen}`; there are: {}", known.join(", ")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// By language; the options are the benchmark's own.
type Measure = fn(&Repo, &[String]) -> Result<()>;

const BENCHMARKS: &[(&str, Measure)] = &[
    ("rust", rust),
    ("python", python),
    ("go", go),
    ("node", |repo, options| javascript(repo, "node", options)),
    ("wasm", |repo, options| javascript(repo, "wasm", options)),
    ("cold", |repo, options| javascript(repo, "cold", options)),
    ("server", server),
    ("http", http),
];

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

fn go(repo: &Repo, options: &[String]) -> Result<()> {
    Shell::live().run(go::command(repo, go::BENCH, &["run", "."]).args(options))
}

/// Redis is installed where that takes no question, and left out where it is not there.
fn server(repo: &Repo, options: &[String]) -> Result<()> {
    let shell = Shell::live();
    system::ensure("redis-server", "redis-server", repo, &shell);
    shell.run(repo.cargo("run --locked --release -p cardseal-bench-server --").args(options))
}

/// What the adapters cost, each language's package installed as its users install it.
fn http(repo: &Repo, options: &[String]) -> Result<()> {
    let shell = Shell::live();
    let python = installed::python(repo, &shell)?;
    let script = installed::node(repo, &shell, "bench-http", &["tests/bench/http"])?.join("client.mjs");
    let program = installed::go(repo, &shell, go::BENCH, "./http")?.join("http");
    let mut command = repo.cargo("run --locked --release -p cardseal-bench-http --");
    command.args(options).arg("Python requests").arg(python).args(["-B", "tests/bench/http/client.py", "--"]);
    command.args(["Node fetch", "node"]).arg(script).arg("--").arg("Go net/http").arg(program);
    shell.run(&mut command)
}

/// Each engine is measured as it is packed, in Node; `cold` is both in processes of their own.
fn javascript(repo: &Repo, engine: &str, options: &[String]) -> Result<()> {
    let shell = Shell::live();
    let npm = Npm::with_tools(repo, &shell)?;
    npm::bench(&npm, &npm.pack()?, engine, options)
}
