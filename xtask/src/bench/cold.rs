//! What a fresh process pays before cardseal works: pairs of processes, one that does it and one that does nothing, in turns. What
//! counts is the difference within each pair.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use super::{Options, figures, languages};
use crate::npm::{self, Npm};
use crate::repo::Repo;
use crate::screen::say;
use crate::shell::{self, Shell};
use crate::{Result, fail, go, installed};

pub(super) fn measure(repo: &Repo, options: &Options) -> Result<Value> {
    let shell = Shell::live();
    let python = languages::python_with_peers(repo, &shell)?;
    let npm = Npm::with_tools(repo, &shell)?;
    let project = npm::bench_project(&npm, &npm.pack()?)?;
    let programs = installed::go(repo, &shell, go::BENCH, "./cold/...")?;
    let (rounds, discarded) = if options.quick { (9, 1) } else { (61, 3) };

    let mut measured = Vec::new();
    for Start { name, language, bare, with } in STARTS {
        let command = |code: &str| match language {
            Language::Python => words(repo, &python, &["-c", code]),
            Language::Script => words(repo, Path::new("node"), &["--input-type=commonjs", "--eval", code]),
            Language::Module => words(repo, Path::new("node"), &["--input-type=module", "--eval", code]),
        };
        measured.push(difference(name, rounds, discarded, |is_with| {
            milliseconds(command(if is_with { with } else { bare }).current_dir(&project))
        })?);
    }
    say!("Go: init");
    let of_module = |package: &str| ["github.com/", "golang.org/"].iter().any(|start| package.starts_with(start));
    let inits = (0..rounds).map(|_| init_milliseconds(&programs.join("with"), of_module));
    measured.push(figures::median("Go: init", "ms", inits.collect::<Result<_>>()?));
    measured.push(difference("Go: init, with net/http and all else that it imports", rounds, discarded, |is_with| {
        init_milliseconds(&programs.join(if is_with { "with" } else { "bare" }), |_| true)
    })?);

    let version = |program: &Path, word: &str| {
        let text = shell::pipe(repo.command(program).arg(word), "")?;
        Ok::<_, String>(text.split_whitespace().find(|word| word.contains('.')).unwrap_or("?").to_owned())
    };
    let versions = json!({
        "cardseal": env!("CARGO_PKG_VERSION"),
        "CPython": version(&python, "--version")?,
        "Node": version(Path::new("node"), "--version")?,
        "Go": version(Path::new("go"), "version")?,
    });
    Ok(figures::results("cold", versions, rounds, &measured))
}

/// A program that starts with cardseal, and one that does the same without.
struct Start {
    name: &'static str,
    language: Language,
    bare: &'static str,
    with: &'static str,
}

enum Language {
    Python,
    /// CommonJS.
    Script,
    Module,
}

const STARTS: &[Start] = &[
    Start { name: "Python: import", language: Language::Python, bare: "pass", with: "import cardseal" },
    Start {
        name: "Python: import, first seal",
        language: Language::Python,
        bare: "pass",
        with: "import cardseal; cardseal.Envelope('your_api_secret_key_here').seal({'card_id': 'card_abc123'})",
    },
    Start {
        name: "Python: import of orjson, nacl.secret, pybase64",
        language: Language::Python,
        bare: "pass",
        with: "import orjson, nacl.secret, pybase64",
    },
    Start { name: "Node: require", language: Language::Script, bare: "", with: "require('cardseal')" },
    Start {
        name: "Node: require of sodium-native",
        language: Language::Script,
        bare: "",
        with: "require('sodium-native')",
    },
    Start { name: "Node: import", language: Language::Module, bare: "", with: "import 'cardseal'" },
    Start {
        name: "Node: import of sodium-native",
        language: Language::Module,
        bare: "",
        with: "import 'sodium-native'",
    },
    Start {
        name: "Node: import, first seal",
        language: Language::Module,
        bare: "",
        with: "import { Envelope } from 'cardseal'; new Envelope('your_api_secret_key_here').seal({ card_id: 'card_abc123' })",
    },
    Start {
        name: "WebAssembly: import, ready",
        language: Language::Module,
        bare: "",
        with: "import { Envelope } from 'cardseal/wasm'; new Envelope('your_api_secret_key_here')",
    },
    Start {
        name: "WebAssembly: import, first seal",
        language: Language::Module,
        bare: "",
        with: "import { Envelope } from 'cardseal/wasm'; new Envelope('your_api_secret_key_here').seal({ card_id: 'card_abc123' })",
    },
    Start {
        name: "WebAssembly: import of libsodium-wrappers, ready",
        language: Language::Module,
        bare: "",
        with: "import sodium from 'libsodium-wrappers'; await sodium.ready",
    },
];

