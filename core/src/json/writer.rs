//! Puts JSON text together, value by value, where it is going to be encrypted.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::wipe::Wiped;

use super::MAX_DEPTH;
use super::copy::{copy_plain, copy_plain_words, copy_short};
use super::fault::{Fault, FaultKind};
use super::members::{Kind, Members};
use super::name::{NAME_ROOM, NameLiteral};
use super::reader::check_number;
use super::scan::{LONGEST_ESCAPE, escape, put_digits};
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
    buffer: Wiped<Vec<u8>>,
    /// Where the text ends. A comma follows every value at once, in the same step, and gives way to the bracket that ends
    /// what the value is in.
    end: usize,
    members: Members<2>,
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
        let buffer = Wiped::new(buffer);
        Self { buffer, end: ROOM, members: Members::new(PAYLOAD_MEMBERS), names_are_unique: true }
    }

    /// `null`.
    #[inline]
    pub fn null(&mut self) {
        self.word(b"null,", Kind::Null);
    }

    /// `true` or `false`.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        if value {
            self.word(b"true,", Kind::Boolean(true));
        } else {
            self.word(b"false,", Kind::Boolean(false));
        }
    }

    /// A whole number.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        let start = self.end;
        if value < 0 {
            self.push(b'-');
        }
        self.digits(value.unsigned_abs(), b',');
        self.value_written(Kind::Number, start);
    }

    /// A number of hundredths, with at least one digit behind the point: of -25 `-0.25`, of 150 `1.5`, of 200 `2.0`.
    #[inline]
    pub fn hundredths(&mut self, value: i64) {
        let start = self.end;
        if value < 0 {
            self.push(b'-');
        }
        let (whole, rest) = (value.unsigned_abs() / 100, value.unsigned_abs() % 100);
        self.digits(whole, b'.');
        let [tenths, hundredths] = [rest / 10, rest % 10].map(|digit| b'0' + digit as u8);
        if let Some(room) = self.room(3).first_chunk_mut() {
            let is_short = hundredths == b'0';
            *room = [tenths, if is_short { b',' } else { hundredths }, b','];
            self.end += if is_short { 2 } else { 3 };
        }
        self.value_written(Kind::Number, start);
    }

    /// A number by its token.
    ///
    /// # Errors
    /// What the reader says of a token that is none, too long, or beyond binary64.
    pub fn number(&mut self, token: &str) -> Result<(), Fault> {
        check_number(token)?;
        self.known_number(token.as_bytes());
        Ok(())
    }

    /// A string.
    #[inline]
    pub fn string(&mut self, value: &str) {
        let start = self.end;
        let escaped = self.literal(value, b',');
        self.value_written(Kind::String { escaped }, start);
    }

    /// What a value shows of itself, as a string.
    ///
    /// # Errors
    /// What it fails with.
    #[cfg(all(feature = "serde", feature = "std"))]
    pub(crate) fn display(&mut self, value: &(impl fmt::Display + ?Sized)) -> fmt::Result {
        let start = self.end;
        self.push(b'"');
        let mut pieces = Pieces { writer: self, escaped: false };
        fmt::write(&mut pieces, format_args!("{value}"))?;
        let escaped = pieces.escaped;
        self.push(b'"');
        self.push(b',');
        self.value_written(Kind::String { escaped }, start);
        Ok(())
    }

    /// A member's name; its value is what comes next.
    #[inline]
    pub fn name(&mut self, name: &str) {
        self.literal(name, b':');
        self.name_written(name);
    }

    /// The same with a name that has been made ready: it is copied, whatever its length.
    #[inline]
    pub fn name_again(&mut self, name: &NameLiteral) {
        let start = self.end;
        let (bytes, length) = name.bytes();
        if let Some(room) = self.room(NAME_ROOM).first_chunk_mut() {
            *room = bytes;
            self.end += length;
        }
        if self.members.depth() == 1 {
            self.root_name_again(start + 1..self.end - 2);
        }
    }

    #[inline(never)]
    fn root_name_again(&mut self, inside: Range<usize>) {
        let name = self.buffer.get(inside).unwrap_or_default();
        self.members.finder().member(|wanted| name == wanted.as_bytes());
    }

    /// A member's name that has no character to escape. Gives the caller's word for it: of what has one, the text is not
    /// strict.
    #[cfg(all(feature = "serde", feature = "std"))]
    #[inline]
    pub(crate) fn plain_name(&mut self, name: &str) {
        debug_assert!(!name.bytes().any(super::scan::is_special), "the name is plain");
        if let [open, inside @ .., close, colon] = self.room(name.len() + 3) {
            (*open, *close, *colon) = (b'"', b'"', b':');
            copy_short(name.as_bytes(), inside);
            self.end += name.len() + 3;
        }
        self.name_written(name);
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
    pub(crate) fn known_number(&mut self, token: &[u8]) {
        let start = self.end;
        if let [inside @ .., comma] = self.room(token.len() + 1) {
            *comma = b',';
            copy_short(token, inside);
            self.end += token.len() + 1;
        }
        self.value_written(Kind::Number, start);
    }

    /// Text as it is: the reader will look at all of it.
    #[cfg(all(feature = "serde", feature = "std"))]
    pub(crate) fn raw(&mut self, text: &[u8]) {
        self.distrust_names();
        self.room(text.len()).copy_from_slice(text);
        self.end += text.len();
    }

    /// The text so far.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default() // what went in was text
    }

    /// The text so far, as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.buffer.get(self.place()).unwrap_or_default()
    }

    /// What the rules depend on, unless only the reader can tell.
    pub(crate) fn members(&self) -> Option<Members<2>> {
        (self.is_whole() && self.names_are_unique && u32::try_from(self.end).is_ok()).then(|| self.members.clone())
    }

    /// The text in its buffer, and where it begins and ends.
    pub(crate) fn into_buffer(self) -> (Wiped<Vec<u8>>, Range<usize>) {
        let place = self.place();
        (self.buffer, place)
    }

    /// Whether the root's value has been written.
    const fn is_whole(&self) -> bool {
        self.members.depth() == 0 && self.members.root().is_some()
    }

    fn place(&self) -> Range<usize> {
        ROOM..self.end - usize::from(self.is_whole()) // without the comma behind the value
    }

    #[inline]
    fn word<const N: usize>(&mut self, word: &[u8; N], kind: Kind) {
        let start = self.end;
        if let Some(room) = self.room(N).first_chunk_mut() {
            *room = *word;
            self.end += N;
        }
        self.value_written(kind, start);
    }

    #[inline]
    fn begin(&mut self, bracket: u8, kind: Kind) -> Result<(), Fault> {
        if self.members.depth() == MAX_DEPTH {
            return Err(Fault::new(FaultKind::Depth, self.end - ROOM));
        }
        self.forbid_second_root();
        self.members.finder().begin(kind, self.end - ROOM);
        self.push(bracket);
        Ok(())
    }

    #[inline]
    fn finish(&mut self, bracket: u8) {
        if self.buffer.get(self.end - 1) == Some(&b',') {
            self.end -= 1;
        }
        if let Some(room) = self.room(2).first_chunk_mut() {
            *room = [bracket, b','];
            self.end += 2;
        }
        let end = self.end - 1 - ROOM;
        self.members.finder().end(end);
    }

    #[inline]
    fn name_written(&mut self, name: &str) {
        if self.members.depth() == 1 {
            self.members.finder().member(|wanted| name == wanted);
        }
    }

    /// The rules look no deeper than at the root's members.
    #[inline]
    fn value_written(&mut self, kind: Kind, start: usize) {
        if self.members.depth() <= 1 {
            self.forbid_second_root();
            let span = start - ROOM..self.end - 1 - ROOM;
            self.members.finder().value(kind, span);
        }
    }

    /// A second value at the root: the reader shall say so.
    #[inline]
    fn forbid_second_root(&mut self) {
        if self.is_whole() {
            self.distrust_names();
        }
    }

    /// Writes a number's digits and what follows them.
    #[inline(always)]
    fn digits(&mut self, number: u64, next: u8) {
        // With as many zeros behind the digits as there may be digits: any 21 bytes from the first digit on are there.
        let mut digits = [0; 40];
        if let Some((first, [after, ..])) = digits.split_first_chunk_mut::<20>() {
            *after = next;
            let count = put_digits(number, first);
            let digits = digits.get(20 - count..).and_then(<[u8]>::first_chunk::<21>);
            if let (Some(digits), Some(room)) = (digits, self.room(21).first_chunk_mut()) {
                *room = *digits;
                self.end += count + 1;
            }
        }
    }

    /// Writes a string literal and what follows it, and says whether an escape stands in it.
    #[inline(always)]
    fn literal(&mut self, value: &str, next: u8) -> bool {
        let [open, inside @ .., close, after] = self.room(value.len() + 3) else { return false };
        (*open, *close, *after) = (b'"', b'"', next);
        let plain = copy_plain(value.as_bytes(), inside);
        if plain == value.len() {
            self.end += plain + 3;
            return false;
        }
        self.end += 1 + plain;
        self.escaped(value.as_bytes(), plain);
        self.push(b'"');
        self.push(next);
        true
    }

    /// The rest of a literal's inside from its first special byte on, which is at `at`.
    #[inline(never)]
    fn escaped(&mut self, value: &[u8], mut at: usize) {
        while let Some(&special) = value.get(at) {
            at += 1;
            let room = self.room(ESCAPE_ROOM + value.len() - at);
            let (escape, length) = ESCAPES.get(usize::from(special)).unwrap_or(&ESCAPES[0]);
            let Some((slot, _)) = room.split_first_chunk_mut() else { return };
            *slot = *escape;
            let plain =
                copy_plain_words(value.get(at..).unwrap_or_default(), room.get_mut(*length..).unwrap_or_default(), 0);
            at += plain;
            self.end += *length + plain;
        }
    }

    /// Appends a byte.
    #[inline(always)]
    fn push(&mut self, byte: u8) {
        if let [slot] = self.room(1) {
            *slot = byte;
            self.end += 1;
        }
    }

    /// So many bytes behind the text. Where there are not as many, the buffer is wiped and makes way for a larger one.
    #[inline(always)]
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.buffer.len() - self.end < bytes {
            self.grow(bytes);
        }
        let room = self.buffer.split_at_mut_checked(self.end).and_then(|(_, rest)| rest.get_mut(..bytes));
        debug_assert!(room.is_some(), "room has been made");
        room.unwrap_or_default()
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, bytes: usize) {
        let length = self.buffer.len();
        // Quickly while it costs little, by half where it is what a process is measured by.
        let size = if length < 1 << 16 { 4 * length } else { length + length / 2 };
        let size = size.max(self.end + bytes + 16);
        let mut larger = Wiped::new(vec![0; size]);
        if let (Some(to), Some(from)) = (larger.get_mut(..self.end), self.buffer.get(..self.end)) {
            to.copy_from_slice(from);
        }
        self.buffer = larger;
    }
}

