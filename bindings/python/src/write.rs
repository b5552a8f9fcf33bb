//! Puts a payload's JSON text together from Python's objects, in the buffer where it is encrypted.
//!
//! What it buys: `json.dumps` and a second reading of its text take several times as long at every size; serde over
//! Python's objects takes longer than orjson and PyNaCl together (tests/bench/python measures the whole job). The rules
//! stay the core's: its writer counts levels and judges numbers, and its reader looks again where names may repeat.

#![expect(
    unsafe_code,
    reason = "PyO3's iterator over a dict takes references of its own; its numbers are checked anew"
)]

use cardseal::ErrorCode;
use cardseal::binding;
use cardseal::json::{Fault, FaultKind, Writer};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple, PyType,
};
use pyo3::{Borrowed, ffi, intern};

use crate::ascii;
use crate::errors::error_of;
use crate::floats::{hundredths, with_float_token};
use crate::names::{KnownNames, NOWHERE};

/// The JSON text of an object. What JSON does not have goes through `default` first, as in `json.dumps`.
pub(crate) fn written(payload: &Bound<'_, PyAny>, default: Option<&Bound<'_, PyAny>>) -> PyResult<Writer> {
    written_or_refused(payload, default)?.map_err(|refusal| error_of(payload.py(), ErrorCode::InvalidPayload, refusal))
}

/// The same, with the message of a refusal in the place of its exception.
pub(crate) fn written_or_refused(
    payload: &Bound<'_, PyAny>,
    default: Option<&Bound<'_, PyAny>>,
) -> PyResult<Result<Writer, String>> {
    let mut walker = Walker { writer: binding::writer(), names: KnownNames::new(), default, default_levels: 0 };
    match walker.value(payload) {
        Ok(()) => Ok(Ok(walker.writer)),
        Err(stop) => match *stop {
            Stop::Raised(raised) => Err(raised),
            Stop::Refused { what, path } => Ok(Err(format!("{} {what}", described(&path)))),
        },
    }
}

/// Whether an object is a mapping. Unlike PyO3's, the question hands on what the classes asked raise: an interrupt, for
/// example.
pub(crate) fn is_mapping(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    static MAPPING: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if value.is_instance_of::<PyDict>() {
        return Ok(true);
    }
    value.is_instance(MAPPING.import(value.py(), "collections.abc", "Mapping")?)
}

struct Walker<'a, 'py> {
    writer: Writer,
    names: KnownNames<'py>,
    default: Option<&'a Bound<'py, PyAny>>,
    /// How many results of `default` are being written, one inside the other.
    default_levels: usize,
}

/// Boxed, so that the way without errors stays small.
type Walked = Result<(), Box<Stop>>;

enum Stop {
    /// Python code that had to be called has raised.
    Raised(PyErr),
    /// A value that cannot be sealed, and the steps to it, the last one first.
    Refused { what: String, path: Vec<Step> },
}

enum Step {
    Name(String),
    Index(usize),
}

