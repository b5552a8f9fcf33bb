//! `core/data/*.json` → the Python package's status classes and its list of codes for type checkers.

use std::fmt::Write as _;

use crate::data::Tables;

/// The classes. Their models stay in the native module; what stands here is names, for people, editors and type checkers.
pub(super) fn statuses(tables: &Tables) -> String {
    let mut text = String::from(STATUSES_HEADER);
    for model in &tables.status_models {
        let values: Vec<&str> = model.values.iter().map(|value| value.name.as_str()).collect();
        let last = model.values.iter().find(|value| value.terminal).map_or("", |value| &value.name);
        let first = &model.values[0];
        let example = format!(
            "    >>> from cardseal import {name}\n    >>> status = {name}({first:?})\n    >>> status.is_terminal, status.can_become({next:?}), {name}({last:?}).is_terminal\n    (False, True, True)\n",
            name = model.name,
            first = first.name,
            next = first.to.first().map_or("", String::as_str),
        );
        class(&mut text, &model.name, "StatusModel", &model.about, &example, &values);
    }
    for list in &tables.value_lists {
        let values: Vec<&str> = list.values.iter().map(String::as_str).collect();
        let example = format!(
            "    >>> from cardseal import {name}\n    >>> status = {name}({first:?})\n    >>> status == {name}.{constant}, status.is_known\n    (True, True)\n",
            name = list.name,
            first = values[0],
            constant = values[0].to_ascii_uppercase(),
        );
        class(&mut text, &list.name, "Status", &list.about, &example, &values);
    }
    text
}

fn class(text: &mut String, name: &str, base: &str, about: &str, example: &str, values: &[&str]) {
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n\nclass {name}({base}):\n    \"\"\"{about}\n\n    A string; a value that this release does not know is kept as it is.\n\n{example}    \"\"\"\n\n    __slots__ = ()\n\n"
    );
    if base == "StatusModel" {
        let _ = writeln!(text, "    _MODEL = \"{name}\"\n");
    }
    for value in values {
        let _ = writeln!(text, "    {}: ClassVar[{name}]", value.to_ascii_uppercase());
    }
    text.push_str("\n\n");
    for value in values {
        let _ = writeln!(text, "{name}.{} = {name}(\"{value}\")", value.to_ascii_uppercase());
    }
    let _ = writeln!(text, "{name}.KNOWN = (");
    for value in values {
        let _ = writeln!(text, "    \"{value}\",");
    }
    text.push_str(")\n");
}

/// The codes as a type.
pub(super) fn codes(tables: &Tables) -> String {
    let mut text = String::from(CODES_HEADER);
    for error in &tables.error_codes {
        let _ = writeln!(text, "    \"{}\",", error.code);
    }
    text.push_str("]\n\"\"\"Every code that an EnvelopeError can carry.\"\"\"\n");
    text
}

const STATUSES_HEADER: &str = "\
\"\"\"The status models. Generated from core/data by `cargo xtask codegen`: do not edit.\"\"\"

from __future__ import annotations

from cardseal._status import Status, StatusModel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar
";

const CODES_HEADER: &str = "\
\"\"\"The error codes. Generated from core/data by `cargo xtask codegen`: do not edit.\"\"\"

from typing import Literal, TypeAlias

ErrorCode: TypeAlias = Literal[
";
