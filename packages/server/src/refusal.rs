//! Why a request has no result.

use cardseal::ERROR_SLUGS;
use serde_json::{Value, json};

/// A business error, which the server seals, or a defect of its own.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The request is refused: nothing of it happened.
    Business { slug: &'static str, message: String },
    /// A test asked for this error.
    Asked { slug: String },
    /// Something broke: all of the request is rolled back, its replay claims too. The text is for the log alone.
    Internal(String),
}

impl Refusal {
    pub(crate) fn new(slug: &'static str, message: impl Into<String>) -> Self {
        Self::Business { slug, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("invalid_request", message)
    }

    pub(crate) fn internal(cause: impl ToString) -> Self {
        Self::Internal(cause.to_string())
    }

    /// The slug.
    pub(crate) fn slug(&self) -> &str {
        match self {
            Self::Business { slug, .. } => slug,
            Self::Asked { slug } => slug,
            Self::Internal(_) => "internal_error",
        }
    }

    /// The sealed answer's status and payload (protocol: overview, errors). An unknown slug is a 400.
    pub(crate) fn answer(&self) -> (u16, Value) {
        let message = match self {
            Self::Business { message, .. } => message.as_str(),
            Self::Asked { .. } => "a fault that was asked for",
            Self::Internal(_) => "something broke inside the server: its log has the cause",
        };
        let slug = self.slug();
        let status = ERROR_SLUGS.iter().find(|known| known.slug == slug).map_or(400, |known| known.status);
        (status, json!({"success": false, "error": message, "error_slug": slug}))
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::internal(format!("database: {error}"))
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(error)
    }
}

/// What business rules return.
pub(crate) type Result<T, E = Refusal> = std::result::Result<T, E>;
