//! Strings, those of ASCII characters above all, read and written where Python keeps them.
//!
//! What it buys: a body is not copied once more, which at a mebibyte is a tenth of the whole job; and short strings, of
//! which a payload is made, are found without a call.

#![expect(unsafe_code, reason = "only the interface beneath PyO3's makes a string to be filled")]

use std::mem::MaybeUninit;

use cardseal::ErrorCode;
use pyo3::ffi;
use pyo3::marker::Ungil;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::error_of;
use crate::threads::detached;

/// The text of a string: in place where it is ASCII, else as UTF-8 that Python keeps with the string.
///
/// Fails for half of a surrogate pair.
#[inline(always)]
pub(crate) fn text<'a>(string: &'a Bound<'_, PyString>) -> PyResult<&'a str> {
    in_place(string).map_or_else(|| string.to_str(), Ok)
}

/// The text of a string of ASCII characters.
#[inline(always)]
pub(crate) fn in_place<'a>(string: &'a Bound<'_, PyString>) -> Option<&'a str> {
    // SAFETY: it is a string, which nobody changes while there is a reference to it; a compact ASCII one has its
    // characters, a byte each, where PyUnicode_DATA says.
    unsafe {
        let object = string.as_ptr();
        if ffi::PyUnicode_IS_COMPACT_ASCII(object) == 0 {
            return None;
        }
        let length = ffi::PyUnicode_GET_LENGTH(object).cast_unsigned();
        let bytes = std::slice::from_raw_parts(ffi::PyUnicode_DATA(object).cast(), length);
        Some(std::str::from_utf8_unchecked(bytes))
    }
}

/// A new string of a text of ASCII characters.
#[inline]
pub(crate) fn new_ascii<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    debug_assert!(text.is_ascii());
    // SAFETY: a new string of so many ASCII characters, which nobody else knows yet, is filled completely.
    unsafe {
        let string = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(text.len().cast_signed(), 127))?;
        std::ptr::copy_nonoverlapping(text.as_ptr(), ffi::PyUnicode_DATA(string.as_ptr()).cast(), text.len());
        Ok(string)
    }
}

/// A new string of a short text with other characters too: measured, and then filled. Python's decoder, which begins as if all
/// were ASCII, takes twice as long; with long ones it is the quicker one.
pub(crate) fn new_wide<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    // Of the width of the widest character: as many bits as one of them has, all of them together have.
    let (count, bits) = text.chars().fold((0, 0), |(count, bits), character| (count + 1, bits | u32::from(character)));
    // SAFETY: a new string of so many characters, which nobody else knows yet, is filled completely, each character in the
    // width that Python has chosen for the widest.
    unsafe {
        let string = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(count, bits.min(char::MAX.into())))?;
        let data = ffi::PyUnicode_DATA(string.as_ptr());
        match bits {
            0..=0xff => fill(data.cast(), text, |character| character as u8),
            0x100..=0xffff => fill(data.cast(), text, |character| character as u16),
            _ => fill(data.cast(), text, u32::from),
        }
        Ok(string)
    }
}

/// # Safety
/// There is room for an element for each of the characters.
unsafe fn fill<T>(data: *mut T, text: &str, element: impl Fn(char) -> T) {
    for (index, character) in text.chars().enumerate() {
        // SAFETY: by the contract above.
        unsafe { data.add(index).write(element(character)) };
    }
}

/// A new string of so many ASCII characters, which `write` hands over piece by piece.
pub(crate) fn ascii_text<'py>(
    py: Python<'py>,
    bytes: usize,
    write: impl FnOnce(&mut dyn FnMut(&[u8])) + Ungil + Send,
) -> PyResult<Bound<'py, PyString>> {
    let too_long = |_| error_of(py, ErrorCode::TooLarge, "the body is longer than a string can be".to_owned());
    let length = ffi::Py_ssize_t::try_from(bytes).map_err(too_long)?;
    // SAFETY: the string is new and nobody else knows it, so that the bytes behind it are ours until it is returned. All of
    // them are written: by the core's encoder, which has ASCII alone, and else here.
    unsafe {
        let text = Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_New(length, 127))?;
        let data: *mut MaybeUninit<u8> = ffi::PyUnicode_DATA(text.as_ptr()).cast();
        let mut rest = std::slice::from_raw_parts_mut(data, bytes);
        detached(py, bytes, || {
            write(&mut |piece| {
                let count = piece.len().min(rest.len());
                let (place, behind) = std::mem::take(&mut rest).split_at_mut(count);
                place.write_copy_of_slice(&piece[..count]);
                rest = behind;
            });
            rest.fill(MaybeUninit::new(b'=')); // nothing, unless a length was wrong
        });
        Ok(text.cast_into_unchecked())
    }
}