impl<'py> Walker<'_, 'py> {
    fn value(&mut self, value: &Bound<'py, PyAny>) -> Walked {
        if self.leaf(value) {
            return Ok(());
        }
        if let Ok(members) = value.cast_exact::<PyDict>() {
            return self.dict(members);
        }
        if let Ok(items) = value.cast_exact::<PyList>() {
            return self.list(items);
        }
        if let Ok(items) = value.cast_exact::<PyTuple>() {
            return self.tuple(items);
        }
        self.other(value)
    }

    /// Writes what has nothing inside and is exactly of a type that JSON has, and says whether it did. No Python code runs
    /// meanwhile, not even a garbage collection's: what would raise is left to be raised elsewhere.
    #[inline(always)]
    fn leaf(&mut self, value: &Bound<'py, PyAny>) -> bool {
        if let Ok(text) = value.cast_exact::<PyString>() {
            let Some(text) = ascii::in_place(text) else { return false };
            self.writer.string(text);
        } else if let Ok(integer) = value.cast_exact::<PyInt>() {
            let Some(integer) = small_integer(integer) else { return false };
            self.writer.integer(integer);
        } else if value.is_none() {
            self.writer.null();
        } else if let Ok(flag) = value.cast_exact::<PyBool>() {
            self.writer.boolean(flag.is_true());
        } else if let Ok(float) = value.cast_exact::<PyFloat>() {
            return self.float(float.value()).is_ok();
        } else {
            return false;
        }
        true
    }

    /// What is less common: types derived from those above, mappings, dataclasses, and what only `default` knows.
    #[inline(never)]
    fn other(&mut self, value: &Bound<'py, PyAny>) -> Walked {
        if let Ok(text) = value.cast::<PyString>() {
            return self.string(text);
        }
        if let Ok(integer) = value.cast::<PyInt>() {
            return self.integer(integer);
        }
        if let Ok(float) = value.cast::<PyFloat>() {
            return self.float(float.value());
        }
        if let Ok(items) = value.cast::<PyList>() {
            return self.list(items);
        }
        if let Ok(items) = value.cast::<PyTuple>() {
            return self.tuple(items);
        }
        if is_mapping(value)? {
            return self.mapping(value);
        }
        if is_dataclass(value)? {
            return self.dataclass(value);
        }
        self.through_default(value)
    }

    #[inline]
    fn string(&mut self, text: &Bound<'py, PyString>) -> Walked {
        match ascii::text(text) {
            Ok(text) => {
                self.writer.string(text);
                Ok(())
            }
            Err(_) => Err(refused("holds half of a surrogate pair, which is no character")),
        }
    }

    fn integer(&mut self, integer: &Bound<'py, PyInt>) -> Walked {
        match small_integer(integer) {
            Some(value) => self.writer.integer(value),
            None => return self.large_integer(integer),
        }
        Ok(())
    }

    #[inline(never)]
    fn large_integer(&mut self, integer: &Bound<'py, PyInt>) -> Walked {
        let py = integer.py();
        // SAFETY: it is an int; the call fails only where the number rounds to an infinity.
        if unsafe { ffi::PyLong_AsDouble(integer.as_ptr()) } == -1.0
            && let Some(raised) = PyErr::take(py)
        {
            return Err(if raised.is_instance_of::<PyOverflowError>(py) { refused(TOO_LARGE) } else { raised.into() });
        }
        // SAFETY: the call returns a new reference or raises; a derived class cannot change the digits.
        let digits = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyNumber_ToBase(integer.as_ptr(), 10)) }?;
        let digits = digits.cast_into::<PyString>().map_err(PyErr::from)?;
        self.writer.number(digits.to_str()?).map_err(|fault| refused_by(&fault))
    }

    #[inline]
    fn float(&mut self, value: f64) -> Walked {
        match hundredths(value) {
            Some(hundredths) => self.writer.hundredths(hundredths),
            None => return self.long_float(value),
        }
        Ok(())
    }

    #[inline(never)]
    fn long_float(&mut self, value: f64) -> Walked {
        if !value.is_finite() {
            return Err(refused("is no finite number: JSON has no NaN and no infinity"));
        }
        with_float_token(value, |token| self.writer.number(token)).map_err(|fault| refused_by(&fault))
    }

    fn dict(&mut self, members: &Bound<'py, PyDict>) -> Walked {
        self.writer.begin_object().map_err(|fault| refused_by(&fault))?;
        if cfg!(Py_GIL_DISABLED) {
            let pairs = members.items(); // another thread may change the dict meanwhile
            self.pairs(pairs.iter().map(|pair| pair.extract()), NOWHERE)?;
        } else {
            let first = self.names.begin_dict(members.len());
            self.dict_in_place(members, first)?;
            self.names.end_dict(first);
        }
        self.writer.end_object();
        Ok(())
    }

    /// Walks the dict itself as long as no Python code runs. Before any does, which could change the dict, what is left
    /// of it is taken out.
    fn dict_in_place(&mut self, members: &Bound<'py, PyDict>, mut place: usize) -> Walked {
        let mut position = 0;
        while let Some((name, value)) = next_member(members, &mut position) {
            let is_written = self.exact_name(&name, place);
            place = place.saturating_add(1);
            if is_written {
                if self.leaf(&value) {
                    continue;
                }
                if let Ok(wide) = value.cast_exact::<PyString>() {
                    // It may have to be made UTF-8: that runs no Python code, unless it fails, and then the dict is done with.
                    let (name, wide) = (name.to_owned(), wide.to_owned());
                    self.string(&wide).map_err(|stop| stop.at(Step::Name(shown(&name))))?;
                    continue;
                }
            }
            let (name, value) = (name.to_owned(), value.to_owned());
            let mut rest = Vec::new();
            while let Some((name, value)) = next_member(members, &mut position) {
                rest.push(Ok((name.to_owned(), value.to_owned())));
            }
            if !is_written {
                self.name(&name)?;
            }
            self.value(&value).map_err(|stop| stop.at(Step::Name(shown(&name))))?;
            return self.pairs(rest.into_iter(), place);
        }
        Ok(())
    }

    /// Writes a name that is a string of ASCII characters and nothing derived from one, and says whether it is.
    #[inline(always)]
    fn exact_name(&mut self, name: &Bound<'py, PyAny>, place: usize) -> bool {
        if let Some(known) = self.names.find(place, name) {
            self.writer.name_again(known);
            return true;
        }
        let Ok(name) = name.cast_exact::<PyString>() else { return false };
        let Some(text) = ascii::in_place(name) else { return false };
        self.writer.name(text);
        self.names.learn(place, name, text);
        true
    }

    fn mapping(&mut self, members: &Bound<'py, PyAny>) -> Walked {
        self.writer.begin_object().map_err(|fault| refused_by(&fault))?;
        self.writer.distrust_names();
        let items = members.call_method0(intern!(members.py(), "items"))?.try_iter()?;
        self.pairs(
            items.map(|item| {
                let no_pair = |_| PyTypeError::new_err("a mapping's `items()` has to give pairs of name and value");
                item?.extract().map_err(no_pair)
            }),
            NOWHERE,
        )?;
        self.writer.end_object();
        Ok(())
    }

    fn pairs(
        &mut self,
        pairs: impl Iterator<Item = PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)>>,
        mut place: usize,
    ) -> Walked {
        for pair in pairs {
            let (name, value) = pair?;
            self.member(&name, &value, place)?;
            place = place.saturating_add(1);
        }
        Ok(())
    }

    fn member(&mut self, name: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>, place: usize) -> Walked {
        if !self.exact_name(name, place) {
            self.name(name)?;
        }
        self.value(value).map_err(|stop| stop.at(Step::Name(shown(name))))
    }

    #[inline(never)]
    fn name(&mut self, name: &Bound<'py, PyAny>) -> Walked {
        let Ok(name) = name.cast::<PyString>() else {
            return Err(refused("has a name that is no text: JSON's names are"));
        };
        let Ok(text) = ascii::text(name) else {
            return Err(refused("has a name with half of a surrogate pair, which is no character"));
        };
        if !name.is_exact_instance_of::<PyString>() {
            self.writer.distrust_names(); // one that says it differs from its equal
        }
        self.writer.name(text);
        Ok(())
    }

    fn list(&mut self, items: &Bound<'py, PyList>) -> Walked {
        self.writer.begin_array().map_err(|fault| refused_by(&fault))?;
        let length = items.len();
        let outer = self.names.begin_list(length);
        for index in 0..length {
            // `default` may change the list, and so may another thread: then nobody could say what has been sealed.
            let Ok(item) = items.get_item(index) else { return Err(refused(CHANGED)) };
            self.value(&item).map_err(|stop| stop.at(Step::Index(index)))?;
        }
        if items.len() != length {
            return Err(refused(CHANGED));
        }
        self.names.end_list(outer);
        self.writer.end_array();
        Ok(())
    }

    fn tuple(&mut self, items: &Bound<'py, PyTuple>) -> Walked {
        self.writer.begin_array().map_err(|fault| refused_by(&fault))?;
        let outer = self.names.begin_list(items.len());
        for (index, item) in items.iter_borrowed().enumerate() {
            self.value(&item).map_err(|stop| stop.at(Step::Index(index)))?;
        }
        self.names.end_list(outer);
        self.writer.end_array();
        Ok(())
    }

    fn dataclass(&mut self, value: &Bound<'py, PyAny>) -> Walked {
        let py = value.py();
        self.writer.begin_object().map_err(|fault| refused_by(&fault))?;
        self.writer.distrust_names();
        static FIELDS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        // Only now: whoever has a dataclass has loaded the module, and importing it takes longer than this package.
        for field in FIELDS.import(py, "dataclasses", "fields")?.call1((value,))?.try_iter()? {
            let name = field?.getattr(intern!(py, "name"))?;
            let attribute = value.getattr(name.cast::<PyString>().map_err(PyErr::from)?)?;
            self.member(&name, &attribute, NOWHERE)?;
        }
        self.writer.end_object();
        Ok(())
    }

    fn through_default(&mut self, value: &Bound<'py, PyAny>) -> Walked {
        let Some(default) = self.default else { return Err(refused(without_json_form(value))) };
        if self.default_levels == MAX_DEFAULT_LEVELS {
            return Err(refused("comes out of `default` again and again, never in a form that JSON has"));
        }
        self.writer.distrust_names(); // it may change what is being walked
        let replacement = default.call1((value,))?;
        self.default_levels += 1;
        let walked = self.value(&replacement);
        self.default_levels -= 1;
        walked
    }
}

