//! Every implementation opens what every other seals, and all of ours refuse alike: tests/interop.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::counts::Counts;
use crate::installed::text;
use crate::repo::Repo;
use crate::screen::{bad, say};
use crate::shell::Shell;
use crate::test::Context;
use crate::{Result, demo, go, installed};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let Context { repo, shell, .. } = context;
    super::build_programs(repo, shell)?;
    let (mut counts, mut drivers) = (Counts::default(), Vec::new());
    for (language, prepare) in LANGUAGES {
        match prepare(repo, shell) {
            Ok(of_language) => drivers.extend(of_language),
            Err(error) => {
                say!("   {} {language}: {error}", bad("skipped"));
                counts += Counts::SKIPPED;
            }
        }
    }
    let list = repo.target().join("xtask/interop-drivers.json");
    std::fs::write(&list, Value::from(drivers).to_string())
        .map_err(|error| format!("cannot write {}: {error}", list.display()))?;
    let mut command = repo.command(repo.target().join("debug/interop"));
    counts += context.count(command.arg(list).arg(repo.target().join("xtask/interop.json")), Counts::of_cells)?;
    Ok(counts)
}

/// Gets the drivers of a language ready: its package, and the library that the protocol's document uses there.
type Prepare = fn(&Repo, &Shell) -> Result<Vec<Value>>;

const LANGUAGES: &[(&str, Prepare)] =
    &[("Rust", in_rust), ("Python", in_python), ("JavaScript", in_javascript), ("Go", in_go)];

fn driver(name: &str, command: &[&str], folder: &str, is_foreign: bool) -> Value {
    json!({"name": name, "command": command, "folder": folder, "is_foreign": is_foreign})
}

/// The command line tool answers lines by itself.
fn in_rust(repo: &Repo, _: &Shell) -> Result<Vec<Value>> {
    let tool = text(&demo::build_tool(repo)?);
    Ok(vec![driver("Rust", &[&tool, "batch"], ".", false)])
}

fn in_python(repo: &Repo, shell: &Shell) -> Result<Vec<Value>> {
    let python = text(&installed::python(repo, shell)?);
    let script = |name: &str| text(&repo.path(&format!("tests/interop/drivers/{name}.py")));
    Ok(vec![
        driver("Python", &[&python, "-B", &script("python")], ".", false),
        driver("PyNaCl", &[&python, "-B", &script("pynacl")], ".", true),
    ])
}

fn in_javascript(repo: &Repo, shell: &Shell) -> Result<Vec<Value>> {
    let project = text(&installed::node(repo, shell, "interop", &["tests/interop/drivers"])?);
    Ok(vec![
        driver("N-API", &["node", "node.mjs", "cardseal"], &project, false),
        driver("wasm", &["node", "node.mjs", "cardseal/wasm"], &project, false),
        driver("tweetnacl", &["node", "tweetnacl.mjs"], &project, true),
    ])
}

fn in_go(repo: &Repo, shell: &Shell) -> Result<Vec<Value>> {
    let folder = installed::go(repo, shell, go::INTEROP, "./...")?;
    let program = |name: &str| text(&PathBuf::from(&folder).join(name));
    Ok(vec![driver("Go", &[&program("cardseal")], ".", false), driver("x/crypto", &[&program("xcrypto")], ".", true)])
}