/// The median of what `run` gives with cardseal and without, pair by pair. Who begins changes; the first pairs fill caches.
fn difference(name: &str, rounds: usize, discarded: usize, run: impl Fn(bool) -> Result<f64>) -> Result<Value> {
    say!("{name}");
    let mut differences = Vec::new();
    for round in 0..discarded + rounds {
        let is_with_first = round % 2 == 0;
        let (first, second) = (run(is_with_first)?, run(!is_with_first)?);
        differences.push(if is_with_first { first - second } else { second - first });
    }
    Ok(figures::median(name, "ms", differences.split_off(discarded)))
}

fn words(repo: &Repo, program: &Path, words: &[&str]) -> Command {
    let mut command = repo.command(program);
    command.args(words);
    command
}

/// How long a process lives.
fn milliseconds(command: &mut Command) -> Result<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = command.status().map_err(|error| format!("a process does not start: {error}"))?;
    let elapsed = start.elapsed();
    if status.success() { Ok(elapsed.as_secs_f64() * 1e3) } else { fail("a process failed: see what it says above") }
}

/// What packages of a Go program take to initialise, by the runtime's own account: far less than starting a process varies.
fn init_milliseconds(program: &Path, is_counted: impl Fn(&str) -> bool) -> Result<f64> {
    let output = Command::new(program).env("GODEBUG", "inittrace=1").output();
    let output = output.map_err(|error| format!("{} does not start: {error}", program.display()))?;
    init_of_trace(&String::from_utf8_lossy(&output.stderr), is_counted)
}

/// Adds up lines such as `init net @0.42 ms, 0.013 ms clock, 1024 bytes, 3 allocs`.
fn init_of_trace(trace: &str, is_counted: impl Fn(&str) -> bool) -> Result<f64> {
    let read = |line: &str| -> Option<(String, f64)> {
        let (package, rest) = line.strip_prefix("init ")?.split_once(" @")?;
        let clock = rest.split_once(" ms clock")?.0.rsplit_once(' ')?.1.parse().ok()?;
        Some((package.to_owned(), clock))
    };
    let inits: Vec<(String, f64)> = trace.lines().filter_map(read).collect();
    if inits.is_empty() {
        return fail("Go says nothing of what was initialised");
    }
    Ok(inits.iter().filter(|(package, _)| is_counted(package)).map(|(_, clock)| clock).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_added_up() {
        let trace = "init internal/bytealg @0.005 ms, 0.25 ms clock, 0 bytes, 0 allocs\n\
                     init net @0.42 ms, 0.5 ms clock, 1024 bytes, 3 allocs\nother\n";
        assert_eq!(init_of_trace(trace, |_| true), Ok(0.75));
        assert_eq!(init_of_trace(trace, |package| package == "net"), Ok(0.5));
        assert!(init_of_trace("other\n", |_| true).is_err());
    }

    #[test]
    fn a_difference_is_taken_within_pairs_after_the_first() {
        let runs = std::cell::Cell::new(0.0);
        let figure = difference("f", 3, 1, |is_with| {
            runs.set(runs.get() + 1.0);
            Ok(runs.get() * 100.0 + if is_with { 3.0 } else { 0.0 })
        });
        // Of four pairs with is second, first, second in the last three: 3 + 100, 3 - 100, 3 + 100.
        assert_eq!(figure.unwrap()["value"], 103.0);
        assert_eq!(runs.get(), 8.0);
    }
}