const CHANGED: &str = "changes while it is sealed: hand in a copy";

/// As many as JSON may have levels.
const MAX_DEFAULT_LEVELS: usize = cardseal::json::MAX_DEPTH;

/// The value of an int that 64 bits hold.
#[inline(always)]
fn small_integer(integer: &Bound<'_, PyInt>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: it is an int, for which the call neither raises nor runs Python code.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(integer.as_ptr(), &raw mut overflow) };
    (overflow == 0).then_some(value)
}

/// The member at a position of a dict that nobody changes, with references that are the dict's. PyO3's iterator would take
/// references of its own.
#[inline(always)]
fn next_member<'a, 'py>(
    members: &'a Bound<'py, PyDict>,
    position: &mut ffi::Py_ssize_t,
) -> Option<(Borrowed<'a, 'py, PyAny>, Borrowed<'a, 'py, PyAny>)> {
    let (mut name, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: it is a dict, which no other thread can reach as long as this one has the interpreter's lock, and what it
    // lends stays alive until it is changed: the caller runs no Python code before it is done with both.
    unsafe {
        if ffi::PyDict_Next(members.as_ptr(), position, &raw mut name, &raw mut value) == 0 {
            return None;
        }
        Some((Borrowed::from_ptr(members.py(), name), Borrowed::from_ptr(members.py(), value)))
    }
}

/// A name as a step on the way to what was refused.
#[cold]
fn shown(name: &Bound<'_, PyAny>) -> String {
    name.cast::<PyString>().map_or_else(|_| String::new(), |name| name.to_string_lossy().into_owned())
}

fn is_dataclass(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!value.is_instance_of::<PyType>() && value.get_type().hasattr(intern!(value.py(), "__dataclass_fields__"))?)
}

