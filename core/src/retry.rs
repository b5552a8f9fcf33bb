//! What a failure means for the next attempt.

use core::fmt;
use core::str::FromStr;

use crate::error::{Error, ErrorCode, Result, quoted};
use crate::path::normalize_path;
use crate::response::PlainError;
use crate::tables::{BACKOFF_FIRST_MILLIS, BACKOFF_LONGEST_MILLIS, ENDPOINTS, ERROR_SLUGS};

/// An endpoint of the API and what repeating a call to it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// The normalised path.
    pub path: &'static str,
    /// What repeating a call does.
    pub kind: EndpointKind,
}

/// The kind of the endpoint behind a path or URL; [`EndpointKind::Unsafe`] for one that is not listed.
///
/// # Errors
/// `invalid_path`.
///
/// ```
/// use cardseal::{EndpointKind, endpoint_kind};
/// assert_eq!(endpoint_kind("https://api.example.com/api/v1/cards/topup")?, EndpointKind::Keyed);
/// assert_eq!(endpoint_kind("/cards/freeze")?, EndpointKind::Unsafe);
/// # Ok::<(), cardseal::Error>(())
/// ```
pub fn endpoint_kind(path_or_url: &str) -> Result<EndpointKind> {
    Ok(kind_of_normalized(&normalize_path(path_or_url)?))
}

pub(crate) fn kind_of_normalized(path: &str) -> EndpointKind {
    ENDPOINTS.iter().find(|endpoint| endpoint.path == path).map_or(EndpointKind::Unsafe, |endpoint| endpoint.kind)
}

/// Writes an enum whose values have names that every language shares.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident, $what:literal: $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $type {
            /// The name that every language shares.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = Error;

            /// # Errors
            /// `invalid_option` for a name that is none of these.
            fn from_str(name: &str) -> Result<Self> {
                match name {
                    $($name => Ok(Self::$variant),)*
                    _ => {
                        let names = concat!($(" `", $name, "`"),*);
                        let message = [&quoted(name), " is no ", $what, ": use one of", names].concat();
                        Err(Error::new(ErrorCode::InvalidOption, message))
                    }
                }
            }
        }
    };
}

named! {
    /// What repeating a call to an endpoint does.
    EndpointKind, "kind of endpoint":
    /// Reads: can be repeated at will.
    Read = "read",
    /// Charges once for each idempotency key: can be repeated with the same key.
    Keyed = "keyed",
    /// Changes something each time: must not be repeated blindly.
    Unsafe = "unsafe",
}

named! {
    /// What a failure says about trying again.
    FailureClass, "failure class":
    /// The answer will not change: a business or authentication error.
    Never = "never",
    /// The envelope was stale or seen before: seal anew, with the same idempotency key.
    Reseal = "reseal",
    /// The server or the network failed for now.
    Transient = "transient",
    /// Another time, by another job: not in a loop.
    Later = "later",
}

named! {
    /// Whether the failed attempt reached the server.
    Sent, "answer to whether it was sent":
    /// Not one byte left.
    No = "no",
    /// At least one byte left, whether or not an answer came.
    Yes = "yes",
    /// Nobody can tell; counts as yes.
    Unknown = "unknown",
}

named! {
    /// What to do after a failed attempt.
    RetryDecision, "retry decision":
    /// Seal again and send at once.
    RetryNow = "retry_now",
    /// Wait (exponential backoff with jitter), seal again, send.
    RetryAfterBackoff = "retry_after_backoff",
    /// Give up: the failure stands.
    Stop = "stop",
    /// Give up, and tell the caller that the call may have been carried out.
    OutcomeUnknown = "outcome_unknown",
}

/// A failed attempt, as [`should_retry`] judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// The endpoint's kind: [`endpoint_kind`].
    pub kind: EndpointKind,
    /// The failure's class.
    pub class: FailureClass,
    /// The failure's code, if it has one: reseals have different limits.
    pub code: Option<&'a str>,
    /// Whether it reached the server.
    pub sent: Sent,
    /// Whether the request carried an idempotency key.
    pub has_key: bool,
    /// How many attempts there have been, this one included.
    pub attempt: u32,
}

