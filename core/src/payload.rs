//! What a request payload has to be, and the stamp that sealing puts into it.

use alloc::format;

use crate::error::{Error, ErrorCode, Result};
use crate::json::{self, Fault, Found, Kind, Members, Unescaped};
use crate::layout::FIELD_NAME;
use crate::timestamp::{self, Timestamp};

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
        let object = Object::read(json)?;
        let timestamp = object.timestamp()?;
        Ok(Self { text: object.text, timestamp })
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

/// A payload about to be sealed: its text and where its stamp stands.
pub(crate) struct Object<'j> {
    pub(crate) text: &'j str,
    is_empty: bool,
    stamp: Option<Found>,
}

impl<'j> Object<'j> {
    /// Reads an object that is not sealed yet.
    pub(crate) fn read(json: &'j str) -> Result<Self> {
        let text = json::trim(json);
        let members = read_unsealed(text)?;
        if !members.is_object() {
            return Err(not_an_object());
        }
        let [stamp, _] = members.found();
        Ok(Self { text, is_empty: members.count() == 0, stamp: stamp.clone() })
    }

    /// The stamp, if there is one.
    pub(crate) fn timestamp(&self) -> Result<Option<Timestamp>> {
        self.stamp.as_ref().map(|found| parse_stamp(found, self.text)).transpose()
    }

    /// The text with a stamp as its first member, unless it has one; a stamp that is there has to be well formed.
    pub(crate) fn stamped(self, stamp: impl FnOnce() -> Result<Timestamp>) -> Result<Draft<'j>> {
        Ok(if self.timestamp()?.is_some() { Draft::verbatim(self.text) } else { self.with_first_member(stamp()?) })
    }

    /// The text with `stamp` as its only stamp, in the place of the one that was there, whatever that was.
    pub(crate) fn restamped(self, stamp: Timestamp) -> Draft<'j> {
        let Some(Found { span, .. }) = &self.stamp else { return self.with_first_member(stamp) };
        Draft {
            before: self.text.get(..span.start).unwrap_or_default(),
            inserted: Inserted::new("", stamp, ""),
            after: self.text.get(span.end..).unwrap_or_default(),
        }
    }

    fn with_first_member(&self, stamp: Timestamp) -> Draft<'j> {
        let (before, after) = self.text.split_at_checked(1).unwrap_or_default();
        Draft { before, inserted: Inserted::new(STAMP_NAME, stamp, if self.is_empty { "" } else { "," }), after }
    }
}

/// Reads any JSON value that is not sealed yet, and finds its stamp.
pub(crate) fn read_unsealed(text: &str) -> Result<Members<2>> {
    let mut members = Members::new([REQUEST_TIMESTAMP, FIELD_NAME]);
    json::read(text, &mut members).map_err(|fault| invalid_payload(&fault))?;
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
    Error::new(ErrorCode::InvalidPayload, format!("the payload is not strict JSON: {fault}"))
}

/// The stamp's grammar: an integer token or a string of digits (SPEC: timestamps).
pub(crate) fn parse_stamp(found: &Found, text: &str) -> Result<Timestamp> {
    let digits = match found.kind {
        Kind::Number => Some(Unescaped::Borrowed(found.raw(text))),
        _ => found.string(text),
    };
    digits.and_then(|digits| Timestamp::from_digits(&digits)).ok_or_else(|| {
        timestamp::malformed(match found.kind {
            Kind::Null => "a `request_timestamp` of null",
            Kind::Boolean(_) => "a `request_timestamp` that is true or false",
            Kind::Number => "a `request_timestamp` with a sign, a fraction, an exponent or too many digits",
            Kind::String { .. } => "a `request_timestamp` that is such a string",
            Kind::Array => "a `request_timestamp` that is an array",
            Kind::Object => "a `request_timestamp` that is an object",
        })
    })
}

/// A text to be sealed, in the pieces it is put together from.
pub(crate) struct Draft<'j> {
    before: &'j str,
    inserted: Inserted,
    after: &'j str,
}

impl<'j> Draft<'j> {
    pub(crate) const fn verbatim(text: &'j str) -> Self {
        Self { before: text, inserted: Inserted { bytes: [0; Inserted::CAPACITY], length: 0 }, after: "" }
    }

    pub(crate) fn pieces(&self) -> [&[u8]; 3] {
        [self.before.as_bytes(), self.inserted.as_bytes(), self.after.as_bytes()]
    }
}

/// The stamp as it is inserted, without an allocation of its own.
struct Inserted {
    bytes: [u8; Self::CAPACITY],
    length: usize,
}

impl Inserted {
    /// The name, the digits, a comma.
    const CAPACITY: usize = STAMP_NAME.len() + DIGITS + 1;

    fn new(before: &str, stamp: Timestamp, after: &str) -> Self {
        let mut inserted = Self { bytes: [0; Self::CAPACITY], length: 0 };
        inserted.push(before.as_bytes());
        let mut digits = [0; DIGITS];
        let mut start = digits.len();
        let mut rest = stamp.as_micros();
        for (index, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            start = index;
            if rest == 0 {
                break;
            }
        }
        inserted.push(digits.get(start..).unwrap_or_default());
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
const DIGITS: usize = 19;