fn without_json_form(value: &Bound<'_, PyAny>) -> &'static str {
    let is_bytes = value.is_instance_of::<PyBytes>()
        || value.is_instance_of::<PyByteArray>()
        || value.is_instance_of::<PyMemoryView>();
    if is_bytes {
        "is bytes, which JSON does not have: decode them to text first"
    } else {
        "has no JSON form: convert it first, amounts and times to text, or pass `default=str`"
    }
}

impl From<PyErr> for Box<Stop> {
    fn from(raised: PyErr) -> Self {
        Self::new(Stop::Raised(raised))
    }
}

impl Stop {
    /// The same, one level further out.
    fn at(mut self: Box<Self>, step: Step) -> Box<Self> {
        if let Self::Refused { path, .. } = &mut *self {
            path.push(step);
        }
        self
    }
}

#[cold]
fn refused(what: &str) -> Box<Stop> {
    Box::new(Stop::Refused { what: what.to_owned(), path: Vec::new() })
}

#[cold]
fn refused_by(fault: &Fault) -> Box<Stop> {
    match fault.kind() {
        FaultKind::Depth => refused("nests more than 128 levels deep, or contains itself"),
        _ => refused(TOO_LARGE),
    }
}

const TOO_LARGE: &str = "is a number that is too large: the protocol's numbers end where binary64 does";

/// `items[2].amount`, in backticks.
fn described(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path.iter().rev() {
        match step {
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Name(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
        }
    }
    if path.is_empty() { "the payload".to_owned() } else { binding::quote(&text) }
}
