//! Builds Python's objects while the core reads a text, in its one pass.
//!
//! What it buys: `json.loads` after the core's reader takes about three times as long, and would decide anew what a
//! repeated name or a lone surrogate means.

#![expect(
    unsafe_code,
    reason = "the safe interface checks types that are known, and copies what could be filled in place"
)]

use std::sync::{Mutex, MutexGuard};

use cardseal::json::{Fault, MemberNames, Number, Sink, Text};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};
use zeroize::Zeroizing;

use crate::ascii::new_ascii;

/// The sink that builds. Values wait on a stack until the array or object around them ends.
pub(crate) struct Objects<'py> {
    py: Python<'py>,
    /// Of an open object, names and values in turns.
    stack: Vec<Bound<'py, PyAny>>,
    /// Where on the stack the items of each open array begin.
    arrays: Vec<usize>,
    names: Option<MutexGuard<'static, NameCache>>,
    /// Why it stopped: Python had no memory.
    raised: Option<PyErr>,
}

impl<'py> Objects<'py> {
    pub(crate) fn new(py: Python<'py>) -> Self {
        Self { py, stack: Vec::with_capacity(16), arrays: Vec::new(), names: NameCache::lock(), raised: None }
    }

    /// The value that was read, unless building it raised.
    pub(crate) fn finish(self) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Self { mut stack, raised, .. } = self;
        raised.map_or_else(|| Ok(stack.pop()), Err)
    }

    #[inline]
    fn push(&mut self, built: PyResult<Bound<'py, PyAny>>) -> Result<(), Fault> {
        match built {
            Ok(value) => {
                self.stack.push(value);
                Ok(())
            }
            Err(raised) => self.stop(raised),
        }
    }

    #[cold]
    fn stop(&mut self, raised: PyErr) -> Result<(), Fault> {
        self.raised = Some(raised);
        Err(Fault::stopped())
    }
}

impl<'py> Sink for Objects<'py> {
    type Error = Fault;

    #[inline]
    fn null(&mut self, _: usize) -> Result<(), Fault> {
        self.stack.push(self.py.None().into_bound(self.py));
        Ok(())
    }

    #[inline]
    fn boolean(&mut self, value: bool, _: usize) -> Result<(), Fault> {
        self.stack.push(PyBool::new(self.py, value).to_owned().into_any());
        Ok(())
    }

    #[inline]
    fn number(&mut self, token: Number<'_>) -> Result<(), Fault> {
        let number = number(self.py, token.token());
        self.push(number)
    }

    #[inline]
    fn string(&mut self, value: Text<'_>) -> Result<(), Fault> {
        let text = string(self.py, value);
        self.push(text)
    }

    #[inline]
    fn begin_array(&mut self, _: usize) -> Result<(), Fault> {
        self.arrays.push(self.stack.len());
        Ok(())
    }

    #[inline]
    fn end_array(&mut self, _: usize) -> Result<(), Fault> {
        let start = self.arrays.pop().unwrap_or_default();
        let list = list(self.py, self.stack.drain(start.min(self.stack.len())..));
        self.push(list)
    }

    #[inline]
    fn name(&mut self, name: Text<'_>) -> Result<(), Fault> {
        let name = match &mut self.names {
            Some(cache) if !name.is_escaped() && name.raw().len() <= NameCache::LONGEST => {
                cache.get(self.py, name.raw())
            }
            _ => string(self.py, name),
        };
        self.push(name)
    }

    #[inline]
    fn end_object(&mut self, _: usize, names: MemberNames<'_>) -> Result<(), Fault> {
        let start = self.stack.len().saturating_sub(2 * names.count());
        let dict = dict(self.py, self.stack.drain(start..));
        self.push(dict)
    }
}

#[inline]
fn string<'py>(py: Python<'py>, text: Text<'_>) -> PyResult<Bound<'py, PyAny>> {
    if text.is_escaped() {
        let value = Zeroizing::new(text.value().into_owned());
        return new_string(py, &value);
    }
    new_string(py, text.raw())
}

#[inline]
fn new_string<'py>(py: Python<'py>, value: &str) -> PyResult<Bound<'py, PyAny>> {
    if !value.is_ascii() {
        return Ok(PyString::from_bytes(py, value.as_bytes())?.into_any());
    }
    new_ascii(py, value)
}