/// Whether to try again after a failed attempt, and how.
///
/// How often a transient failure is worth another try is for the caller's deadline to say.
///
/// ```
/// use cardseal::{Attempt, EndpointKind, FailureClass, RetryDecision, Sent, should_retry};
/// let timed_out = Attempt {
///     kind: EndpointKind::Keyed,
///     class: FailureClass::Transient,
///     code: None,
///     sent: Sent::Unknown,
///     has_key: true,
///     attempt: 1,
/// };
/// assert_eq!(should_retry(&timed_out), RetryDecision::RetryAfterBackoff);
/// assert_eq!(should_retry(&Attempt { kind: EndpointKind::Unsafe, ..timed_out }), RetryDecision::OutcomeUnknown);
/// ```
pub fn should_retry(failed: &Attempt<'_>) -> RetryDecision {
    let Attempt { kind, class, code, sent, has_key, attempt } = *failed;
    let repeatable = kind == EndpointKind::Read || (kind == EndpointKind::Keyed && has_key);
    match class {
        FailureClass::Never | FailureClass::Later => RetryDecision::Stop,
        _ if !repeatable && sent != Sent::No => RetryDecision::OutcomeUnknown,
        FailureClass::Transient => RetryDecision::RetryAfterBackoff,
        FailureClass::Reseal if attempt.max(1) <= reseal_limit(code) => RetryDecision::RetryNow,
        FailureClass::Reseal => RetryDecision::Stop,
    }
}

/// How long to wait after a failed attempt, in milliseconds: exponential backoff with full jitter.
///
/// `attempt` is how many there have been, this one included; `random` is 32 random bits, which spread the waits of many
/// clients evenly from 0 to the limit: [`BACKOFF_FIRST_MILLIS`], doubled with each attempt up to [`BACKOFF_LONGEST_MILLIS`].
///
/// ```
/// use cardseal::backoff_millis;
/// assert_eq!((backoff_millis(1, u32::MAX), backoff_millis(2, 1 << 31), backoff_millis(99, u32::MAX)), (249, 250, 7_999));
/// ```
pub fn backoff_millis(attempt: u32, random: u32) -> u64 {
    let doublings = 1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX);
    let limit = BACKOFF_FIRST_MILLIS.saturating_mul(doublings).min(BACKOFF_LONGEST_MILLIS);
    (limit * u64::from(random)) >> 32
}

/// A clock that was wrong once is wrong again; a collision of stamps is not.
fn reseal_limit(code: Option<&str>) -> u32 {
    if code == Some(ErrorCode::TimestampOutsideWindow.as_str()) { 1 } else { 3 }
}

/// The class of one of the eight errors in plain text.
pub(crate) fn class_of_plain(plain: &PlainError) -> FailureClass {
    let reseal = [ErrorCode::DuplicateRequest, ErrorCode::TimestampOutsideWindow];
    if reseal.iter().any(|code| code.as_str() == plain.code) { FailureClass::Reseal } else { FailureClass::Never }
}

/// The class of a sealed error by its slug, or by the HTTP status where the slug is unknown or missing.
pub(crate) fn class_of_slug(slug: Option<&str>, status: u16) -> FailureClass {
    match ERROR_SLUGS.iter().find(|known| Some(known.slug) == slug) {
        Some(known) if known.slug == "topup_attempts_exceeded" => FailureClass::Later,
        Some(known) => class_of_status(known.status),
        None => class_of_status(status),
    }
}

/// The class of an answer of which only the HTTP status can be believed.
pub(crate) const fn class_of_status(status: u16) -> FailureClass {
    match status {
        408 | 425 | 429 | 500..=599 => FailureClass::Transient,
        _ => FailureClass::Never,
    }
}
