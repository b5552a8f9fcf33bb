//! The core's calls as operations: fields in, fields out.
//!
//! N-API and WebAssembly carry the same calls in different ways. This crate says once which calls there are, what goes in
//! and what comes out; a binding only moves fields ([`Arguments`], [`Reply`]) and lends a [`Host`]. A number is a field of
//! decimal digits, a flag one that is there or not.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod arguments;
mod operations;
mod session;
#[cfg(feature = "written")]
mod tape;

pub use arguments::Arguments;
pub use operations::perform;
#[cfg(feature = "written")]
pub use operations::seals;
pub use session::Session;
#[cfg(feature = "written")]
pub use tape::Written;

use cardseal::binding::Encrypted;
use cardseal::{Error, Plaintext, hazmat};

/// What the host of a binding lends the core.
pub trait Host: hazmat::Host {
    /// What the wall clock shows, in microseconds.
    ///
    /// # Errors
    /// `clock_unavailable`.
    fn wall_clock(&self) -> Result<cardseal::Timestamp, Error>;

    /// Moves the stamps of this host from now on, in place of any earlier offset.
    fn correct_clock(&self, offset_micros: i64);

    /// Random bytes for an idempotency key.
    ///
    /// # Errors
    /// `entropy_unavailable`.
    fn random(&self) -> Result<[u8; 16], Error>;
}

/// Takes the fields that a call answers with, in their order.
pub trait Reply {
    /// A field of text.
    fn text(&mut self, text: &str);

    /// A sealed body, for a host that can take it over.
    fn body(&mut self, body: Encrypted) {
        self.text(&body.into_body());
    }

    /// Decrypted text, for a host that can take it over and wipes it.
    fn plaintext(&mut self, text: Plaintext) {
        self.text(&text);
    }

    /// A field of bytes.
    fn bytes(&mut self, bytes: &[u8]);

    /// A field that is not there.
    fn none(&mut self);

    /// A field of decimal digits.
    fn number(&mut self, number: u64) {
        self.text(cardseal::json::write_digits(number, &mut [0; 20]));
    }
}

/// What the fields of a reply mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// What the operation gives.
    Done = 0,
    /// An error of the core: code, message, skew in microseconds or none, failure class or none.
    Refused = 1,
    /// An error of the API: slug or none, code or none, message, failure class, a flag for sealed, payload or none.
    ApiError = 2,
}
