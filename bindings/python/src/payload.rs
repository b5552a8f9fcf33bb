//! Payloads to be sealed: JSON text, or objects that become such.

use std::borrow::Cow;

use cardseal::binding::{self, JsonText};
use cardseal::json::Writer;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};
use zeroize::Zeroizing;

use crate::errors::envelope_error;
use crate::text;
use crate::write;

pub(crate) enum Payload<'a> {
    Text(Cow<'a, str>),
    Written(Writer),
}

impl<'a> Payload<'a> {
    /// `str` and bytes are JSON text; everything else is walked.
    pub(crate) fn from_python(payload: &'a Bound<'_, PyAny>, default: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        if payload.is_exact_instance_of::<PyDict>() {
            return write::written(payload, default).map(Self::Written);
        }
        if let Ok(text) = payload.cast::<PyString>() {
            return match text.to_str() {
                Ok(text) => Ok(Self::Text(Cow::Borrowed(text))),
                Err(_) => from_bytes(payload.py(), text::utf8(text)?),
            };
        }
        if let Ok(bytes) = payload.cast::<PyBytes>() {
            return from_bytes(payload.py(), Cow::Borrowed(bytes.as_bytes()));
        }
        if payload.cast::<PyByteArray>().is_ok() || payload.cast::<PyMemoryView>().is_ok() {
            let bytes = PyBuffer::<u8>::get(payload)?.to_vec(payload.py())?;
            return from_bytes(payload.py(), Cow::Owned(bytes));
        }
        write::written(payload, default).map(Self::Written)
    }

    /// The text, where a call takes no other form.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Written(writer) => writer.as_str(),
        }
    }
}

fn from_bytes<'a>(py: Python<'_>, bytes: Cow<'a, [u8]>) -> PyResult<Payload<'a>> {
    let refused = |error| envelope_error(py, &error);
    match bytes {
        Cow::Borrowed(bytes) => {
            binding::payload_text(bytes).map(|text| Payload::Text(Cow::Borrowed(text))).map_err(refused)
        }
        Cow::Owned(bytes) => {
            let bytes = Zeroizing::new(bytes);
            binding::payload_text(&bytes).map(|text| Payload::Text(Cow::Owned(text.to_owned()))).map_err(refused)
        }
    }
}

impl<'a> From<&'a Payload<'_>> for Cow<'a, str> {
    fn from(payload: &'a Payload<'_>) -> Self {
        Cow::Borrowed(payload.as_str())
    }
}

/// The form in which the core seals it, and how long it is.
pub(crate) fn to_seal<'a>(payload: &'a mut Payload<'_>) -> (JsonText<'a>, usize) {
    match payload {
        Payload::Text(text) => (JsonText::Given(text), text.len()),
        Payload::Written(writer) => {
            let writer = std::mem::replace(writer, Writer::with_capacity(0));
            let bytes = writer.as_bytes().len();
            (JsonText::Written(writer), bytes)
        }
    }
}
