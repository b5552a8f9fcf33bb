//! Python's `str` and `int` arguments as the core takes them. What cannot be converted becomes something that the core
//! refuses, so that the refusal has the core's code and never quotes the value, as Python's own `UnicodeEncodeError` does.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use cardseal::ErrorCode;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::error_of;

/// The text, with U+FFFD in the place of half a surrogate pair: no rule for paths, keys and fields lets that pass.
pub(crate) fn lossy<'a>(text: &'a Bound<'_, PyString>) -> Cow<'a, str> {
    text.to_str().map_or_else(|_| text.to_string_lossy(), Cow::Borrowed)
}

/// The text's UTF-8, or the bytes that half a surrogate pair would have there, which no reader takes for UTF-8.
pub(crate) fn utf8<'a>(text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, [u8]>> {
    if let Ok(text) = text.to_str() {
        return Ok(Cow::Borrowed(text.as_bytes()));
    }
    Ok(Cow::Owned(text.call_method1("encode", ("utf-8", "surrogatepass"))?.extract()?))
}

/// An API secret. One that has no UTF-8 form is refused rather than changed.
pub(crate) fn secret<'a>(secret: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    secret.to_str().map_err(|_| {
        let message = "the secret holds half of a surrogate pair: hand in the text that the API gave you";
        error_of(secret.py(), ErrorCode::InvalidKey, message.to_owned())
    })
}

/// The bytes of a buffer, copied because whoever holds it may write to it meanwhile. What is none, or not one of single
/// bytes, or not to be had any more, is a `TypeError` that says `expected`.
pub(crate) fn copied(buffer: &Bound<'_, PyAny>, expected: &'static str) -> PyResult<Vec<u8>> {
    let wrong = |_| PyTypeError::new_err(expected);
    PyBuffer::<u8>::get(buffer).map_err(wrong)?.to_vec(buffer.py()).map_err(wrong)
}

/// An option that is a whole number: `invalid_option` outside `range`.
pub(crate) fn option(value: &Bound<'_, PyAny>, name: &str, range: RangeInclusive<u64>) -> PyResult<u64> {
    let py = value.py();
    match value.extract() {
        Ok(number) if range.contains(&number) => Ok(number),
        Err(raised) if !raised.is_instance_of::<PyOverflowError>(py) => Err(raised),
        _ => {
            let (least, most) = range.into_inner();
            Err(error_of(py, ErrorCode::InvalidOption, format!("`{name}` is out of range: use {least} to {most}")))
        }
    }
}
