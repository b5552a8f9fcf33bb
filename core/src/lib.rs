//! The encrypted envelope of a card-issuing API: sealing, opening, and every rule around them.
//!
//! The API carries each HTTP body as `{"encrypted": "<base64>"}`, a NaCl secretbox around a JSON object that holds a
//! microsecond `request_timestamp`. An [`Envelope`] holds the key and does all of it:
//!
//! * a client seals with [`Envelope::seal_request`] and reads answers with [`Envelope::open_response`];
//! * a server reads requests with [`Envelope::open_request`], claims their [`ReplayKeys`] in a [`ReplayStore`], and
//!   answers with [`Envelope::seal_response`];
//! * a webhook receiver reads with [`Envelope::open_webhook`];
//! * [`Envelope::seal`] and [`Envelope::open`] are the plain pair beneath, [`Envelope::encrypt`] and
//!   [`Envelope::decrypt`] the bare field.
//!
#![cfg_attr(all(feature = "std", feature = "serde"), doc = "```")]
#![cfg_attr(not(all(feature = "std", feature = "serde")), doc = "```ignore")]
//! use cardseal::Envelope;
//! use serde_json::{Value, json};
//!
//! let envelope = Envelope::new("your_api_secret_key_here")?;
//! let body = envelope.seal(&json!({"card_id": "card_abc123"}))?; // {"encrypted":"Au3…"}
//! let payload: Value = envelope.open(&body)?;
//! assert_eq!(payload["card_id"], "card_abc123");
//! assert!(payload["request_timestamp"].is_u64()); // microseconds, added because none was there
//! # Ok::<(), cardseal::Error>(())
//! ```
//!
//! Every failure is an [`Error`] with a stable [`code`](Error::code). `SPEC.md` in the repository numbers every rule;
//! `tests/vectors` holds them as data.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `std` | yes | the system's clock and randomness; without it, [`hazmat`] takes both from the caller |
//! | `portable` | yes | the cipher from `crypto_secretbox`: `no_std` everywhere |
//! | `simd` | | the cipher from `dryoc`, and with `std` vector base64: several times faster; without `std` for WebAssembly alone |
//! | `serde` | yes | typed payloads: [`Envelope::open`], and with `std` [`Envelope::seal`] |
//! | `inspect` | | why a body does not open, step by step |
//! | `small` | | less code in the place of more speed: for WebAssembly |
//! | `writer` | | payloads put together by a binding: unstable |
//!
//! One engine is needed; with both, `simd` does the work. The bytes are the same.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(not(any(feature = "portable", feature = "simd")))]
compile_error!("cardseal needs a cipher engine: turn on the feature `portable` or `simd`");

mod base64;
#[doc(hidden)]
pub mod binding;
mod digest;
mod envelope;
mod error;
pub mod hazmat;
#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
mod host;
mod idempotency;
#[cfg(feature = "inspect")]
pub mod inspect;
#[doc(hidden)]
pub mod json;
mod key;
mod layout;
mod path;
mod payload;
mod records;
mod replay;
mod request;
mod response;
mod retry;
mod secretbox;
#[cfg(all(feature = "small", target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
mod status;
mod tables;
mod timestamp;
mod webhook;
mod wipe;

pub use envelope::{Body, DEFAULT_MAX_BYTES, Envelope, EnvelopeBuilder, MAX_OPEN_SECRETS, Plaintext};
pub use error::{Error, ErrorCode, Result};
pub use idempotency::{IdempotencyKey, canonical_json, fingerprint};
pub use layout::Layout;
pub use path::normalize_path;
pub use payload::Payload;
pub use records::{
    Begun, IDEMPOTENCY_SCRIPT, IdempotencyToken, MemoryIdempotencyStore, RecordKey, RecordedAnswer, check_record,
};
pub use replay::{MemoryReplayStore, ReplayKeys, ReplayStore, claim_request, replay_keys};
pub use request::{Request, RequestOptions, SealedRequest, required_headers};
pub use response::{ApiError, ErrorSlug, PlainError, ResponseError};
pub use retry::{
    Attempt, Endpoint, EndpointKind, FailureClass, RetryDecision, Sent, backoff_millis, endpoint_kind, should_retry,
};
pub use tables::*;
pub use timestamp::{Clock, Timestamp, Window};
pub use webhook::Webhook;

/// The version of this crate, and of every package of the toolkit.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The code in the repository's README, compiled.
#[cfg(all(doctest, feature = "std", feature = "serde"))]
#[doc = include_str!("../../README.md")]
struct Readme;
