//! How much memory sealing a mebibyte takes at its peak, above what the caller has already: each in a process of its own, which
//! asks the kernel. On Linux alone.

use std::process::Command;

use serde_json::{Value, json};

use super::{Options, figures, languages};
use crate::npm::{self, Npm};
use crate::repo::Repo;
use crate::screen::say;
use crate::shell::{self, Shell};
use crate::{Result, fail, go, installed};

pub(super) fn measure(repo: &Repo, options: &Options) -> Result<Value> {
    if !cfg!(target_os = "linux") {
        return fail("memory is measured on Linux alone: the programs ask its kernel");
    }
    let shell = Shell::live();
    let python = languages::python_with_peers(repo, &shell)?;
    let npm = Npm::with_tools(repo, &shell)?;
    let project = npm::bench_project(&npm, &npm.pack()?)?;
    let go = installed::go(repo, &shell, go::BENCH, "./memory")?.join("memory");
    shell.run(&mut repo.cargo("build --locked --release -p cardseal-bench --bin memory"))?;
    let rust = repo.target().join("release/memory");

    let mut in_node = npm.command("node");
    in_node.current_dir(&project).args(["--expose-gc", "node/memory.mjs"]);
    let mut in_python = repo.command(&python);
    in_python.args(["-B", "tests/bench/python/memory.py"]);
    let in_go = go::in_folder(repo, go::BENCH, &go, &[]);
    let mut programs = [
        ("Python seal", in_python),
        ("Node seal", in_node),
        ("Go seal of a struct", in_go),
        ("Rust seal of a struct", repo.command(rust)),
    ];

    let rounds = if options.quick { 3 } else { 11 };
    let mut measured = Vec::new();
    for (name, program) in &mut programs {
        // Large buffers come from the kernel and go back to it, so that none is taken from what is left over.
        program.env("MALLOC_MMAP_THRESHOLD_", "65536");
        for shape in ["blob", "fields"] {
            let name = format!("{name}, {shape}");
            say!("{name}");
            let peaks = (0..rounds).map(|_| peak(program, shape)).collect::<Result<Vec<f64>>>()?;
            measured.push(figures::median(&name, "× the message", peaks));
        }
    }
    Ok(figures::results("memory", json!({ "cardseal": env!("CARGO_PKG_VERSION") }), rounds, &measured))
}

/// Runs a program that prints how many bytes its peak was above what it had before it sealed a mebibyte; in mebibytes.
fn peak(program: &mut Command, shape: &str) -> Result<f64> {
    let text = shell::pipe(program.env("BENCH_SHAPE", shape), "")?;
    let bytes: f64 = text.trim().parse().map_err(|_| format!("`{}` is no number of bytes", text.trim()))?;
    Ok(bytes / f64::from(1 << 20))
}
