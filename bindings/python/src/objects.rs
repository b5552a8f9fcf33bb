//! Builds Python's objects while the core reads a text, in its one pass.
//!
//! What it buys: `json.loads` after the core's reader takes about three times as long, and would decide anew what a
//! repeated name or a lone surrogate means.

#![expect(
    unsafe_code,
    reason = "the safe interface checks types that are known, and copies what could be filled in place"
)]

use std::sync::{Mutex, MutexGuard};

use cardseal::binding::Wiped;
use cardseal::json::{Fault, MemberNames, Number, Place, Sink, Text};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use crate::ascii::{new_ascii, new_wide};

/// The sink that builds. Values wait on a stack until the array or object around them ends.
pub(crate) struct Objects<'py> {
    py: Python<'py>,
    /// Of an open object, names and values in turns.
    stack: Vec<Bound<'py, PyAny>>,
    /// Where on the stack the items of each open array begin.
    arrays: Vec<usize>,
    names: Option<MutexGuard<'static, NameCache>>,
    template: Option<Template<'py>>,
    /// Why it stopped: Python had no memory.
    raised: Option<PyErr>,
}

impl<'py> Objects<'py> {
    pub(crate) fn new(py: Python<'py>) -> Self {
        Self {
            py,
            stack: Vec::with_capacity(16),
            arrays: Vec::new(),
            names: NameCache::lock(),
            template: None,
            raised: None,
        }
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

    /// The dict of the names and values from `start` of the stack on.
    fn dict(&mut self, start: usize) -> PyResult<Bound<'py, PyAny>> {
        let members = self.stack.get(start..).unwrap_or_default();
        if members.len() <= 2 * GROWS_ABOVE {
            let dict = PyDict::new(self.py);
            set(&dict, members)?;
            return Ok(dict.into_any());
        }
        if let Some(copy) = self.template.as_ref().and_then(|template| template.copy(members)) {
            let dict = copy?;
            set(&dict, members)?;
            if dict.len() * 2 == members.len() {
                return Ok(dict.into_any()); // else somebody has found the unfinished object, and changed it
            }
        }
        let dict = PyDict::new(self.py);
        set(&dict, members)?;
        self.template = Template::new(&dict, members);
        Ok(dict.into_any())
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
    fn name(&mut self, name: Text<'_>, place: Place) -> Result<(), Fault> {
        let built = match &mut self.names {
            Some(cache) => cache.get(self.py, name, place),
            None => string(self.py, name),
        };
        self.push(built)
    }

    #[inline]
    fn end_object(&mut self, _: usize, names: MemberNames<'_>) -> Result<(), Fault> {
        let start = self.stack.len().saturating_sub(2 * names.count());
        let built = self.dict(start);
        self.stack.truncate(start);
        self.push(built)
    }
}

#[inline]
fn string<'py>(py: Python<'py>, text: Text<'_>) -> PyResult<Bound<'py, PyAny>> {
    if text.is_escaped() {
        let value = Wiped::new(text.value().into_owned());
        return new_string(py, &value);
    }
    new_string(py, text.raw())
}

#[inline]
fn new_string<'py>(py: Python<'py>, value: &str) -> PyResult<Bound<'py, PyAny>> {
    if value.is_ascii() {
        new_ascii(py, value)
    } else if value.len() <= MOST_SHORT_BYTES {
        new_wide(py, value)
    } else {
        Ok(PyString::from_bytes(py, value.as_bytes())?.into_any())
    }
}

const MOST_SHORT_BYTES: usize = 256;

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

/// The last object with more members than a new dict has room for, and its names in their order.
///
/// Lists of such objects with the same names are common: a copy of the last one has room and the names, so that only
/// values are left to be put in. That takes a quarter less time than growing a new one.
struct Template<'py> {
    dict: Bound<'py, PyDict>,
    names: [*mut ffi::PyObject; MOST_TEMPLATE_NAMES],
    count: usize,
}

