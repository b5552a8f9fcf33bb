//! Payloads to be sealed: JSON text, or objects that become such.

use cardseal::binding::{self, JsonText, Wiped};
use cardseal::json::Writer;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyMemoryView, PyString};

use crate::errors::envelope_error;
use crate::text;
use crate::write;

pub(crate) enum Payload<'a> {
    Text(&'a str),
    /// A copy of text that somebody could write to, wiped when dropped.
    Copy(Wiped<String>),
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
                Ok(text) => Ok(Self::Text(text)),
                Err(_) => copy(payload.py(), text::utf8(text)?.into_owned()),
            };
        }
        if let Ok(bytes) = payload.cast::<PyBytes>() {
            let text = binding::payload_text(bytes.as_bytes());
            return text.map(Self::Text).map_err(|error| envelope_error(payload.py(), &error));
        }
        if payload.cast::<PyByteArray>().is_ok() || payload.cast::<PyMemoryView>().is_ok() {
            return copy(payload.py(), text::copied(payload, "JSON text in a buffer is of single bytes")?);
        }
        write::written(payload, default).map(Self::Written)
    }

    /// Hands it to `seal` in the form that the core takes, with its length.
    pub(crate) fn into_sealed<T>(self, seal: impl FnOnce(JsonText<'_>, usize) -> T) -> T {
        match self {
            Self::Text(text) => seal(JsonText::Given(text), text.len()),
            Self::Copy(text) => seal(JsonText::Given(&text), text.len()),
            Self::Written(writer) => {
                let bytes = writer.as_bytes().len();
                seal(JsonText::Written(writer), bytes)
            }
        }
    }

    /// The text, where a call takes no other form.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Copy(text) => text,
            Self::Written(writer) => writer.as_str(),
        }
    }
}

fn copy<'a>(py: Python<'_>, bytes: Vec<u8>) -> PyResult<Payload<'a>> {
    String::from_utf8(bytes).map(|text| Payload::Copy(Wiped::new(text))).or_else(|error| {
        let bytes = Wiped::new(error.into_bytes());
        binding::payload_text(&bytes).map(|_| Payload::Text("")).map_err(|error| envelope_error(py, &error))
    })
}
