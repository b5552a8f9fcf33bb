//! The fields that a call comes with.

#[cfg(feature = "written")]
use core::cell::Cell;

use cardseal::binding::JsonText;
use cardseal::{Body, Error, ErrorCode, Result};

/// The fields of a call. One that is not there is `None`, as is each beyond the last.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    fields: &'a [Option<&'a [u8]>],
    #[cfg(feature = "written")]
    json: Option<&'a Cell<Option<JsonText<'a>>>>,
}

impl core::fmt::Debug for Arguments<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Arguments({} fields)", self.fields.len()) // a field can be a key
    }
}

impl<'a> Arguments<'a> {
    /// Fields that the host keeps.
    pub const fn new(fields: &'a [Option<&'a [u8]>]) -> Self {
        Self {
            fields,
            #[cfg(feature = "written")]
            json: None,
        }
    }

    /// The same, but for the first field of a call that [seals](crate::seals): where it is not there it is in `json`, ready to be
    /// encrypted where it stands.
    #[cfg(feature = "written")]
    pub const fn with_json(fields: &'a [Option<&'a [u8]>], json: &'a Cell<Option<JsonText<'a>>>) -> Self {
        Self { fields, json: Some(json) }
    }

    /// The first field, JSON text to be sealed.
    pub(crate) fn json(self) -> Result<JsonText<'a>> {
        #[cfg(feature = "written")]
        if self.bytes(0).is_none()
            && let Some(json) = self.json.and_then(Cell::take)
        {
            return Ok(json);
        }
        self.text(0, ErrorCode::InvalidPayload).map(JsonText::Given)
    }

    pub(crate) fn bytes(self, index: usize) -> Option<&'a [u8]> {
        self.fields.get(index).copied().flatten()
    }

    /// A field of text; `code` is the error for what is none.
    pub(crate) fn text(self, index: usize, code: ErrorCode) -> Result<&'a str> {
        let text = core::str::from_utf8(self.bytes(index).unwrap_or_default());
        text.map_err(|_| Error::new(code, "the text is not UTF-8: decode it with the right encoding first"))
    }

    pub(crate) fn optional_text(self, index: usize, code: ErrorCode) -> Result<Option<&'a str>> {
        self.bytes(index).map(|_| self.text(index, code)).transpose()
    }

    /// A number.
    pub(crate) fn option<T: TryFrom<u64>>(self, index: usize) -> Result<Option<T>> {
        let Some(text) = self.optional_text(index, ErrorCode::InvalidOption)? else { return Ok(None) };
        let number = text.parse::<u64>().ok().and_then(|number| T::try_from(number).ok());
        let invalid = || Error::new(ErrorCode::InvalidOption, "a number is out of its range, or no whole number");
        number.map(Some).ok_or_else(invalid)
    }

    /// The body to open: bytes or text in the first field, else the member of a parsed body in the second.
    pub(crate) fn body(self) -> Result<Body<'a>> {
        match self.bytes(0) {
            Some(body) => Ok(body.into()),
            None => self.text(1, ErrorCode::InvalidEnvelope).map(Body::Field),
        }
    }

    pub(crate) fn rest(self, from: usize) -> impl Iterator<Item = usize> {
        from..self.fields.iter().rposition(Option::is_some).map_or(from, |last| last + 1)
    }
}
