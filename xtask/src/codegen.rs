//! `core/data/*.json` → `core/src/tables.rs`, whose types and macros are written by hand in the core; and what other
//! languages need of the same tables.

mod go;
mod python;
mod typescript;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::data::{Constant, Tables};
use crate::repo::Repo;
use crate::{Result, fail};

/// Writes the generated files, or with `check` fails if a committed one is stale.
pub(crate) fn run(repo: &Repo, check: bool) -> Result<()> {
    let tables = Tables::read(repo)?;
    for (file, emit) in FILES {
        let fresh = emit(repo, &tables)?;
        if !check {
            repo.write(file, &fresh)?;
            continue;
        }
        match repo.read(file) {
            Ok(committed) if committed == fresh => {}
            Ok(_) => return fail(format!("{file} is not what core/data says; mend it with: cargo xtask codegen")),
            Err(error) => return fail(format!("{error}; make it with: cargo xtask codegen")),
        }
    }
    Ok(())
}

/// What makes a generated file's text.
type Emit = fn(&Repo, &Tables) -> Result<String>;

const FILES: &[(&str, Emit)] = &[
    ("core/src/tables.rs", |repo, tables| rustfmt(repo, &emit(tables))),
    ("packages/python/src/cardseal/_statuses.py", |_, tables| Ok(python::statuses(tables))),
    ("packages/python/src/cardseal/_codes.py", |_, tables| Ok(python::codes(tables))),
    ("packages/go/tables_gen.go", |_, tables| Ok(go::tables(tables))),
    ("packages/npm/src/tables.ts", |_, tables| Ok(typescript::tables(tables))),
    ("packages/npm/src/server/answers.ts", |_, tables| Ok(typescript::answers(tables))),
    ("packages/npm/src/server/script.ts", |repo, _| Ok(typescript::script(&repo.read(SCRIPT)?))),
    // A package of Go can embed what is in its folder alone.
    ("packages/go/redisstore/idempotency.lua", |repo, _| repo.read(SCRIPT)),
];

/// One step on an idempotency record.
const SCRIPT: &str = "core/data/idempotency.lua";

fn emit(tables: &Tables) -> String {
    let Tables { error_codes, plain_errors, error_slugs, endpoints, status_models, value_lists, constants } = tables;
    let mut text = String::from(HEADER);

    text += "error_codes! {\n";
    for error in error_codes {
        let (name, code, meaning) = (variant(&error.code), &error.code, &error.meaning);
        let (plain, status) = (&error.plain_error, error.http_status);
        line(&mut text, format_args!("    {name} = {code:?}, {meaning:?}, answer: {plain:?}, {status:?};"));
    }
    text += "}\n\n";

    text += "/// The texts of plain errors with their statuses and our codes, in the order of the server's checks.\n";
    array(&mut text, "PLAIN_ERRORS", "PlainError", plain_errors, |error| {
        format!("text: {:?}, status: {}, code: {:?}", error.text, error.status, error.code)
    });
    text += "/// The documented slugs of sealed errors with their statuses; an open set.\n";
    array(&mut text, "ERROR_SLUGS", "ErrorSlug", error_slugs, |error| {
        format!("slug: {:?}, status: {}", error.slug, error.status)
    });
    text += "/// The documented endpoints and how a call to each may be repeated; any other path is unsafe.\n";
    array(&mut text, "ENDPOINTS", "Endpoint", endpoints, |endpoint| {
        format!("path: {:?}, kind: EndpointKind::{}", endpoint.path, variant(&endpoint.kind))
    });

    for model in status_models {
        line(&mut text, format_args!("status_model! {{\n    {}, {:?};", model.name, model.about));
        for value in &model.values {
            let to: Vec<String> = value.to.iter().map(|to| variant(to)).collect();
            let (name, terminal, to) = (&value.name, value.terminal, to.join(", "));
            line(&mut text, format_args!("    {} = {name:?}, terminal: {terminal}, to: [{to}];", variant(name)));
        }
        text += "}\n\n";
    }
    for list in value_lists {
        line(&mut text, format_args!("value_list! {{\n    {}, {:?};", list.name, list.about));
        for value in &list.values {
            line(&mut text, format_args!("    {} = {value:?};", variant(value)));
        }
        text += "}\n\n";
    }
    for Constant { name, value, meaning } in constants {
        line(&mut text, format_args!("/// {meaning}\npub const {}: u64 = {};\n", name.to_uppercase(), grouped(*value)));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn array<T>(text: &mut String, name: &str, kind: &str, rows: &[T], members: impl Fn(&T) -> String) {
    line(text, format_args!("pub static {name}: &[{kind}] = &["));
    for row in rows {
        line(text, format_args!("    {kind} {{ {} }},", members(row)));
    }
    text.push_str("];\n\n");
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

/// `70000` → `70_000`
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let groups = (first..digits.len()).step_by(3).map(|at| &digits[at..at + 3]);
    std::iter::once(&digits[..first]).chain(groups).collect::<Vec<_>>().join("_")
}

/// `card_create_done` → `CardCreateDone`
fn variant(name: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1)); // names are ASCII: the reader checks it
        first.to_ascii_uppercase() + rest
    };
    name.split('_').map(capital).collect()
}

/// Formats through the configuration that holds for the generated file, so that `cargo fmt --check` agrees.
fn rustfmt(repo: &Repo, code: &str) -> Result<String> {
    let started = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .current_dir(repo.path("core/src"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => {
            return fail(format!("rustfmt does not start ({error}); install it with: rustup component add rustfmt"));
        }
    };
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(code.as_bytes()).map_err(|error| format!("rustfmt takes no input: {error}"))?;
    }
    let output = child.wait_with_output().map_err(|error| format!("rustfmt: {error}"))?;
    if !output.status.success() {
        return fail(format!("rustfmt refuses the generated code: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("rustfmt: {error}"))
}

const HEADER: &str = "\
//! The protocol's tables. Generated from core/data by `cargo xtask codegen`: do not edit.

use crate::error::error_codes;
use crate::response::{ErrorSlug, PlainError};
use crate::retry::{Endpoint, EndpointKind};
use crate::status::{status_model, value_list};

";
