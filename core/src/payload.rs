//! What a request payload has to be, and the stamp that sealing puts into it.

#[cfg(feature = "writer")]
use alloc::{string::String, vec::Vec};
#[cfg(feature = "writer")]
use core::ops::Range;

use crate::error::{Error, ErrorCode, Result};
#[cfg(feature = "writer")]
use crate::json::Writer;
use crate::json::{self, Fault, Found, Kind, Members, Unescaped};
use crate::layout::FIELD_NAME;
#[cfg(feature = "writer")]
use crate::layout::Layout;
use crate::timestamp::{self, Timestamp};
#[cfg(feature = "writer")]
use crate::wipe::Wiped;

/// The member that every request payload carries (protocol: overview).
pub(crate) const REQUEST_TIMESTAMP: &str = "request_timestamp";

/// A request payload that keeps the rules: a strict JSON object, not sealed yet, its stamp well formed if there is one.
///
/// ```
/// use cardseal::Payload;
/// let payload = Payload::parse(r#" {"request_timestamp": "1700000000000000", "card_id": "card_abc123"} "#)?;
/// assert_eq!(payload.timestamp().unwrap().as_micros(), 1_700_000_000_000_000);
/// assert_eq!(Payload::parse(r#"{"amount": 1, "amount": 2}"#).unwrap_err().code(), "invalid_payload");
/// # Ok::<(), cardseal::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Payload<'j> {
    text: &'j str,
    timestamp: Option<Timestamp>,
}

impl<'j> Payload<'j> {
    /// Checks a JSON text.
    ///
    /// # Errors
    /// `invalid_payload`, `already_sealed`, `invalid_timestamp`, in this order.
    pub fn parse(json: &'j str) -> Result<Self> {
        let text = json::trim(json);
        let timestamp = Object::of(text.as_bytes(), read_unsealed(text)?)?.timestamp()?;
        Ok(Self { text, timestamp })
    }

    /// The text without the white space around it.
    pub const fn as_str(&self) -> &'j str {
        self.text
    }

    /// The stamp, if there is one.
    pub const fn timestamp(&self) -> Option<Timestamp> {
        self.timestamp
    }
}

impl core::fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Payload").field("bytes", &self.text.len()).field("timestamp", &self.timestamp).finish()
    }
}

/// JSON text to be sealed: as the caller gave it, or as a binding's writer put it together.
#[derive(Debug)]
pub enum JsonText<'j> {
    /// Text of which nothing is known.
    Given(&'j str),
    /// Text of which nothing is known, in a buffer where it can be encrypted.
    #[cfg(feature = "writer")]
    Placed(Placed),
    /// Text that the writer knows to be strict JSON, in a buffer where it can be encrypted.
    #[cfg(feature = "writer")]
    Written(Writer),
}

impl<'j> From<&'j str> for JsonText<'j> {
    fn from(json: &'j str) -> Self {
        Self::Given(json)
    }
}

#[cfg(feature = "writer")]
impl From<Placed> for JsonText<'_> {
    fn from(placed: Placed) -> Self {
        Self::Placed(placed)
    }
}

#[cfg(feature = "writer")]
impl From<Writer> for JsonText<'_> {
    fn from(writer: Writer) -> Self {
        Self::Written(writer)
    }
}

impl JsonText<'_> {
    /// Without the white space around it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Given(json) => json::trim(json).as_bytes(),
            #[cfg(feature = "writer")]
            Self::Placed(placed) => json::trim(placed.as_str()).as_bytes(),
            #[cfg(feature = "writer")]
            Self::Written(writer) => writer.as_bytes(),
        }
    }

    /// Finds what the rules depend on, in any JSON value that is not sealed yet.
    pub(crate) fn read_unsealed(&self) -> Result<Members<2>> {
        match self {
            Self::Given(json) => read_unsealed(json::trim(json)),
            #[cfg(feature = "writer")]
            Self::Placed(placed) => read_unsealed(json::trim(placed.as_str())),
            #[cfg(feature = "writer")]
            Self::Written(writer) => writer.members().map_or_else(|| read_unsealed(writer.as_str()), unsealed),
        }
    }

    /// The same in an object.
    pub(crate) fn read_object(&self) -> Result<Object<'_>> {
        Object::of(self.as_bytes(), self.read_unsealed()?)
    }
}

