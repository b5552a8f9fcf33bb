//! How large what is published is.

use std::path::Path;

use serde_json::{Value, json};

use super::{Options, figures};
use crate::npm::Npm;
use crate::python::{self, Interpreter};
use crate::repo::Repo;
use crate::shell::Shell;
use crate::{Result, fail};

pub(super) fn measure(repo: &Repo, _options: &Options) -> Result<Value> {
    let shell = Shell::live();
    let npm = Npm::with_tools(repo, &shell)?;
    let tarballs = npm.pack()?;
    let default = Interpreter::default(repo)?;
    let tools = python::environment(repo, &shell, &default, "python-tools", python::DEVELOPMENT)?;
    let wheel = python::build_wheel(repo, &shell, &tools, &default)?;

    let with_glue = npm.gzipped_bytes("dist/esm/wasm.js")?;
    let module = npm.gzipped_bytes("dist/esm/cardseal.wasm")?;
    let mut found = vec![
        ("WebAssembly with its glue, gzip", with_glue as u64),
        ("the WebAssembly in it, gzip", module as u64),
        ("the WebAssembly in it", bytes(&npm.folder("package/dist/esm/cardseal.wasm"))?),
        ("npm package, packed", bytes(&tarballs.package)?),
        ("Python wheel", bytes(&wheel)?),
    ];
    if let Some(binary) = &tarballs.binary {
        let stripped = repo.target().join("xtask/stripped.node");
        if shell.run(repo.command("strip").arg("-o").arg(&stripped).arg(binary)).is_err() {
            return fail("`strip` is missing or failed: it is in the package binutils");
        }
        found.push(("Node binary, stripped", bytes(&stripped)?));
        found.push(("Node binary, as it is packed", bytes(binary)?));
    }
    let found: Vec<Value> =
        found.into_iter().map(|(name, bytes)| figures::exact(name, "KiB", bytes as f64 / 1024.0)).collect();
    Ok(figures::results("size", json!({ "cardseal": env!("CARGO_PKG_VERSION") }), 1, &found))
}

fn bytes(file: &Path) -> Result<u64> {
    let facts = std::fs::metadata(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Ok(facts.len())
}
