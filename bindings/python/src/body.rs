//! Sealed bodies as web frameworks hand them over: bytes of any kind, text, or an object that has been parsed already.

use std::borrow::Cow;

use cardseal::Body;
use cardseal::binding::PLAIN_MEMBERS;
use cardseal::json::Writer;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyString};

use crate::text;
use crate::write;

pub(crate) enum SealedBody<'a> {
    Bytes(Cow<'a, [u8]>),
    Field(Cow<'a, str>),
}

impl<'a> SealedBody<'a> {
    /// A body of any kind. Of a parsed one that has no text under `encrypted`, what the core needs for its verdict is
    /// left.
    pub(crate) fn from_python(body: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        Self::read(body, |_, field| Ok(if field.is_some() { r#"{"encrypted":null}"# } else { "{}" }.to_owned()))
    }

    /// The same for a response, of which the texts of a plain error count as well.
    pub(crate) fn of_response(body: &'a Bound<'_, PyAny>) -> PyResult<Self> {
        Self::read(body, |members, _| match write::written_or_refused(body, None)? {
            Ok(writer) => Ok(writer.as_str().to_owned()),
            Err(_) => plain_members(members),
        })
    }

    fn read(
        body: &'a Bound<'_, PyAny>,
        without_field: impl FnOnce(&Parsed<'_, '_>, Option<Bound<'_, PyAny>>) -> PyResult<String>,
    ) -> PyResult<Self> {
        if let Ok(text) = body.cast::<PyString>() {
            return text::utf8(text).map(Self::Bytes);
        }
        if let Ok(bytes) = body.cast::<PyBytes>() {
            return Ok(Self::Bytes(Cow::Borrowed(bytes.as_bytes())));
        }
        if let Some(members) = Parsed::new(body)? {
            let [_, name, ..] = PLAIN_MEMBERS;
            let field = members.get(name)?;
            return match field.as_ref().and_then(|field| field.cast::<PyString>().ok()) {
                Some(text) => Ok(Self::Field(Cow::Owned(text::lossy(text).into_owned()))),
                None => without_field(&members, field).map(|json| Self::Bytes(Cow::Owned(json.into_bytes()))),
            };
        }
        let no_body = "a body is str, bytes, bytearray, memoryview, or a mapping with `encrypted`";
        text::copied(body, no_body).map(|bytes| Self::Bytes(Cow::Owned(bytes)))
    }

    pub(crate) fn as_body(&self) -> Body<'_> {
        match self {
            Self::Bytes(bytes) => Body::Bytes(bytes),
            Self::Field(field) => Body::Field(field),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Field(field) => field.len(),
        }
    }
}

/// A body that a framework has parsed.
enum Parsed<'a, 'py> {
    Dict(&'a Bound<'py, PyDict>),
    Mapping(&'a Bound<'py, PyAny>),
}

impl<'a, 'py> Parsed<'a, 'py> {
    fn new(body: &'a Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        Ok(match body.cast_exact() {
            Ok(dict) => Some(Self::Dict(dict)),
            Err(_) => write::is_mapping(body)?.then_some(Self::Mapping(body)),
        })
    }

    fn get(&self, name: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self {
            Self::Dict(dict) => dict.get_item(name),
            Self::Mapping(mapping) => {
                if mapping.contains(name)? {
                    mapping.get_item(name).map(Some)
                } else {
                    Ok(None)
                }
            }
        }
    }
}

/// What the core looks at in a plain error, as JSON again: for one that holds something else than JSON as well.
fn plain_members(members: &Parsed<'_, '_>) -> PyResult<String> {
    let mut writer = Writer::with_capacity(256);
    let Ok(()) = writer.begin_object() else { return Ok(String::new()) };
    for name in PLAIN_MEMBERS {
        let Some(value) = members.get(name)? else { continue };
        writer.name(name);
        match (value.cast::<PyString>(), value.cast::<PyBool>()) {
            (Ok(text), _) => writer.string(&text::lossy(text)),
            (_, Ok(flag)) => writer.boolean(flag.is_true()),
            _ => writer.null(),
        }
    }
    writer.end_object();
    Ok(writer.as_str().to_owned())
}
