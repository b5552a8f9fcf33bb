//! `core/data/*.json` → the tables of the npm package. The helpers that they call are written by hand there.

use super::{grouped, line};
use crate::data::{Constant, Tables};

pub(super) fn tables(tables: &Tables) -> String {
    let Tables { error_codes, plain_errors, error_slugs, endpoints, status_models, value_lists, constants } = tables;
    let mut text = String::from(HEADER);

    text += "\n/**\n * Every code that an `EnvelopeError` can carry; the same in every language.\n *\n";
    for error in error_codes {
        line(&mut text, format_args!(" * - `{}`: {}", error.code, error.meaning));
    }
    text += " */\n";
    union(&mut text, "ErrorCode", error_codes.iter().map(|error| &*error.code));

    text += "\n/** The constants for the errors that the API sends in plain text. */\n";
    union(&mut text, "PlainErrorCode", plain_errors.iter().map(|error| &*error.code));
    text +=
        "\n/** The texts of those errors with their statuses and constants, in the order of the server's checks. */\n";
    text += "export const PLAIN_ERRORS: readonly { readonly text: string; readonly status: number; readonly code: PlainErrorCode }[] = [\n";
    for error in plain_errors {
        line(
            &mut text,
            format_args!("  {{ text: {:?}, status: {}, code: {:?} }},", error.text, error.status, error.code),
        );
    }
    text += "];\n";

    text += "\n/** The documented slugs of sealed errors; an open set. */\n";
    union(&mut text, "ErrorSlug", error_slugs.iter().map(|error| &*error.slug));
    text += "\n/** The HTTP status that each documented slug comes with. */\n";
    text += "export const ERROR_SLUGS: Readonly<Record<ErrorSlug, number>> = {\n";
    for error in error_slugs {
        line(&mut text, format_args!("  {}: {},", error.slug, error.status));
    }
    text += "};\n";

    text += "\n/** The documented endpoints and how a call to each may be repeated; any other path is unsafe. */\n";
    text += "export const ENDPOINTS: Readonly<Record<string, EndpointKind>> = {\n";
    for endpoint in endpoints {
        line(&mut text, format_args!("  {:?}: {:?},", endpoint.path, endpoint.kind));
    }
    text += "};\n";

    for model in status_models {
        line(&mut text, format_args!("\n/** {} */", model.about));
        union(&mut text, &model.name, model.values.iter().map(|value| &*value.name));
        line(&mut text, format_args!("\n/** {} Values, moves and ends. */", model.about));
        let name = &model.name;
        line(
            &mut text,
            format_args!("export const {name}: StatusModel<{name}> = /* @__PURE__ */ statusModel<{name}>("),
        );
        text += "  {\n";
        for value in &model.values {
            line(&mut text, format_args!("    {}: {:?},", value.name, value.to));
        }
        let ends: Vec<_> = model.values.iter().filter(|value| value.terminal).map(|value| &value.name).collect();
        line(&mut text, format_args!("  }},\n  {ends:?},\n);"));
    }
    for list in value_lists {
        let name = &list.name;
        line(&mut text, format_args!("\n/** {} */", list.about));
        union(&mut text, name, list.values.iter().map(String::as_str));
        line(&mut text, format_args!("\n/** {} The values known here. */", list.about));
        let values = &list.values;
        line(
            &mut text,
            format_args!("export const {name}: ValueList<{name}> = /* @__PURE__ */ valueList<{name}>({values:?});"),
        );
    }
    for Constant { name, value, meaning } in constants {
        line(
            &mut text,
            format_args!("\n/** {meaning} */\nexport const {} = {};", name.to_uppercase(), grouped(*value)),
        );
    }
    text
}

/// What a server answers to which code. Not among the other tables: those are in every page that seals.
pub(super) fn answers(tables: &Tables) -> String {
    let mut text = String::from(ANSWERS_HEADER);
    for error in &tables.plain_errors {
        line(&mut text, format_args!("  {}: {{ status: {}, text: {:?} }},", error.code, error.status, error.text));
    }
    for error in &tables.error_codes {
        let plain = tables.plain_errors.iter().find(|plain| Some(&plain.code) == error.plain_error.as_ref());
        let is_listed = tables.plain_errors.iter().any(|plain| plain.code == error.code);
        if let Some(status) = error.http_status.filter(|_| !is_listed) {
            let words = plain.map_or("The server cannot answer", |plain| &*plain.text);
            line(&mut text, format_args!("  {}: {{ status: {status}, text: {words:?} }},", error.code));
        }
    }
    text + "};\n"
}

/// The script that takes one step on an idempotency record in Redis, without its comments.
pub(super) fn script(lua: &str) -> String {
    let code: Vec<&str> = lua.lines().filter(|line| !line.starts_with("--")).collect();
    format!("{SCRIPT_HEADER}export const IDEMPOTENCY_SCRIPT = `{}`;\n", code.join("\n").trim())
}

const SCRIPT_HEADER: &str = "\
/** What takes one step on an idempotency record in Redis. Generated from core/data by `cargo xtask codegen`: do not edit. */

/** KEYS and ARGV, and what it gives, stand at the head of core/data/idempotency.lua. */
";

fn union<'t>(text: &mut String, name: &str, values: impl Iterator<Item = &'t str>) {
    line(text, format_args!("export type {name} ="));
    let mut values = values.peekable();
    while let Some(value) = values.next() {
        line(text, format_args!("  | {value:?}{}", if values.peek().is_none() { ";" } else { "" }));
    }
}

const ANSWERS_HEADER: &str = "\
/** What a server answers in plain text. Generated from core/data by `cargo xtask codegen`: do not edit. */

/** The plain answers by code: those of the documents, and what stands for the errors of opening and of the replay store. */
export const ANSWERS: Readonly<Record<string, { readonly status: number; readonly text: string }>> = {
";

const HEADER: &str = "\
/** The protocol's tables. Generated from core/data by `cargo xtask codegen`: do not edit. */

import type { EndpointKind } from \"./retry.js\";
import { type StatusModel, statusModel, type ValueList, valueList } from \"./status.js\";
";
