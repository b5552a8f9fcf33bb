//! Every HTTP adapter of every language under every fault: tests/adapters.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::counts::Counts;
use crate::python::Interpreter;
use crate::repo::Repo;
use crate::screen::{bad, say};
use crate::shell::Shell;
use crate::test::Context;
use crate::{Result, fail, go, python};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let Context { repo, shell, .. } = context;
    shell.run(&mut repo.cargo("build --locked -p cardseal-adapters"))?;
    let program = repo.target().join("debug/adapters");
    let mut counts = Counts::default();
    let mut drivers = rust(&program);
    for (language, prepare) in LANGUAGES {
        match prepare(repo, shell) {
            Ok(more) => drivers.extend(more),
            Err(error) => {
                say!("   {} {language}: {error}", bad("skipped"));
                counts += Counts::SKIPPED;
            }
        }
    }
    let list = repo.target().join("xtask/adapters.json");
    write(&list, drivers)?;
    counts += context.count(repo.command(&program).arg(list), of_cells)?;
    Ok(counts)
}

fn write(list: &Path, drivers: Vec<Value>) -> Result<()> {
    std::fs::write(list, Value::from(drivers).to_string())
        .map_err(|error| format!("cannot write {}: {error}", list.display()))
}

/// Gets the drivers of a language ready, with what they drive installed as its users install it.
type Prepare = fn(&Repo, &Shell) -> Result<Vec<Value>>;

const LANGUAGES: &[(&str, Prepare)] = &[("Python", in_python), ("Go", in_go)];

fn rust(program: &Path) -> Vec<Value> {
    let driver =
        |adapter| json!({"name": format!("Rust {adapter}"), "command": [program, "rust", adapter], "folder": "."});
    ["client", "middleware"].map(driver).into()
}

fn in_python(repo: &Repo, shell: &Shell) -> Result<Vec<Value>> {
    let default = Interpreter::default(repo)?;
    let tools = python::environment(repo, shell, &default, "python-tools", python::DEVELOPMENT)?;
    let wheel = python::build_wheel(repo, shell, &tools, &default)?;
    let path = python::environment(repo, shell, &default, "adapters", python::TESTS)?;
    python::install_wheel(repo, shell, &path, &wheel)?;
    let script = repo.path("tests/adapters/drivers/client.py");
    let driver =
        |adapter| json!({"name": format!("Python {adapter}"), "command": [path, "-B", script, adapter], "folder": "."});
    Ok(["requests", "httpx", "httpx-async", "aiohttp", "client"].map(driver).into())
}

fn in_go(repo: &Repo, shell: &Shell) -> Result<Vec<Value>> {
    if !go::is_installed(repo) {
        return fail(go::MISSING);
    }
    let program: PathBuf = repo.target().join("xtask/go-driver");
    shell.run(go::command(repo, go::DRIVER, &["build", "-o"]).arg(&program).arg("."))?;
    let driver = |adapter| json!({"name": format!("Go {adapter}"), "command": [program, adapter], "folder": "."});
    Ok(["transport", "client"].map(driver).into())
}

/// Reads the rows of the table: a cell in which a promise was broken is named at the end.
fn of_cells(output: &str) -> Counts {
    let cells = |line: &str| line.strip_prefix("cells: ").map(str::to_owned);
    let last = output.lines().rev().find_map(cells).unwrap_or_default();
    let number = |what: &str| {
        let of = last.split(", ").find_map(|part| part.strip_suffix(what)).map(str::trim);
        of.and_then(|number| number.parse().ok()).unwrap_or_default()
    };
    Counts { passed: number("kept"), failed: number("broken"), skipped: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let counts = of_cells("| adapter | …\ncells: 2 kept, 0 broken\n…\ncells: 110 kept, 2 broken\n");
        assert_eq!(counts, Counts { passed: 110, failed: 2, skipped: 0 });
        assert_eq!(of_cells("thread 'main' panicked\n"), Counts::default());
    }
}
