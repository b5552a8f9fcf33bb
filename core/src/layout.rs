//! The bytes inside the `encrypted` field, and the field's base64.
//!
//! ```text
//! versioned    0x02 │ nonce (24) │ tag (16) │ ciphertext (as long as the message)
//! bare                nonce (24) │ tag (16) │ ciphertext
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use core::str::FromStr;

use crate::wipe::Wiped;

use crate::base64;
use crate::digest::hex;
use crate::error::{Error, ErrorCode, Result, quoted};
use crate::secretbox::{NONCE_BYTES, Nonce, TAG_BYTES, Tag};

/// What stands before the nonce. Chosen by the caller, never guessed: a guess would be an oracle and a downgrade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Layout {
    /// A version byte, `0x02` (protocol: payload encryption page).
    #[default]
    Versioned,
    /// Nothing: plain secretbox output (protocol: overview).
    Bare,
}

impl Layout {
    /// `versioned` or `bare`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Versioned => "versioned",
            Self::Bare => "bare",
        }
    }

    /// Bytes before the ciphertext: 41 or 40.
    pub(crate) const fn header_bytes(self) -> usize {
        self.version().len() + NONCE_BYTES + TAG_BYTES
    }

    pub(crate) const fn version(self) -> &'static [u8] {
        match self {
            Self::Versioned => &[VERSION_BYTE],
            Self::Bare => &[],
        }
    }
}

impl FromStr for Layout {
    type Err = Error;

    /// # Errors
    /// `invalid_option` for any other name.
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "versioned" => Ok(Self::Versioned),
            "bare" => Ok(Self::Bare),
            _ => {
                let message = ["the layout ", &quoted(name), " is unknown: use `versioned` or `bare`"].concat();
                Err(Error::new(ErrorCode::InvalidOption, message))
            }
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const VERSION_BYTE: u8 = 0x02;

/// The one documented member of a body (protocol: overview).
pub(crate) const FIELD_NAME: &str = "encrypted";

/// What a body holds around its field: `{"encrypted":"…"}`.
pub(crate) const BODY_START: &str = "{\"encrypted\":\"";
pub(crate) const BODY_END: &str = "\"}";

/// Length of the HTTP body around a field.
pub(crate) const fn body_bytes(field_bytes: usize) -> usize {
    BODY_START.len() + field_bytes + BODY_END.len()
}

/// Length of the field that holds a message, or nothing where a `usize` cannot tell.
pub(crate) const fn field_bytes(layout: Layout, message_bytes: usize) -> Option<usize> {
    match layout.header_bytes().checked_add(message_bytes) {
        Some(bytes) => bytes.div_ceil(3).checked_mul(4),
        None => None,
    }
}

/// What is encoded at once, on the stack: whole groups, which stay in the fastest cache.
const CHUNK_BYTES: usize = 3 * 256;

/// Bytes that go under `encrypted`, encrypted but not yet base64.
///
/// They may stand anywhere in their buffer, so that a text can be encrypted where it was put together.
pub struct Encrypted {
    buffer: Vec<u8>,
    place: Range<usize>,
}

impl Encrypted {
    pub(crate) const fn new(buffer: Vec<u8>, place: Range<usize>) -> Self {
        Self { buffer, place }
    }

    /// The buffer, for another writer: no plaintext is left in it.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// The field: base64 alone.
    pub fn into_field(self) -> String {
        self.text("", "")
    }

    /// The HTTP body.
    pub fn into_body(self) -> String {
        self.body()
    }

    /// The HTTP body.
    pub(crate) fn body(&self) -> String {
        self.text(BODY_START, BODY_END)
    }

    /// Whether enough stands before the bytes that the body can be written over them.
    pub fn fits_in_place(&self) -> bool {
        self.place.start >= self.least_start()
    }

    /// As far behind as the whole text is longer than the bytes, no part of it reaches what is not read yet.
    fn least_start(&self) -> usize {
        self.body_bytes() - self.bytes().len()
    }

