//! What can go wrong, with its code and exit status.

use std::fmt;
use std::io;

use cardseal::{Error, ErrorCode, ResponseError};
use serde_json::{Map, Value};

/// Why a command does not go on.
pub(crate) enum Stop {
    /// Something to be said on standard error.
    Failure(Box<Failure>),
    /// Everything was said; this is the exit status.
    Exit(u8),
}

impl<F: Into<Failure>> From<F> for Stop {
    fn from(failure: F) -> Self {
        Self::Failure(Box::new(failure.into()))
    }
}

/// An error as `--json` and `batch` write it. No secret and no plaintext is in it, but for [`Failure::with_payload`].
pub(crate) struct Failure {
    /// The code; none for an error of the API that has none.
    code: Option<String>,
    message: String,
    /// Further members beside code and message.
    details: Vec<(&'static str, Value)>,
    is_about_the_call: bool,
}

impl Failure {
    /// The command line, or a line of `batch`, is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new("usage", message, true)
    }

    /// A file or a stream does not do what it should.
    pub(crate) fn io(doing_what: impl fmt::Display, error: &io::Error) -> Self {
        // The kind alone: the system's own text has capitals and numbers.
        let why = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file".to_owned(),
            io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
            kind => kind.to_string(),
        };
        Self::new("io_error", format!("cannot {doing_what}: {why}"), true)
    }

    /// A file was read, but is no text that could be used.
    pub(crate) fn unusable(message: impl Into<String>) -> Self {
        Self::new("io_error", message, true)
    }

    /// A refusal with one of the library's codes.
    pub(crate) fn refusal(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(code.as_str(), message, false)
    }

    fn new(code: &str, message: impl Into<String>, is_about_the_call: bool) -> Self {
        Self { code: Some(code.to_owned()), message: message.into(), details: Vec::new(), is_about_the_call }
    }

    /// The failure with one more member in its JSON form.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// The failure with what a sealed error of the API holds: for `batch` alone, which answers with plaintext anyway.
    pub(crate) fn with_payload(error: &ResponseError) -> Self {
        let failure = Self::from(error);
        if let ResponseError::Api(api) = error { failure.with("payload", api.payload.as_deref()) } else { failure }
    }

    /// The failure with more said behind its message.
    pub(crate) fn hinting(mut self, hint: &str) -> Self {
        self.message.push_str(hint);
        self
    }

    pub(crate) fn exit_code(&self) -> u8 {
        if self.is_about_the_call { 2 } else { 1 }
    }

    pub(crate) fn to_json(&self) -> Value {
        let Self { code, message, details, is_about_the_call: _ } = self;
        let main = [("code", code.as_deref().into()), ("message", message.as_str().into())];
        let members = main.into_iter().chain(details.iter().cloned());
        members.map(|(name, value)| (name.to_owned(), value)).collect::<Map<String, Value>>().into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let status = self.details.iter().find(|(name, _)| *name == "status").map(|(_, status)| status);
        match (&self.code, status) {
            (Some(code), None) => write!(f, " ({code})"),
            (Some(code), Some(status)) => write!(f, " (http status {status}, {code})"),
            (None, Some(status)) => write!(f, " (http status {status})"),
            (None, None) => Ok(()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        // A wrong option is the caller's doing, whoever notices it.
        let failure = Self::new(error.code(), error.message(), error.kind() == ErrorCode::InvalidOption);
        match error.skew_micros() {
            Some(skew_micros) => failure.with("skew_micros", skew_micros),
            None => failure,
        }
    }
}

impl From<&ResponseError> for Failure {
    fn from(error: &ResponseError) -> Self {
        let failure = match error {
            ResponseError::Api(api) => Self {
                code: api.code.clone(),
                message: api.message.clone(),
                details: Vec::new(),
                is_about_the_call: false,
            }
            .with("api_error", true)
            .with("slug", api.slug.as_deref())
            .with("encrypted", api.encrypted),
            ResponseError::Envelope { error, .. } => Self::from(error).with("api_error", false),
            other => Self {
                code: other.code().map(ToOwned::to_owned),
                message: other.to_string(),
                details: Vec::new(),
                is_about_the_call: false,
            },
        };
        failure.with("status", error.status()).with("failure_class", error.failure_class().as_str())
    }
}

/// Text of the caller's as it stands in a message: in backticks, at most 40 characters, nothing that moves a cursor.
pub(crate) fn quoted(text: &str) -> String {
    let cut = text.char_indices().nth(40).map(|(end, _)| end);
    let shown: String = text.get(..cut.unwrap_or(text.len())).unwrap_or_default().chars().map(visible).collect();
    format!("`{shown}{}`", if cut.is_some() { "…" } else { "" })
}

fn visible(character: char) -> char {
    if character.is_control() { '\u{fffd}' } else { character }
}
