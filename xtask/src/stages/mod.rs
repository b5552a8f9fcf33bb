//! The stages of `cargo xtask test`. A new one: a file here, its `mod` line, its line in the table.

mod adapters;
mod bare;
mod bench;
mod budgets;
mod clean;
mod cli;
mod clippy;
mod codegen;
mod dependencies;
mod doc;
mod fmt;
mod go;
mod http;
mod interop;
mod kernels;
mod npm;
mod packaging;
mod python;
mod rust;
mod sanitizer;
mod secrets;
mod server;
mod vectors;
mod xtask;

use crate::Result;
use crate::counts::Counts;
use crate::repo::Repo;
use crate::shell::Shell;
use crate::test::Context;

pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// An error counts as one failure.
    pub(crate) run: fn(&Context<'_>) -> Result<Counts>,
}

/// In the order they run: what is quick to fail first, `clean` last.
pub(crate) const STAGES: &[Stage] = &[
    Stage { name: "fmt", about: "every Rust file is as rustfmt writes it", run: fmt::run },
    Stage { name: "clippy", about: "no warning in any set-up of features", run: clippy::run },
    Stage { name: "codegen", about: "the generated tables are what core/data says", run: codegen::run },
    Stage { name: "vectors", about: "the oracle agrees with the committed vectors", run: vectors::run },
    Stage {
        name: "dependencies",
        about: "core/dependencies.txt is true and within its limits",
        run: dependencies::run,
    },
    Stage { name: "xtask", about: "the tests of these commands", run: xtask::run },
    Stage { name: "rust", about: "the core's tests, with each cipher engine", run: rust::run },
    Stage { name: "kernels", about: "the engines agree with and without vector instructions", run: kernels::run },
    Stage { name: "budgets", about: "the core takes no more instructions than it is allowed", run: budgets::run },
    Stage { name: "secrets", about: "no key and no message decides a jump or an address", run: secrets::run },
    Stage { name: "sanitizer", about: "the core's tests under AddressSanitizer", run: sanitizer::run },
    Stage { name: "bare", about: "the core builds without std, also for wasm32", run: bare::run },
    Stage { name: "doc", about: "the crates' documentation builds without warning", run: doc::run },
    Stage { name: "cli", about: "the tests of the command line tool", run: cli::run },
    Stage {
        name: "server",
        about: "the reference server: from outside, with Redis, killed, crowded",
        run: server::run,
    },
    Stage { name: "http", about: "the Rust adapters, against the reference server", run: http::run },
    Stage { name: "python", about: "the Python package, in every CPython that is here", run: python::run },
    Stage { name: "go", about: "the Go module: vectors, races, the tool's answers, fuzzing", run: go::run },
    Stage { name: "npm", about: "the npm package, installed and run in every runtime", run: npm::run },
    Stage { name: "packaging", about: "what is published: its contents, and one version", run: packaging::run },
    Stage { name: "interop", about: "every implementation opens what every other seals", run: interop::run },
    Stage { name: "adapters", about: "every HTTP adapter of every language under every fault", run: adapters::run },
    Stage {
        name: "bench",
        about: "the benchmarks compile, candidates agree, the report is of its results",
        run: bench::run,
    },
    Stage { name: "clean", about: "the run left the working tree as it was", run: clean::run },
];

/// Builds the programs in Rust that drive the other languages, in one go: what they share is compiled once.
fn build_programs(repo: &Repo, shell: &Shell) -> Result<()> {
    shell.run(&mut repo.cargo("build --locked -p cardseal-adapters -p cardseal-bench-server -p cardseal-interop"))
}
