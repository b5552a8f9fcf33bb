//! Why the control plane does not do something.

use std::fmt;

use crate::refusal::Refusal;
use crate::server::in_words;

/// Why something was not done, in one line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlError {
    code: &'static str,
    message: String,
}

impl ControlError {
    /// What tells errors apart: `invalid_amount`, `invalid_fault`, `invalid_clock`, `clock_backwards`, `clock_with_redis`,
    /// `project_not_found`, `internal_error`, or a code of the core.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ControlError {}

impl From<Refusal> for ControlError {
    fn from(refusal: Refusal) -> Self {
        Self::new("internal_error", in_words(refusal))
    }
}

impl From<cardseal::Error> for ControlError {
    fn from(error: cardseal::Error) -> Self {
        Self::new(error.code(), error.message())
    }
}