    /// The HTTP body, ASCII alone, written over what it is made of: in the same buffer, from its start on, while the bytes are
    /// read further behind. Where there [is no room](Self::fits_in_place) they are moved.
    pub fn into_body_in_place(self) -> Vec<u8> {
        let (size, least_start) = (self.body_bytes(), self.least_start());
        let Self { mut buffer, mut place } = self;
        if place.start < least_start {
            buffer.resize(buffer.len().max(size), 0);
            buffer.copy_within(place, least_start);
            place = least_start..size;
        }
        let mut chunk = [0; CHUNK_BYTES];
        let (mut from, mut to) = (place.start, BODY_START.len());
        while let Some(bytes) = buffer.get(from..place.end.min(from + CHUNK_BYTES))
            && let Some(taken) = chunk.get_mut(..bytes.len())
            && !taken.is_empty()
        {
            taken.copy_from_slice(bytes);
            let after = to + taken.len().div_ceil(3) * 4;
            base64::encode(taken, buffer.get_mut(to..after).unwrap_or_default());
            (from, to) = (from + taken.len(), after);
        }
        buffer.truncate(size);
        if let Some(start) = buffer.get_mut(..BODY_START.len()) {
            start.copy_from_slice(BODY_START.as_bytes());
        }
        if let Some(end) = buffer.get_mut(to..) {
            end.copy_from_slice(BODY_END.as_bytes());
        }
        buffer
    }

    /// Length of the field.
    pub fn field_bytes(&self) -> usize {
        self.bytes().len().div_ceil(3) * 4
    }

    /// Length of the HTTP body.
    pub fn body_bytes(&self) -> usize {
        body_bytes(self.field_bytes())
    }

    /// Hands on the field, ASCII alone, piece by piece.
    pub fn field_pieces(&self, take: impl FnMut(&[u8])) {
        self.pieces("", "", take);
    }

    /// Hands on the HTTP body, ASCII alone, piece by piece.
    pub fn body_pieces(&self, take: impl FnMut(&[u8])) {
        self.pieces(BODY_START, BODY_END, take);
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(self.place.clone()).unwrap_or_default()
    }

    /// Writes `start` ‖ base64 ‖ `end`, in one allocation.
    fn text(&self, start: &str, end: &str) -> String {
        let encoded = self.field_bytes();
        let mut text = Vec::with_capacity(start.len() + encoded + end.len());
        if cfg!(feature = "small") || self.bytes().len() <= CHUNK_BYTES {
            text.extend_from_slice(start.as_bytes());
            text.resize(start.len() + encoded, 0);
            base64::encode(self.bytes(), text.get_mut(start.len()..).unwrap_or_default());
            text.extend_from_slice(end.as_bytes());
        } else {
            self.pieces(start, end, |piece| text.extend_from_slice(piece));
        }
        String::from_utf8(text).unwrap_or_default()
    }

