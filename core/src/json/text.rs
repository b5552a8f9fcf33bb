//! String literals and numbers as they stand in the text.

use alloc::borrow::Cow;
use alloc::string::String;
use core::ops::Range;

use super::scan::{hex4, skip_plain};

/// A string literal that the reader accepted: where it stands and how to read it.
#[derive(Debug, Clone, Copy)]
pub struct Text<'t> {
    source: &'t str,
    start: usize,
    end: usize,
    escaped: bool,
}

impl<'t> Text<'t> {
    pub(super) const fn new(source: &'t str, start: usize, end: usize, escaped: bool) -> Self {
        Self { source, start, end, escaped }
    }

    /// What stands between the quotes, escapes and all.
    pub fn raw(&self) -> &'t str {
        self.source.get(self.start..self.end).unwrap_or_default()
    }

    /// Where the literal stands, quotes included.
    pub const fn span(&self) -> Range<usize> {
        self.start.saturating_sub(1)..self.end + 1
    }

    /// Whether an escape stands in it; without one, [`raw`](Self::raw) is the value.
    pub const fn is_escaped(&self) -> bool {
        self.escaped
    }

    /// The value, borrowed where nothing is escaped.
    pub fn value(&self) -> Cow<'t, str> {
        if self.escaped { Cow::Owned(unescape(self.raw())) } else { Cow::Borrowed(self.raw()) }
    }

    /// Whether the value is `other`, without building it.
    pub fn is(&self, other: &str) -> bool {
        if self.escaped { Characters::new(self.raw()).eq(other.chars()) } else { self.raw() == other }
    }
}

/// A number that the reader accepted: where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Number<'t> {
    source: &'t str,
    start: usize,
    end: usize,
}

impl<'t> Number<'t> {
    pub(super) const fn new(source: &'t str, start: usize, end: usize) -> Self {
        Self { source, start, end }
    }

    /// The token as it is written.
    pub fn token(&self) -> &'t str {
        self.source.get(self.start..self.end).unwrap_or_default()
    }

    /// Where the token stands.
    pub const fn span(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// The value of an accepted literal's inside.
pub(super) fn unescape(raw: &str) -> String {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while !rest.is_empty() {
        let plain = skip_plain(rest.as_bytes(), 0);
        value.push_str(rest.get(..plain).unwrap_or_default());
        let mut escape = Characters::new(rest.get(plain..).unwrap_or_default());
        value.extend(escape.next());
        rest = escape.rest;
    }
    value
}

/// The characters that an accepted literal's inside stands for.
#[derive(Debug, Clone)]
pub(super) struct Characters<'t> {
    rest: &'t str,
}

impl<'t> Characters<'t> {
    pub(super) const fn new(raw: &'t str) -> Self {
        Self { rest: raw }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

impl Iterator for Characters<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let bytes = self.rest.as_bytes();
        if bytes.first() != Some(&b'\\') {
            let character = self.rest.chars().next()?;
            self.skip(character.len_utf8());
            return Some(character);
        }
        let (character, length) = match bytes.get(1)? {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => match (hex4(bytes, 2)?, hex4(bytes, 8)) {
                (high @ 0xd800..0xdc00, Some(low)) => {
                    (char::from_u32(0x10000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00))?, 12)
                }
                (unit, _) => (char::from_u32(unit)?, 6),
            },
            &other => (char::from(other), 2),
        };
        self.skip(length);
        Some(character)
    }
}
