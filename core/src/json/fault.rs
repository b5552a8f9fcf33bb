//! What the reader refuses, and where.

use alloc::string::String;
use core::fmt;

use super::scan::decimal;

/// The first thing wrong with a text: its kind and its byte offset.
///
/// Eight bytes, so that a result travels in a register through every level of the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    kind: FaultKind,
    at: u32,
}

impl Fault {
    pub(crate) fn new(kind: FaultKind, at: usize) -> Self {
        Self { kind, at: u32::try_from(at).unwrap_or(u32::MAX) }
    }

    /// What a sink returns that cannot go on.
    pub const fn stopped() -> Self {
        Self { kind: FaultKind::Stopped, at: 0 }
    }

    /// What is wrong.
    pub const fn kind(&self) -> FaultKind {
        self.kind
    }

    /// Where, counted in bytes from the start of the text.
    pub const fn at(&self) -> usize {
        self.at as usize
    }
}

/// What can be wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The bytes are not UTF-8.
    Utf8,
    /// A byte order mark stands before the value.
    ByteOrderMark,
    /// The text holds nothing but white space.
    Empty,
    /// The text ends inside a value.
    End,
    /// A byte that no JSON value can have here.
    Unexpected,
    /// A control character stands unescaped in a string.
    ControlCharacter,
    /// A backslash that begins no escape of RFC 8259.
    Escape,
    /// Half of a surrogate pair stands alone.
    LoneSurrogate,
    /// A number that RFC 8259 does not allow.
    Number,
    /// A number token that is too long or beyond binary64's range.
    NumberRange,
    /// A member name that stands twice in one object.
    RepeatedName,
    /// Arrays and objects nest too deeply.
    Depth,
    /// Something follows the value.
    Trailing,
    /// The text is longer than the reader's offsets reach (4 GiB).
    Length,
    /// Nothing is wrong with the text: the sink wants no more, for a reason that it keeps.
    Stopped,
}

impl Fault {
    /// What is wrong and where, as [`Display`](fmt::Display) shows it.
    pub(crate) fn description(&self) -> String {
        let what = match self.kind {
            FaultKind::Utf8 => "bytes that are not UTF-8",
            FaultKind::ByteOrderMark => "a byte order mark: send plain UTF-8",
            FaultKind::Empty => return "nothing to read: expected a JSON value".into(),
            FaultKind::End => "the text ends inside a value",
            FaultKind::Unexpected => "a character that JSON does not allow here",
            FaultKind::ControlCharacter => "a raw control character in a string: escape it",
            FaultKind::Escape => "an escape that JSON does not know",
            FaultKind::LoneSurrogate => "half of a surrogate pair",
            FaultKind::Number => "a malformed number",
            FaultKind::NumberRange => "a number that is too long or too large",
            FaultKind::RepeatedName => "a member name that its object already has",
            FaultKind::Depth => "more than 128 levels of nesting",
            FaultKind::Trailing => "something after the value",
            FaultKind::Length => "more than 4 GiB of text",
            FaultKind::Stopped => "a value that cannot be built",
        };
        [what, " (byte ", &decimal(self.at.into()), ")"].concat()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.description())
    }
}

impl core::error::Error for Fault {}