/// JSON text behind room for a header and an edit. Wiped when dropped, unless it was encrypted.
#[cfg(feature = "writer")]
pub struct Placed {
    buffer: Wiped<String>,
    start: usize,
}

#[cfg(feature = "writer")]
impl Placed {
    /// How much has to stand before the text, whatever it is: it is written over.
    pub const ROOM: usize = Layout::Versioned.header_bytes() + Edit::MAX_GROWTH;

    /// Takes a buffer over in which the text begins at `start`.
    pub fn new(buffer: String, start: usize) -> Self {
        Self { buffer: Wiped::new(buffer), start }
    }

    fn as_str(&self) -> &str {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// The buffer, and where the text without outer white space stands in it.
    pub(crate) fn into_buffer(mut self) -> (Wiped<Vec<u8>>, Range<usize>) {
        let text = self.as_str();
        let trimmed = json::trim(text);
        let start = self.start + (trimmed.as_ptr().addr() - text.as_ptr().addr());
        let end = start + trimmed.len();
        (Wiped::new(core::mem::take(&mut *self.buffer).into_bytes()), start..end)
    }
}

#[cfg(feature = "writer")]
impl core::fmt::Debug for Placed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Placed({} bytes)", self.as_str().len())
    }
}

/// A payload about to be sealed: its text and where its stamp stands.
pub(crate) struct Object<'j> {
    text: &'j [u8],
    is_empty: bool,
    stamp: Option<Found>,
}

impl<'j> Object<'j> {
    fn of(text: &'j [u8], members: Members<2>) -> Result<Self> {
        if !members.is_object() {
            return Err(not_an_object());
        }
        let [stamp, _] = members.found();
        Ok(Self { text, is_empty: members.count() == 0, stamp: stamp.clone() })
    }

    /// The stamp, if there is one.
    pub(crate) fn timestamp(&self) -> Result<Option<Timestamp>> {
        let parse = |Found { kind, span }: &Found| {
            let raw = self.text.get(span.clone()).and_then(|raw| core::str::from_utf8(raw).ok());
            parse_stamp(*kind, raw.unwrap_or_default())
        };
        self.stamp.as_ref().map(parse).transpose()
    }

    /// What makes a stamp the first member, unless there is one; a stamp that is there has to be well formed.
    pub(crate) fn stamped(&self, stamp: impl FnOnce() -> Result<Timestamp>) -> Result<Edit> {
        Ok(if self.timestamp()?.is_some() { Edit::NONE } else { self.with_first_member(stamp()?) })
    }

    /// What makes `stamp` the only stamp, in the place of the one that was there, whatever that was.
    pub(crate) fn restamped(&self, stamp: Timestamp) -> Edit {
        let Some(Found { span, .. }) = &self.stamp else { return self.with_first_member(stamp) };
        Edit { at: span.start, removed: span.len(), inserted: Inserted::new("", stamp, "") }
    }

    fn with_first_member(&self, stamp: Timestamp) -> Edit {
        Edit { at: 1, removed: 0, inserted: Inserted::new(STAMP_NAME, stamp, if self.is_empty { "" } else { "," }) }
    }
}

/// Reads any JSON value that is not sealed yet, and finds its stamp.
pub(crate) fn read_unsealed(text: &str) -> Result<Members<2>> {
    let mut members = Members::new(PAYLOAD_MEMBERS);
    json::read(text, &mut members.finder()).map_err(|fault| invalid_payload(&fault))?;
    unsealed(members)
}

/// What decides about a payload to be sealed.
pub(crate) const PAYLOAD_MEMBERS: [&str; 2] = [REQUEST_TIMESTAMP, FIELD_NAME];

fn unsealed(members: Members<2>) -> Result<Members<2>> {
    if let [_, Some(Found { kind: Kind::String { .. }, .. })] = members.found()
        && members.count() == 1
    {
        return Err(Error::new(
            ErrorCode::AlreadySealed,
            "the payload is a sealed body already: hand in the plain object, and seal it once",
        ));
    }
    Ok(members)
}

