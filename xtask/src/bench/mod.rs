//! `cargo xtask bench`: runs what stands in tests/bench, keeps what came out, and makes the report of it.

mod cold;
mod figures;
mod languages;
mod machine;
mod memory;
mod report;
mod results;
mod size;
mod tables;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

pub(crate) use languages::check_python;

use crate::repo::Repo;
use crate::screen::{bold, say};
use crate::shell::Shell;
use crate::{Result, fail};

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    let (chosen, rest) = match arguments.split_first() {
        None => ("rust", arguments),
        Some((chosen, rest)) => (chosen.as_str(), rest),
    };
    match chosen {
        "all" => all(repo, &Options::read(rest)?)?,
        "report" => report::run(repo, &Shell::live(), crate::check_flag(rest)?)?,
        "server" => languages::server(repo, rest)?,
        "http" => languages::http(repo, rest)?,
        _ => match BENCHMARKS.iter().find(|benchmark| benchmark.name == chosen) {
            Some(benchmark) => benchmark.run(repo, &Options::read(rest)?)?,
            None => {
                let known: Vec<&str> = BENCHMARKS.iter().map(|benchmark| benchmark.name).collect();
                return fail(format!(
                    "there is no benchmark `{chosen}`; there are: {}, server, http, all, report",
                    known.join(", ")
                ));
            }
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes sure that the committed report is what `report` makes of the committed results.
pub(crate) fn check_report(repo: &Repo, shell: &Shell) -> Result<()> {
    report::run(repo, shell, true)
}

/// Every benchmark in turn, and the report if they are kept.
fn all(repo: &Repo, options: &Options) -> Result<()> {
    if options.json.is_some() || !options.parts.is_empty() {
        return fail("`all` takes --quick and --save alone");
    }
    for (index, benchmark) in BENCHMARKS.iter().enumerate() {
        say!("{}", bold(&format!("== {} ({} of {})", benchmark.name, index + 1, BENCHMARKS.len())));
        benchmark.run(repo, options)?;
    }
    if options.save { report::run(repo, &Shell::live(), false) } else { Ok(()) }
}

struct Benchmark {
    name: &'static str,
    /// What came out, without the machine.
    measure: fn(&Repo, &Options) -> Result<Value>,
}

/// In the order of `all`: what fails early first.
const BENCHMARKS: &[Benchmark] = &[
    Benchmark { name: "size", measure: size::measure },
    Benchmark { name: "cold", measure: cold::measure },
    Benchmark { name: "memory", measure: memory::measure },
    Benchmark { name: "rust", measure: languages::rust },
    Benchmark { name: "python", measure: languages::python },
    Benchmark { name: "node", measure: |repo, options| languages::javascript(repo, "node", options) },
    Benchmark { name: "wasm", measure: |repo, options| languages::javascript(repo, "wasm", options) },
    Benchmark { name: "go", measure: languages::go },
];

impl Benchmark {
    fn run(&self, repo: &Repo, options: &Options) -> Result<()> {
        let measured = (self.measure)(repo, options)?;
        let mut whole =
            json!({ "language": measured["language"], "machine": machine::facts(), "quick": options.quick });
        if let (Some(whole), Value::Object(measured)) = (whole.as_object_mut(), measured) {
            whole.extend(measured);
        }
        let text = results::written(whole);
        let shown = results::read(self.name, &text)?;
        say!("\n{}", tables::of(&shown));
        if let Some(file) = &options.json {
            std::fs::write(file, &text).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        }
        if options.save {
            repo.write(&results::path(self.name), &text)?;
            say!("kept in {}", results::path(self.name));
        }
        Ok(())
    }
}

/// What all benchmarks can be told.
struct Options {
    quick: bool,
    /// Keep the results where `report` finds them.
    save: bool,
    /// Write them to this file.
    json: Option<PathBuf>,
    /// Measure only what has all of these in its name.
    parts: Vec<String>,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self { quick: false, save: false, json: None, parts: Vec::new() };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--save" => options.save = true,
                "--json" => {
                    let file = arguments.next().ok_or("--json needs the name of a file")?;
                    options.json = Some(Path::new(file).to_owned());
                }
                flag if flag.starts_with('-') => {
                    return fail(format!("`{flag}` is unknown here; there are --quick, --save and --json FILE"));
                }
                _ => options.parts.push(argument.clone()),
            }
        }
        if options.save && !options.parts.is_empty() {
            return fail("--save keeps whole runs: leave the parts of names away");
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::Options;

    fn read(line: &str) -> crate::Result<Options> {
        Options::read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_stand_in_any_order() {
        let options = read("seal --json out.json ascii --quick").unwrap();
        assert!(options.quick && !options.save);
        assert_eq!(options.json.as_deref(), Some("out.json".as_ref()));
        assert_eq!(options.parts, ["seal", "ascii"]);
    }

    #[test]
    fn what_would_keep_a_part_or_is_unknown_is_refused() {
        for line in ["--save seal", "--json", "--rounds 5"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