#[inline]
fn number<'py>(py: Python<'py>, token: &str) -> PyResult<Bound<'py, PyAny>> {
    if let Some(integer) = small_integer(token) {
        return Ok(integer.into_pyobject(py)?.into_any());
    }
    if token.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return py.get_type::<PyInt>().call1((token,));
    }
    let value: f64 = token.parse().unwrap_or(f64::NAN); // the reader has accepted it
    Ok(PyFloat::new(py, value).into_any())
}

/// A token of digits and perhaps a sign, so few of them that they fit whatever they are.
#[inline]
fn small_integer(token: &str) -> Option<i64> {
    let (negative, digits) = token.strip_prefix('-').map_or((false, token), |digits| (true, digits));
    if digits.len() > 18 {
        return None;
    }
    let value = digits.bytes().try_fold(0_i64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then_some(value * 10 + i64::from(digit))
    })?;
    Some(if negative { -value } else { value })
}

fn list<'py>(py: Python<'py>, items: impl ExactSizeIterator<Item = Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: a new list of so many places, which nobody else knows yet, takes over as many references.
    unsafe {
        let list = Bound::from_owned_ptr_or_err(py, ffi::PyList_New(length(items.len())))?;
        for (index, item) in items.enumerate() {
            ffi::PyList_SET_ITEM(list.as_ptr(), length(index), item.into_ptr());
        }
        Ok(list)
    }
}

fn dict<'py>(py: Python<'py>, mut members: impl Iterator<Item = Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    while let (Some(name), Some(value)) = (members.next(), members.next()) {
        // SAFETY: all three are live objects; the dict takes references of its own.
        if unsafe { ffi::PyDict_SetItem(dict.as_ptr(), name.as_ptr(), value.as_ptr()) } != 0 {
            return Err(PyErr::fetch(py));
        }
    }
    Ok(dict.into_any())
}

/// A text's length as Python counts it: no text is longer than `isize::MAX`.
fn length(bytes: usize) -> ffi::Py_ssize_t {
    bytes.cast_signed()
}

/// Names seen lately: the same few come again and again, and a string that exists has its hash already.
///
/// One thread uses it at a time, the others do without. It is never waited for, so that neither a fork nor a garbage
/// collection in the middle can leave anyone hanging.
struct NameCache {
    entries: Vec<Option<CachedName>>,
}

struct CachedName {
    /// The name, then zeros; with the length one compare tells.
    bytes: [u8; NameCache::LONGEST],
    length: usize,
    string: Py<PyAny>,
}

static NAMES: Mutex<NameCache> = Mutex::new(NameCache { entries: Vec::new() });

impl NameCache {
    /// Longer names are rarely the same again.
    const LONGEST: usize = 32;

    /// A power of two.
    const ENTRIES: usize = 1_024;

    fn lock() -> Option<MutexGuard<'static, Self>> {
        NAMES.try_lock().ok()
    }

    #[inline]
    fn get<'py>(&mut self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        if self.entries.is_empty() {
            self.entries.resize_with(Self::ENTRIES, || None);
        }
        let mut bytes = [0; Self::LONGEST];
        let length = name.len();
        if let Some(slot) = bytes.get_mut(..length) {
            slot.copy_from_slice(name.as_bytes());
        }
        let Some(entry) = self.entries.get_mut(hash(&bytes) % Self::ENTRIES) else { return new_string(py, name) };
        if let Some(cached) = entry
            && cached.length == length
            && cached.bytes == bytes
        {
            return Ok(cached.string.clone_ref(py).into_bound(py));
        }
        let string = new_string(py, name)?;
        *entry = Some(CachedName { bytes, length, string: string.clone().unbind() });
        Ok(string)
    }
}

/// A quick hash. Names made to collide only push each other out.
#[inline]
fn hash(name: &[u8; NameCache::LONGEST]) -> usize {
    let (words, _) = name.as_chunks::<8>();
    let mixed = words.iter().fold(0_u64, |hash, word| {
        (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(0x517c_c1b7_2722_0a95)
    });
    (mixed >> 32) as usize
}