/// The error for a payload that is JSON but no object.
pub(crate) fn not_an_object() -> Error {
    Error::new(ErrorCode::InvalidPayload, "the payload is no JSON object: put its fields into one, at the root")
}

pub(crate) fn invalid_payload(fault: &Fault) -> Error {
    Error::new(ErrorCode::InvalidPayload, ["the payload is not strict JSON: ", &fault.description()].concat())
}

/// The stamp's grammar: an integer token or a string of digits (SPEC: timestamps). `raw` is the value as it stands.
pub(crate) fn parse_stamp(kind: Kind, raw: &str) -> Result<Timestamp> {
    let digits = match kind {
        Kind::Number => Some(Unescaped::Borrowed(raw)),
        _ => Found { kind, span: 0..raw.len() }.string(raw),
    };
    digits.and_then(|digits| Timestamp::from_digits(&digits)).ok_or_else(|| {
        timestamp::malformed(match kind {
            Kind::Null => "a `request_timestamp` of null",
            Kind::Boolean(_) => "a `request_timestamp` that is true or false",
            Kind::Number => "a `request_timestamp` with a sign, a fraction, an exponent or too many digits",
            Kind::String { .. } => "a `request_timestamp` that is such a string",
            Kind::Array => "a `request_timestamp` that is an array",
            Kind::Object => "a `request_timestamp` that is an object",
        })
    })
}

/// A change to a text on its way into the cipher: at `at`, so many bytes give way to others.
pub(crate) struct Edit {
    at: usize,
    removed: usize,
    inserted: Inserted,
}

impl Edit {
    pub(crate) const NONE: Self =
        Self { at: 0, removed: 0, inserted: Inserted { bytes: [0; Inserted::CAPACITY], length: 0 } };

    /// By how many bytes a text can grow.
    #[cfg(feature = "writer")]
    pub(crate) const MAX_GROWTH: usize = Inserted::CAPACITY;

    /// The text with the change, in pieces.
    pub(crate) fn pieces<'j>(&'j self, text: &'j [u8]) -> [&'j [u8]; 3] {
        let (before, rest) = text.split_at_checked(self.at).unwrap_or_default();
        [before, self.inserted.as_bytes(), rest.get(self.removed..).unwrap_or_default()]
    }

    /// Changes the text that begins at `start` of a buffer, by moving what stands before the change. Gives the new start,
    /// or nothing where the buffer has no room before the old one.
    #[cfg(feature = "writer")]
    pub(crate) fn apply(&self, buffer: &mut [u8], start: usize) -> Option<usize> {
        let inserted = self.inserted.as_bytes();
        let new_start = (start + self.removed).checked_sub(inserted.len())?;
        let change = new_start + self.at;
        if buffer.len() < start + self.at + self.removed {
            return None;
        }
        buffer.copy_within(start..start + self.at, new_start);
        buffer.get_mut(change..change + inserted.len())?.copy_from_slice(inserted);
        Some(new_start)
    }
}

/// The stamp as it is inserted, without an allocation of its own.
struct Inserted {
    bytes: [u8; Self::CAPACITY],
    length: usize,
}

impl Inserted {
    /// The name, the digits, a comma.
    const CAPACITY: usize = STAMP_NAME.len() + MAX_STAMP_DIGITS + 1;

    fn new(before: &str, stamp: Timestamp, after: &str) -> Self {
        let mut inserted = Self { bytes: [0; Self::CAPACITY], length: 0 };
        inserted.push(before.as_bytes());
        let mut digits = [0; 20];
        let first = digits.len() - json::put_digits(stamp.as_micros(), &mut digits);
        inserted.push(digits.get(first..).unwrap_or_default());
        inserted.push(after.as_bytes());
        inserted
    }

    fn push(&mut self, piece: &[u8]) {
        let end = self.length + piece.len();
        if let Some(slot) = self.bytes.get_mut(self.length..end) {
            slot.copy_from_slice(piece);
            self.length = end;
        }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The stamp's member but for its value.
const STAMP_NAME: &str = "\"request_timestamp\":";

/// As many as [`Timestamp::MAX`] has.
const MAX_STAMP_DIGITS: usize = 19;
