//! Why a call failed.

use std::fmt;

use cardseal::{ApiError, FailureClass, ResponseError};

/// Why a call failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The request could not be sealed, or is none that this API knows: nothing was sent.
    Envelope(cardseal::Error),
    /// The API answered with an error, or with what cannot be believed or does not fit.
    Response(ResponseError),
    /// No answer came.
    Transport(Box<dyn std::error::Error + Send + Sync>),
    /// The call may have been carried out, and cannot be repeated by itself.
    OutcomeUnknown(Box<OutcomeUnknown>),
    /// An order had not ended when the time was up. It goes on by itself: ask again.
    OrderPending {
        /// The order, as the API gave it last.
        order: serde_json::Value,
    },
}

/// A call that may have been carried out: its last failure says nothing about it.
///
/// Ask `/orders/check` or `/cards/get`, or call again with the same idempotency key, which charges nobody twice.
#[derive(Debug)]
#[non_exhaustive]
pub struct OutcomeUnknown {
    /// The normalised path.
    pub path: String,
    /// What to call again with.
    pub idempotency_key: Option<String>,
    /// How many attempts there were.
    pub attempts: u32,
    /// How the last one failed.
    pub last: Error,
}

impl Error {
    /// The code: of the envelope's error, the API's, or `outcome_unknown`, `order_pending`; none where no answer came.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Envelope(error) => Some(error.code()),
            Self::Response(error) => error.code(),
            Self::Transport(_) => None,
            Self::OutcomeUnknown(_) => Some("outcome_unknown"),
            Self::OrderPending { .. } => Some("order_pending"),
        }
    }

    /// The API's error, if that is what it is.
    pub fn as_api(&self) -> Option<&ApiError> {
        match self {
            Self::Response(ResponseError::Api(error)) => Some(error),
            _ => None,
        }
    }

    /// What it says about trying again; without an answer, that the network failed for now.
    pub(crate) fn class(&self) -> FailureClass {
        match self {
            Self::Response(error) => error.failure_class(),
            Self::Transport(_) => FailureClass::Transient,
            Self::Envelope(_) | Self::OutcomeUnknown(_) | Self::OrderPending { .. } => FailureClass::Never,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Envelope(error) => error.fmt(f),
            Self::Response(error) => error.fmt(f),
            Self::Transport(error) => write!(f, "no answer came: {error}"),
            Self::OutcomeUnknown(unknown) => {
                let OutcomeUnknown { path, idempotency_key, attempts, last } = &**unknown;
                write!(f, "the call to {path} may have been carried out ({attempts} attempts, the last: {last}): ")?;
                f.write_str(if idempotency_key.is_some() {
                    "call again with the same idempotency key (outcome_unknown)"
                } else {
                    "ask the API before you repeat it (outcome_unknown)"
                })
            }
            Self::OrderPending { .. } => f.write_str("the order has not ended yet: ask again later (order_pending)"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Envelope(error) => Some(error),
            Self::Response(error) => Some(error),
            Self::Transport(error) => Some(&**error),
            Self::OutcomeUnknown(unknown) => Some(&unknown.last),
            Self::OrderPending { .. } => None,
        }
    }
}

impl From<cardseal::Error> for Error {
    fn from(error: cardseal::Error) -> Self {
        Self::Envelope(error)
    }
}