/// What is written for a special byte at once: its escape, and zeros.
const ESCAPE_ROOM: usize = 8;

/// The escapes of bytes up to the backslash, and how long they are.
static ESCAPES: [([u8; ESCAPE_ROOM], usize); 0x5d] = {
    let mut escapes = [([0; ESCAPE_ROOM], 0); 0x5d];
    let mut byte = 0;
    while byte < escapes.len() {
        let (short, length) = escape(byte as u8);
        let mut at = 0;
        while at < LONGEST_ESCAPE {
            escapes[byte].0[at] = short[at];
            at += 1;
        }
        escapes[byte].1 = length;
        byte += 1;
    }
    escapes
};

/// A literal that comes in pieces.
#[cfg(all(feature = "serde", feature = "std"))]
struct Pieces<'w> {
    writer: &'w mut Writer,
    escaped: bool,
}

#[cfg(all(feature = "serde", feature = "std"))]
impl fmt::Write for Pieces<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let plain = copy_plain(piece.as_bytes(), self.writer.room(piece.len()));
        self.writer.end += plain;
        if plain < piece.len() {
            self.escaped = true;
            self.writer.escaped(piece.as_bytes(), plain);
        }
        Ok(())
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({} bytes)", self.as_bytes().len())
    }
}

/// As many bytes as a header and a stamp may take.
const ROOM: usize = Layout::Versioned.header_bytes() + Edit::MAX_GROWTH;