impl<'py> Template<'py> {
    fn new(dict: &Bound<'py, PyDict>, members: &[Bound<'py, PyAny>]) -> Option<Self> {
        let mut names = [std::ptr::null_mut(); MOST_TEMPLATE_NAMES];
        let count = members.len() / 2;
        for (slot, name) in names.get_mut(..count)?.iter_mut().zip(members.iter().step_by(2)) {
            *slot = name.as_ptr();
        }
        Some(Self { dict: dict.clone(), names, count })
    }

    /// A copy, if the members have the same names in the same order.
    fn copy(&self, members: &[Bound<'py, PyAny>]) -> Option<PyResult<Bound<'py, PyDict>>> {
        let names = self.names.get(..self.count)?;
        let same = names.len() * 2 == members.len()
            && names.iter().zip(members.iter().step_by(2)).all(|(known, name)| *known == name.as_ptr());
        same.then(|| self.dict.copy())
    }
}

/// Objects with more names are rarely alike.
const MOST_TEMPLATE_NAMES: usize = 24;

fn set<'py>(dict: &Bound<'py, PyDict>, members: &[Bound<'py, PyAny>]) -> PyResult<()> {
    for [name, value] in members.as_chunks::<2>().0 {
        // SAFETY: all three are live objects; the dict takes references of its own.
        if unsafe { ffi::PyDict_SetItem(dict.as_ptr(), name.as_ptr(), value.as_ptr()) } != 0 {
            return Err(PyErr::fetch(dict.py()));
        }
    }
    Ok(())
}

/// As many members as fit into a new dict.
const GROWS_ABOVE: usize = 5;

/// A text's length as Python counts it: no text is longer than `isize::MAX`.
fn length(bytes: usize) -> ffi::Py_ssize_t {
    bytes.cast_signed()
}

/// Names seen lately: the same few come again and again, and a string that exists has its hash already.
///
/// One thread uses it at a time, the others do without. It is never waited for, so that neither a fork nor a garbage
/// collection in the middle can leave anyone hanging.
struct NameCache {
    /// The last name in each place, as the reader counts places; none where that was no name to be kept. Bodies of one
    /// kind have the same names in the same places.
    by_place: [Option<CachedName>; 32],
    /// In pairs, the newer one first: two frequent names that share a slot do not push each other out.
    entries: Vec<Option<CachedName>>,
}

struct CachedName {
    key: NameKey,
    string: Py<PyAny>,
}

/// A short name by its length and words that cover all of its bytes, some twice: no two names share one.
type NameKey = (usize, [u64; 4]);

#[inline]
fn name_key(name: &[u8]) -> Option<NameKey> {
    let word = |at: usize| Some(u64::from_le_bytes(*name.get(at..)?.first_chunk()?));
    let half = |at: usize| Some(u64::from(u32::from_le_bytes(*name.get(at..)?.first_chunk()?)));
    let byte = |at: usize| Some(u64::from(*name.get(at)?));
    let length = name.len();
    let words = match length {
        0 => [0; 4],
        1..4 => [byte(0)? | byte(length / 2)? << 8 | byte(length - 1)? << 16, 0, 0, 0],
        4..8 => [half(0)? | half(length - 4)? << 32, 0, 0, 0],
        8..=16 => [word(0)?, word(length - 8)?, 0, 0],
        17..=32 => [word(0)?, word(8)?, word(length - 16)?, word(length - 8)?],
        _ => return None, // long ones are rarely the same again
    };
    Some((length, words))
}

static NAMES: Mutex<NameCache> = Mutex::new(NameCache { by_place: [const { None }; 32], entries: Vec::new() });

impl NameCache {
    /// A power of two.
    const ENTRIES: usize = 1_024;

    fn lock() -> Option<MutexGuard<'static, Self>> {
        NAMES.try_lock().ok()
    }

    #[inline]
    fn get<'py>(&mut self, py: Python<'py>, name: Text<'_>, place: Place) -> PyResult<Bound<'py, PyAny>> {
        if let Place::Same(index) = place
            && let Some(Some(last)) = self.by_place.get(index)
        {
            return Ok(last.string.bind(py).clone()); // of this text: its names began with a new one in this place
        }
        let key = if name.is_escaped() { None } else { name_key(name.raw().as_bytes()) };
        let Some(key) = key else {
            if let Place::New(index) = place
                && let Some(slot) = self.by_place.get_mut(index)
            {
                *slot = None;
            }
            return string(py, name);
        };
        if let Place::New(index) = place
            && let Some(Some(last)) = self.by_place.get(index)
            && same(&last.key, &key)
        {
            return Ok(last.string.bind(py).clone());
        }
        let string = self.find(py, name.raw(), key)?;
        if let Place::New(index) = place
            && let Some(slot) = self.by_place.get_mut(index)
        {
            *slot = Some(CachedName { key, string: string.clone().unbind() });
        }
        Ok(string)
    }

    /// The string of a name, from before or new.
    fn find<'py>(&mut self, py: Python<'py>, name: &str, key: NameKey) -> PyResult<Bound<'py, PyAny>> {
        if self.entries.is_empty() {
            self.entries.resize_with(Self::ENTRIES, || None);
        }
        let (pairs, _) = self.entries.as_chunks_mut::<2>();
        let Some([newer, older]) = pairs.get_mut(slot(&key) % (Self::ENTRIES / 2)) else {
            return new_string(py, name);
        };
        for cached in [&*newer, &*older].into_iter().flatten() {
            if same(&cached.key, &key) {
                return Ok(cached.string.bind(py).clone());
            }
        }
        let string = new_string(py, name)?;
        *older = newer.replace(CachedName { key, string: string.clone().unbind() });
        Ok(string)
    }
}

/// Word by word: a vector compare would have to wait until the words just computed have gone through memory.
#[inline]
fn same(one: &NameKey, other: &NameKey) -> bool {
    let differ = |index: usize| one.1[index] ^ other.1[index];
    one.0 == other.0 && differ(0) | differ(1) | differ(2) | differ(3) == 0
}

/// Names made to share a slot only push each other out.
#[inline]
fn slot(&(length, [a, b, c, d]): &NameKey) -> usize {
    let mixed = a.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ b.wrapping_mul(0xbf58_476d_1ce4_e5b9)
        ^ c.wrapping_mul(0x94d0_49bb_1331_11eb)
        ^ d.wrapping_mul(0xd6e8_feb8_6659_fd93);
    (mixed >> 40) as usize ^ length
}
