//! String literals and numbers as they stand in the text.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;
use core::ops::{Deref, Range};

use crate::wipe::Wiped;

use super::scan::{hex4, is_special, skip_plain};

/// A string literal that the reader accepted: where it stands and how to read it.
#[derive(Clone, Copy)]
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
#[derive(Clone, Copy)]
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

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text at {:?}", self.span()) // what stands there may be plaintext
    }
}

impl fmt::Debug for Number<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number at {:?}", self.span()) // what stands there may be plaintext
    }
}

/// A string's value: borrowed where nothing is escaped, wiped when dropped where it had to be built.
pub(crate) enum Unescaped<'t> {
    Borrowed(&'t str),
    Owned(Wiped<String>),
}

impl<'t> Unescaped<'t> {
    /// The value of an accepted literal's inside.
    pub(super) fn new(raw: &'t str, escaped: bool) -> Self {
        if escaped { Self::Owned(Wiped::new(unescape(raw))) } else { Self::Borrowed(raw) }
    }

    /// The value for whoever need not wipe it.
    pub(crate) fn into_cow(self) -> Cow<'t, str> {
        match self {
            Self::Borrowed(value) => Cow::Borrowed(value),
            Self::Owned(mut value) => Cow::Owned(core::mem::take(&mut *value)),
        }
    }
}

impl Deref for Unescaped<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(value) => value,
            Self::Owned(value) => value,
        }
    }
}

/// The value of an accepted literal's inside.
pub(super) fn unescape(raw: &str) -> String {
    let mut value = String::with_capacity(raw.len());
    unescape_into(raw, &mut value);
    value
}

/// The same, behind what is there: up to the end or the closing quote, whose place this gives.
pub(super) fn unescape_into(raw: &str, value: &mut String) -> usize {
    let bytes = raw.as_bytes();
    let mut at = 0;
    loop {
        let plain = skip_plain(bytes, at);
        value.push_str(raw.get(at..plain).unwrap_or_default());
        at = plain;
        // Where one escape follows another, there is nothing plain to look for.
        while bytes.get(at) == Some(&b'\\') {
            let short = if cfg!(feature = "small") { None } else { bytes.get(at + 1).copied().and_then(short_escape) };
            if let Some(character) = short {
                value.push(character);
                at += 2;
                continue;
            }
            let mut escape = Characters::new(raw.get(at..).unwrap_or_default());
            let Some(character) = escape.next() else { return at }; // which no literal that was accepted has
            value.push(character);
            at = raw.len() - escape.rest.len();
        }
        if bytes.get(at).is_none_or(|&byte| is_special(byte)) {
            return at;
        }
    }
}

/// What a letter behind a backslash stands for; nothing for the `u` of a code.
#[inline]
fn short_escape(letter: u8) -> Option<char> {
    Some(match letter {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return None,
        other => char::from(other),
    })
}

/// The characters that an accepted literal's inside stands for, up to its end or its closing quote.
#[derive(Clone)]
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
        if bytes.first() == Some(&b'"') {
            return None;
        }
        if bytes.first() != Some(&b'\\') {
            let character = self.rest.chars().next()?;
            self.skip(character.len_utf8());
            return Some(character);
        }
        let (character, length) = match short_escape(*bytes.get(1)?) {
            Some(character) => (character, 2),
            None => match (hex4(bytes, 2)?, hex4(bytes, 8)) {
                (high @ 0xd800..0xdc00, Some(low)) => {
                    (char::from_u32(0x10000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00))?, 12)
                }
                (unit, _) => (char::from_u32(unit)?, 6),
            },
        };
        self.skip(length);
        Some(character)
    }
}
