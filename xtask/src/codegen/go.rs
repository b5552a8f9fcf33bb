//! `core/data/*.json` → `packages/go/tables_gen.go`. Written as gofmt has it, so that no Go is needed; the stage `go`
//! checks that.

use std::fmt::Write as _;

use crate::data::{Constant, Tables};

pub(super) fn tables(tables: &Tables) -> String {
    let Tables { error_codes, plain_errors, error_slugs, endpoints, status_models, value_lists, constants } = tables;
    let mut text = String::from(HEADER);

    line(&mut text, "// Version is the version of every package of the toolkit.");
    line(&mut text, &format!("const Version = {:?}\n", env!("CARGO_PKG_VERSION")));

    line(&mut text, "// The codes of this package's errors, each the same in every language.\nconst (");
    for error in error_codes {
        let (name, code) = (code_name(&error.code), &error.code);
        line(&mut text, &format!("\t// {name}: {}.\n\t{name} = Code({code:?})", error.meaning));
    }
    line(&mut text, ")\n");

    array(&mut text, "codes", "codeRow", error_codes, |error| {
        let answer = plain_errors.iter().find(|plain| Some(&plain.code) == error.plain_error.as_ref());
        let (status, answer) = (error.http_status.unwrap_or_default(), answer.map_or("", |plain| &plain.text));
        format!("{}, {:?}, {status}, {answer:?}", code_name(&error.code), error.meaning)
    });
    array(&mut text, "plainErrors", "PlainError", plain_errors, |error| {
        format!("{:?}, {}, {:?}", error.text, error.status, error.code)
    });
    array(&mut text, "errorSlugs", "ErrorSlug", error_slugs, |error| format!("{:?}, {}", error.slug, error.status));
    array(&mut text, "endpoints", "Endpoint", endpoints, |endpoint| {
        format!("{:?}, Endpoint{}", endpoint.path, camel(&endpoint.kind))
    });

    for model in status_models {
        let (name, table) = (&model.name, format!("{}Moves", lower_first(&model.name)));
        values(&mut text, name, &model.about, model.values.iter().map(|value| value.name.as_str()));
        array(&mut text, &table, &format!("move[{name}]"), &model.values, |value| {
            let to: Vec<String> = value.to.iter().map(|to| format!("{name}{}", camel(to))).collect();
            let to = if to.is_empty() { "nil".to_owned() } else { format!("[]{name}{{{}}}", to.join(", ")) };
            format!("{name}{}, {to}, {}", camel(&value.name), value.terminal)
        });
        let text = &mut text;
        line(
            text,
            "// CanBecome says whether the value may change to another (SPEC.md, STATUS-1); staying is no change.",
        );
        line(text, &format!("func (s {name}) CanBecome(to {name}) bool {{\n\treturn canBecome({table}, s, to)\n}}\n"));
        line(text, "// IsTerminal says whether the value is documented as one that never changes (SPEC.md, STATUS-2).");
        line(text, &format!("func (s {name}) IsTerminal() bool {{\n\treturn isTerminal({table}, s)\n}}\n"));
        line(text, "// IsKnown says whether the value is documented; others pass through (SPEC.md, STATUS-3).");
        line(text, &format!("func (s {name}) IsKnown() bool {{\n\treturn isKnown({table}, s)\n}}\n"));
    }
    for list in value_lists {
        let (name, table) = (&list.name, format!("{}Values", lower_first(&list.name)));
        values(&mut text, name, &list.about, list.values.iter().map(String::as_str));
        array(&mut text, &table, &format!("move[{name}]"), &list.values, |value| {
            format!("{name}{}, nil, false", camel(value))
        });
        line(&mut text, "// IsKnown says whether the value is documented; others pass through (SPEC.md, STATUS-3).");
        line(&mut text, &format!("func (s {name}) IsKnown() bool {{\n\treturn isKnown({table}, s)\n}}\n"));
    }
    line(&mut text, "// The numbers that every language shares.\nconst (");
    for Constant { name, value, meaning } in constants {
        line(&mut text, &format!("\t// {}: {}\n\t{} = {value}", constant(name), lower_first(meaning), constant(name)));
    }
    line(&mut text, ")\n");
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// A type of text and its documented values.
fn values<'v>(text: &mut String, name: &str, about: &str, values: impl Iterator<Item = &'v str> + Clone) {
    line(text, &format!("// {name}: {}\ntype {name} string\n", lower_first(about)));
    line(text, &format!("// The documented values of {name}.\nconst ("));
    let width = values.clone().map(|value| camel(value).len()).max().unwrap_or_default();
    for value in values {
        line(text, &format!("\t{name}{:width$} = {name}({value:?})", camel(value)));
    }
    line(text, ")\n");
}

fn array<T>(text: &mut String, name: &str, kind: &str, rows: &[T], members: impl Fn(&T) -> String) {
    line(text, &format!("var {name} = []{kind}{{"));
    for row in rows {
        line(text, &format!("\t{{{}}},", members(row)));
    }
    line(text, "}\n");
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

/// `invalid_api_key` → `ErrInvalidAPIKey`
fn code_name(code: &str) -> String {
    format!("Err{}", camel(code))
}

/// `card_create_done` → `CardCreateDone`; initialisms keep one case, as Go wants it.
fn camel(name: &str) -> String {
    let word = |word: &str| match word {
        "api" | "json" | "ttl" => word.to_ascii_uppercase(),
        _ => {
            let (first, rest) = word.split_at(word.len().min(1)); // names are ASCII: the reader checks it
            first.to_ascii_uppercase() + rest
        }
    };
    name.split('_').map(word).collect()
}

/// `replay_ttl_millis` → `replayTTLMillis`
fn constant(name: &str) -> String {
    lower_first(&camel(name))
}

fn lower_first(name: &str) -> String {
    let (first, rest) = name.split_at(name.chars().next().map_or(0, char::len_utf8));
    first.to_lowercase() + rest
}

const HEADER: &str = "\
// Code generated from core/data by `cargo xtask codegen`. DO NOT EDIT.

package cardseal

";