    /// Hands on `start` ‖ base64 ‖ `end`. To be encoded at once it would have to have a place that is zeroed before, which for a
    /// long one is one more way through memory.
    fn pieces(&self, start: &str, end: &str, mut take: impl FnMut(&[u8])) {
        take(start.as_bytes());
        let bytes = self.bytes();
        if bytes.len() <= CHUNK_BYTES {
            encode_chunks(bytes, &mut [0; CHUNK_BYTES / 3 * 4], &mut take);
        } else {
            encode_chunks(bytes, &mut [0; 8 * CHUNK_BYTES / 3 * 4], &mut take);
        }
        take(end.as_bytes());
    }
}

/// Encodes as many bytes at a time as there is room for in `text`.
fn encode_chunks(bytes: &[u8], text: &mut [u8], take: &mut impl FnMut(&[u8])) {
    for chunk in bytes.chunks(text.len() / 4 * 3) {
        let text = text.get_mut(..chunk.len().div_ceil(3) * 4).unwrap_or_default();
        base64::encode(chunk, text);
        take(text);
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encrypted({} bytes)", self.bytes().len())
    }
}

/// What stands where the field of a body does that has nothing else, not even a space.
pub(crate) fn field_alone(body: &[u8]) -> Option<&[u8]> {
    body.strip_prefix(BODY_START.as_bytes())?.strip_suffix(BODY_END.as_bytes())
}

/// A field taken apart: ready to decrypt where it stands.
pub(crate) struct Sealed {
    pub(crate) nonce: Nonce,
    pub(crate) tag: Tag,
    /// Exactly as long as the message; wiped when dropped, for it may have become plaintext.
    pub(crate) message: Wiped<Vec<u8>>,
}

/// Decodes a field strictly and takes it apart.
///
/// # Errors
/// `invalid_envelope` for anything but canonical, padded, standard base64 of at least a header; `unsupported_version`.
pub(crate) fn decode(layout: Layout, field: &[u8]) -> Result<Sealed> {
    // Whole groups of four characters that reach just beyond the header of either layout. Decoded by themselves, they
    // let the message land at the start of a buffer of its own, with no byte moved afterwards.
    let mut head = [0; HEAD_CHARACTERS / 4 * 3];
    let (first, rest) = field.split_at_checked(HEAD_CHARACTERS).ok_or_else(|| malformed(layout, field))?;
    let head_bytes = base64::decode(first, &mut head).ok_or_else(|| malformed(layout, field))?;
    if !rest.is_empty() && head_bytes < head.len() {
        return Err(malformed(layout, field)); // padding before the end
    }
    let head = head.get(..head_bytes).unwrap_or_default();
    let (header, start) = head.split_at_checked(layout.header_bytes()).ok_or_else(|| malformed(layout, field))?;

    let padding = rest.iter().rev().take_while(|&&byte| byte == b'=').count();
    let rest_bytes = (rest.len() / 4 * 3).saturating_sub(padding);
    let mut message = Wiped::new(Vec::with_capacity(start.len() + rest_bytes));
    message.extend_from_slice(start);
    message.resize(start.len() + rest_bytes, 0);
    let decoded = base64::decode(rest, message.get_mut(start.len()..).unwrap_or_default());
    if decoded != Some(rest_bytes) {
        return Err(malformed(layout, field));
    }

    let version = layout.version();
    let (nonce, tag) =
        header.get(version.len()..).and_then(<[u8]>::split_first_chunk).unwrap_or((&[0; NONCE_BYTES], &[]));
    if !header.starts_with(version) {
        let message = [
            "the envelope begins with 0x",
            &hex(header.get(..1).unwrap_or_default()),
            ", not 0x",
            &hex(version),
            ": it is another version or the layout `bare`, which the caller has to choose",
        ]
        .concat();
        return Err(Error::new(ErrorCode::UnsupportedVersion, message));
    }
    Ok(Sealed { nonce: *nonce, tag: tag.first_chunk().copied().unwrap_or_default(), message })
}

/// Whether a field decodes, to whatever version.
pub(crate) fn is_well_formed(layout: Layout, field: &[u8]) -> bool {
    decode(layout, field).map_or_else(|error| error.kind() == ErrorCode::UnsupportedVersion, |_| true)
}

/// The nonce in a field, whatever follows it.
pub(crate) fn nonce(layout: Layout, field: &[u8]) -> Option<Nonce> {
    let mut head = [0; HEAD_CHARACTERS / 4 * 3];
    base64::decode(field.get(..HEAD_CHARACTERS)?, &mut head)?;
    head.get(layout.version().len()..)?.first_chunk().copied()
}

const HEAD_CHARACTERS: usize = 56;
const _: () = assert!(HEAD_CHARACTERS / 4 * 3 >= Layout::Versioned.header_bytes());

/// Says what is wrong with a field that does not decode, as precisely as can be told cheaply.
#[cold]
fn malformed(layout: Layout, field: &[u8]) -> Error {
    let has = |set: &[u8]| field.iter().any(|byte| set.contains(byte));
    let unpadded = field.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1);
    let message = if field.is_empty() {
        "the `encrypted` field is empty"
    } else if has(b"-_") && !has(b"+/") {
        "the `encrypted` field uses the url-safe alphabet: use standard base64 with `+` and `/`"
    } else if has(b" \t\r\n") {
        "white space stands in the `encrypted` field: send the base64 in one piece"
    } else if has(b"\\") {
        "a backslash stands in the `encrypted` field: decode the JSON string first"
    } else if !field.iter().take(unpadded).all(|&byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/') {
        "the `encrypted` field holds a character outside standard base64"
    } else if !field.len().is_multiple_of(4) {
        "the `encrypted` field is cut or lacks its `=` padding: base64 comes in groups of four characters"
    } else if unpadded * 3 / 4 < layout.header_bytes() {
        "the `encrypted` field is too short to hold a nonce and a tag"
    } else {
        "the `encrypted` field is not canonical base64: wrong padding, or bits set that no byte uses"
    };
    Error::new(ErrorCode::InvalidEnvelope, message)
}
