//! Puts JSON text together, value by value, where it is going to be encrypted.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use zeroize::Zeroizing;

use super::MAX_DEPTH;
use super::copy::copy_plain;
use super::fault::{Fault, FaultKind};
use super::members::{Kind, Members};
use super::reader::check_number;
use super::scan::{write_character, write_digits};
use crate::layout::Layout;
use crate::payload::{Edit, PAYLOAD_MEMBERS};

/// Writes one JSON value for a binding that walks its language's objects.
///
/// The calls come in the order of the text: for an object [`begin_object`](Self::begin_object), then
/// [`name`](Self::name) and a value for each member, then [`end_object`](Self::end_object). What comes out is what the
/// strict reader accepts, without a second pass, as long as no object got a name twice: a caller that cannot be sure
/// says so with [`distrust_names`](Self::distrust_names), and the text is read after all.
pub struct Writer {
    /// Room for a header and an edit, then the text, then whatever was there. Wiped when it is outgrown or dropped.
    buffer: Zeroizing<Vec<u8>>,
    /// Where the text ends.
    end: usize,
    members: Members<2>,
    depth: usize,
    /// Whether something stands at this level that a comma has to follow.
    needs_comma: bool,
    names_are_unique: bool,
}

impl Writer {
    /// A writer with room for a text of about `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self::with_buffer(vec![0; ROOM + bytes])
    }

    /// A writer over a buffer that has served before, whatever is in it.
    pub fn with_buffer(mut buffer: Vec<u8>) -> Self {
        if buffer.len() < ROOM {
            buffer.resize(ROOM, 0);
        }
        let buffer = Zeroizing::new(buffer);
        let members = Members::new(PAYLOAD_MEMBERS);
        Self { buffer, end: ROOM, members, depth: 0, needs_comma: false, names_are_unique: true }
    }

    /// `null`.
    #[inline]
    pub fn null(&mut self) {
        self.word("null", Kind::Null);
    }

    /// `true` or `false`.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        self.word(if value { "true" } else { "false" }, Kind::Boolean(value));
    }

    /// A whole number.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        let mut digits = [0; 20];
        let digits = write_digits(value.unsigned_abs(), &mut digits);
        self.reserve(digits.len() + 2);
        let start = self.begin_value();
        if value < 0 {
            self.push(b'-');
        }
        self.push_str(digits);
        self.end_value(Kind::Number, start);
    }

    /// A number by its token.
    ///
    /// # Errors
    /// What the reader says of a token that is none, too long, or beyond binary64.
    pub fn number(&mut self, token: &str) -> Result<(), Fault> {
        check_number(token)?;
        self.word(token, Kind::Number);
        Ok(())
    }

    /// A string.
    #[inline]
    pub fn string(&mut self, value: &str) {
        self.reserve(value.len() + 3);
        let start = self.begin_value();
        let escaped = self.literal(value);
        self.end_value(Kind::String { escaped }, start);
    }

    /// What a value shows of itself, as a string.
    ///
    /// # Errors
    /// What it fails with.
    #[cfg(all(feature = "serde", feature = "std"))]
    pub(crate) fn display(&mut self, value: &(impl fmt::Display + ?Sized)) -> fmt::Result {
        self.reserve(3); // both quotes too: there may be no piece
        let start = self.begin_value();
        self.push(b'"');
        let mut pieces = Pieces { writer: self, escaped: false };
        fmt::write(&mut pieces, format_args!("{value}"))?;
        let escaped = pieces.escaped;
        self.push(b'"');
        self.end_value(Kind::String { escaped }, start);
        Ok(())
    }

    /// A member's name; its value is what comes next.
    #[inline]
    pub fn name(&mut self, name: &str) {
        self.reserve(name.len() + 4);
        self.comma();
        self.literal(name);
        self.push(b':');
        self.needs_comma = false;
        self.members.finder().member(|wanted| name == wanted);
    }

    /// `[`
    ///
    /// # Errors
    /// [`FaultKind::Depth`]
    #[inline]
    pub fn begin_array(&mut self) -> Result<(), Fault> {
        self.begin(b'[', Kind::Array)
    }

    /// `]`
    #[inline]
    pub fn end_array(&mut self) {
        self.finish(b']');
    }

    /// `{`
    ///
    /// # Errors
    /// [`FaultKind::Depth`]
    #[inline]
    pub fn begin_object(&mut self) -> Result<(), Fault> {
        self.begin(b'{', Kind::Object)
    }

    /// `}`
    #[inline]
    pub fn end_object(&mut self) {
        self.finish(b'}');
    }

    /// Says that an object may have got a name twice: the reader will look.
    #[inline]
    pub fn distrust_names(&mut self) {
        self.names_are_unique = false;
    }

    /// A number by a token that is known to keep the rules.
    #[cfg(all(feature = "serde", feature = "std"))]
    pub(crate) fn known_number(&mut self, token: &[u8]) {
        self.reserve(token.len() + 1);
        let start = self.begin_value();
        self.push_bytes(token);
        self.end_value(Kind::Number, start);
    }

    /// Text as it is: the reader will look at all of it.
    #[cfg(all(feature = "serde", feature = "std"))]
    pub(crate) fn raw(&mut self, text: &[u8]) {
        self.distrust_names();
        self.reserve(text.len());
        self.push_bytes(text);
    }

    /// The text so far.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default() // what went in was text
    }

    /// The text so far, as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.get(ROOM..self.end).unwrap_or_default()
    }

    /// What the rules depend on, unless only the reader can tell.
    pub(crate) fn members(&self) -> Option<Members<2>> {
        let is_complete = self.depth == 0 && self.members.root().is_some() && u32::try_from(self.end).is_ok();
        (is_complete && self.names_are_unique).then(|| self.members.clone())
    }

    /// The text in its buffer, and where it begins and ends.
    pub(crate) fn into_buffer(self) -> (Zeroizing<Vec<u8>>, Range<usize>) {
        (self.buffer, ROOM..self.end)
    }

    #[inline]
    fn word(&mut self, word: &str, kind: Kind) {
        self.reserve(word.len() + 1);
        let start = self.begin_value();
        self.push_str(word);
        self.end_value(kind, start);
    }

    #[inline]
    fn begin(&mut self, bracket: u8, kind: Kind) -> Result<(), Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::new(FaultKind::Depth, self.at()));
        }
        self.depth += 1;
        self.reserve(2);
        let start = self.begin_value();
        self.members.finder().begin(kind, start);
        self.push(bracket);
        Ok(())
    }

    #[inline]
    fn finish(&mut self, bracket: u8) {
        self.reserve(1);
        self.push(bracket);
        self.depth = self.depth.saturating_sub(1);
        let end = self.at();
        self.members.finder().end(end);
        self.needs_comma = true;
    }

    /// Gives the place where the value begins.
    #[inline]
    fn begin_value(&mut self) -> usize {
        self.comma();
        self.needs_comma = false;
        self.at()
    }

    #[inline]
    fn end_value(&mut self, kind: Kind, start: usize) {
        let end = self.at();
        self.members.finder().value(kind, start..end);
        self.needs_comma = true;
    }

    #[inline]
    fn comma(&mut self) {
        if self.needs_comma {
            self.push(b',');
            if self.depth == 0 {
                self.distrust_names(); // a second value at the root: the reader shall say so
            }
        }
    }

    #[inline]
    fn at(&self) -> usize {
        self.end - ROOM
    }

    /// Writes a string literal, and says whether an escape stands in it.
    #[inline(always)]
    fn literal(&mut self, value: &str) -> bool {
        let literal = self.buffer.get_mut(self.end..self.end + value.len() + 2);
        debug_assert!(literal.is_some(), "room is made before");
        let Some([open, inside @ .., close]) = literal else { return false };
        *open = b'"';
        *close = b'"';
        let plain = copy_plain(value.as_bytes(), inside);
        self.end += 1 + plain;
        let escaped = plain < value.len();
        if escaped {
            self.escaped(value.get(plain..).unwrap_or_default());
            self.push(b'"');
        } else {
            self.end += 1;
        }
        escaped
    }

    /// The rest of a literal from its first special character on.
    #[inline(never)]
    fn escaped(&mut self, mut rest: &str) {
        while let Some(special) = rest.chars().next() {
            // Six bytes for the longest escape, and what follows the literal.
            self.reserve(rest.len() + 6 + 2);
            write_character(special, |piece| self.push_str(piece));
            rest = rest.get(special.len_utf8()..).unwrap_or_default();
            let plain = copy_plain(rest.as_bytes(), self.buffer.get_mut(self.end..).unwrap_or_default());
            self.end += plain;
            rest = rest.get(plain..).unwrap_or_default();
        }
    }

    /// Appends a byte for which there is room.
    #[inline(always)]
    fn push(&mut self, byte: u8) {
        debug_assert!(self.end < self.buffer.len(), "room is made before");
        if let Some(slot) = self.buffer.get_mut(self.end) {
            *slot = byte;
            self.end += 1;
        }
    }

    /// Appends text for which there is room.
    #[inline(always)]
    fn push_str(&mut self, text: &str) {
        self.push_bytes(text.as_bytes());
    }

    /// Appends bytes of text for which there is room.
    #[inline(always)]
    fn push_bytes(&mut self, text: &[u8]) {
        debug_assert!(text.len() <= self.buffer.len() - self.end, "room is made before");
        if let Some(slot) = self.buffer.get_mut(self.end..self.end + text.len()) {
            slot.copy_from_slice(text);
            self.end += text.len();
        }
    }

    /// Makes room for so many bytes, and wipes the buffer that was too small.
    #[inline(always)]
    fn reserve(&mut self, bytes: usize) {
        if self.buffer.len() - self.end < bytes {
            self.grow(bytes);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, bytes: usize) {
        let length = self.buffer.len();
        // Quickly while it costs little, by half where it is what a process is measured by.
        let size = if length < 1 << 16 { 4 * length } else { length + length / 2 };
        let size = size.max(self.end + bytes + 16);
        let mut larger = Zeroizing::new(vec![0; size]);
        if let (Some(to), Some(from)) = (larger.get_mut(..self.end), self.buffer.get(..self.end)) {
            to.copy_from_slice(from);
        }
        self.buffer = larger;
    }
}

/// A literal that comes in pieces.
#[cfg(all(feature = "serde", feature = "std"))]
struct Pieces<'w> {
    writer: &'w mut Writer,
    escaped: bool,
}

#[cfg(all(feature = "serde", feature = "std"))]
impl fmt::Write for Pieces<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        self.writer.reserve(piece.len() + 2); // and what follows the literal
        let plain = copy_plain(piece.as_bytes(), self.writer.buffer.get_mut(self.writer.end..).unwrap_or_default());
        self.writer.end += plain;
        if plain < piece.len() {
            self.escaped = true;
            self.writer.escaped(piece.get(plain..).unwrap_or_default());
        }
        Ok(())
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({} bytes)", self.at())
    }
}

/// As many bytes as a header and a stamp may take.
const ROOM: usize = Layout::Versioned.header_bytes() + Edit::MAX_GROWTH;
