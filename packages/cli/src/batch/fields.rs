//! The members of a line, each taken once; what is left over at the end is unknown.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cardseal::{Body, Timestamp, Window, json};
use serde_json::{Map, Value};

use super::envelopes::{Choice, KeyChoice};
use crate::answer::unhex;
use crate::failure::{Failure, quoted};
use crate::input::Anything;

/// What a line says.
pub(super) struct Fields {
    operation: String,
    members: Map<String, Value>,
}

impl Fields {
    /// The members of a line that is an object with an operation.
    ///
    /// The strict reader goes first, so that a name that stands twice is noticed and not half ignored.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Failure> {
        let not_json = |why: &dyn std::fmt::Display| Failure::usage(format!("the line is not strict JSON: {why}"));
        let text = json::read_utf8(line, &mut Anything).map_err(|fault| not_json(&fault))?;
        let members = match serde_json::from_str(text) {
            Ok(Value::Object(members)) => members,
            Ok(_) => return Err(Failure::usage("the line is no JSON object")),
            Err(_) => return Err(not_json(&"a value that cannot be held")),
        };
        Ok(Self { operation: String::new(), members })
    }

    /// What the answer repeats.
    pub(super) fn take_id(&mut self) -> Option<Value> {
        self.members.swap_remove("id")
    }

    /// What is to be done.
    pub(super) fn take_operation(&mut self) -> Result<String, Failure> {
        self.operation = match self.members.swap_remove("operation") {
            Some(Value::String(operation)) => operation,
            Some(_) => return Err(Failure::usage("`operation` has to be a string")),
            None => return Err(Failure::usage("the line has no `operation`")),
        };
        Ok(self.operation.clone())
    }

    /// Makes sure that every member was taken.
    pub(super) fn finish(&self) -> Result<(), Failure> {
        match self.members.keys().next() {
            Some(name) => Err(self.wrong(name, "is unknown")),
            None => Ok(()),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, Failure> {
        self.optional_text(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(name, "has to be a string")),
        }
    }

    pub(super) fn whole(&mut self, name: &str) -> Result<u64, Failure> {
        self.optional_whole(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    fn optional_whole(&mut self, name: &str) -> Result<Option<u64>, Failure> {
        let Some(value) = self.take(name) else { return Ok(None) };
        value.as_u64().map(Some).ok_or_else(|| self.wrong(name, "has to be a whole number"))
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<bool, Failure> {
        let value = self.take(name).ok_or_else(|| self.wrong(name, "is missing"))?;
        value.as_bool().ok_or_else(|| self.wrong(name, "has to be true or false"))
    }

    pub(super) fn status(&mut self) -> Result<u16, Failure> {
        let status = u16::try_from(self.whole("status")?).ok().filter(|status| (100..=599).contains(status));
        status.ok_or_else(|| self.wrong("status", "has to be an HTTP status, 100 to 599"))
    }

    /// Bytes as text under `name`, or in base64 under `name_base64`.
    pub(super) fn bytes(&mut self, name: &str, name_base64: &str) -> Result<Vec<u8>, Failure> {
        match (self.optional_text(name)?, self.optional_text(name_base64)?) {
            (Some(text), None) => Ok(text.into_bytes()),
            (None, Some(text)) => {
                BASE64_STANDARD.decode(text).map_err(|_| self.wrong(name_base64, "has to be base64, padded"))
            }
            _ => Err(self.wrong(name, &format!("or `{name_base64}` is needed, and not both"))),
        }
    }

    /// `body` or `body_base64` or `field`.
    pub(super) fn sealed_body(&mut self) -> Result<SealedBody, Failure> {
        match self.optional_text("field")? {
            None => self.bytes("body", "body_base64").map(SealedBody::Whole),
            Some(_) if self.members.contains_key("body") || self.members.contains_key("body_base64") => {
                Err(self.wrong("field", "stands beside a body: give one of them"))
            }
            Some(field) => Ok(SealedBody::Field(field)),
        }
    }

    pub(super) fn nonce(&mut self) -> Result<[u8; 24], Failure> {
        let nonce = unhex(&self.text("nonce")?).and_then(|bytes| bytes.try_into().ok());
        nonce.ok_or_else(|| self.wrong("nonce", "has to be 48 hexadecimal digits"))
    }

    /// The server's clock: given, or the machine's.
    pub(super) fn now(&mut self) -> Result<Timestamp, Failure> {
        Ok(self.optional_whole("now_micros")?.map_or_else(Timestamp::wall_clock, Timestamp::from_micros)?)
    }

    pub(super) fn window(&mut self) -> Result<Window, Failure> {
        Ok(self.optional_whole("window_seconds")?.map_or(Ok(Window::MAX), Window::from_seconds)?)
    }

    /// Which envelope the line asks for.
    pub(super) fn envelope(&mut self) -> Result<Choice, Failure> {
        let key = match (self.optional_text("secret")?, self.optional_text("key_hex")?) {
            (None, None) => None,
            (Some(secret), None) => Some(KeyChoice::Secret(secret)),
            (None, Some(digits)) => {
                let key = unhex(&digits).ok_or_else(|| self.wrong("key_hex", "has to be hexadecimal digits"))?;
                Some(KeyChoice::Key(key))
            }
            (Some(_), Some(_)) => return Err(self.wrong("secret", "stands beside `key_hex`: give one of them")),
        };
        let open_keys = self.texts("open_keys_hex")?;
        let open_keys = open_keys.map(|keys| keys.iter().map(|digits| unhex(digits)).collect::<Option<_>>());
        Ok(Choice {
            key,
            open_secrets: self.texts("open_secrets")?,
            open_keys: match open_keys {
                Some(None) => return Err(self.wrong("open_keys_hex", "has to hold hexadecimal digits")),
                Some(keys) => keys,
                None => None,
            },
            layout: self.optional_text("layout")?.map(|name| name.parse()).transpose()?,
            max_bytes: self.optional_whole("max_bytes")?.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        })
    }

    fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let text = |value| if let Value::String(text) = value { Some(text) } else { None };
        let texts = if let Value::Array(values) = value { values.into_iter().map(text).collect() } else { None };
        texts.map(Some).ok_or_else(|| self.wrong(name, "has to be an array of strings"))
    }

    /// A member that is not null; many languages write null where they have nothing.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.swap_remove(name).filter(|value| !value.is_null())
    }

    #[cold]
    fn wrong(&self, name: &str, how: &str) -> Failure {
        Failure::usage(format!("{} of `{}` {how}", quoted(name), self.operation))
    }
}

/// A body as an operation takes it.
pub(super) enum SealedBody {
    Whole(Vec<u8>),
    Field(String),
}

impl<'b> From<&'b SealedBody> for Body<'b> {
    fn from(body: &'b SealedBody) -> Self {
        match body {
            SealedBody::Whole(bytes) => Self::Bytes(bytes),
            SealedBody::Field(field) => Self::Field(field),
        }
    }
}
