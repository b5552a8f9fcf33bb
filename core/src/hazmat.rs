//! **Dangerous**: sealing with a nonce and a time that the caller gives.
//!
//! A nonce that is used twice under one key gives both messages away, and lets anyone forge more. Nothing here can
//! notice. This module is for test vectors, and for hosts without an operating system, where a [`NoncePool`] hands out
//! the bytes; everyone else calls the methods of [`Envelope`], which ask the operating system.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroize;

use crate::binding;
use crate::digest::digest;
use crate::envelope::Envelope;
use crate::error::{Error, ErrorCode, Result};
use crate::layout::Encrypted;
use crate::request::{RequestHead, RequestOptions, SealedRequest};
use crate::timestamp::Timestamp;
use crate::wipe::{Wipe, Wiped};

pub use crate::secretbox::Nonce;

/// Gives time and nonces to the calls of this module that end in `_on`, which ask only once they need them.
pub trait Host {
    /// The next timestamp, later than all before it.
    ///
    /// # Errors
    /// `clock_unavailable`.
    fn stamp(&self) -> Result<Timestamp>;

    /// A nonce that was never given before.
    ///
    /// # Errors
    /// `entropy_unavailable`.
    fn nonce(&self) -> Result<Nonce>;
}

/// [`Envelope::seal_json`] with the time and the nonces of a host.
///
/// # Errors
/// As there.
pub fn seal_json_on(host: &impl Host, envelope: &Envelope, json: &str) -> Result<String> {
    binding::seal_on(host, envelope, json).map(Encrypted::into_body)
}

/// [`Envelope::seal_request_json`] with the time and the nonces of a host.
///
/// # Errors
/// As there.
pub fn seal_request_json_on(
    host: &impl Host,
    envelope: &Envelope,
    path: &str,
    json: &str,
    options: &RequestOptions<'_>,
) -> Result<SealedRequest> {
    let sealed = binding::seal_request_on(host, envelope, RequestHead::new(path, options)?, json);
    sealed.map(|request| request.map_body(Encrypted::into_body))
}

/// [`Envelope::seal_response_json`] with the nonces of a host.
///
/// # Errors
/// As there.
pub fn seal_response_json_on(host: &impl Host, envelope: &Envelope, json: &str) -> Result<String> {
    binding::seal_response_on(host, envelope, json).map(Encrypted::into_body)
}

/// [`Envelope::seal_webhook_json`] with the nonces of a host.
///
/// # Errors
/// As there.
pub fn seal_webhook_json_on(host: &impl Host, envelope: &Envelope, json: &str) -> Result<String> {
    binding::seal_webhook_on(host, envelope, json).map(Encrypted::into_body)
}

/// A nonce from the operating system: what a [`Host`] that has one gives.
///
/// # Errors
/// `entropy_unavailable`.
#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
pub fn system_nonce() -> Result<Nonce> {
    crate::host::random()
}

/// [`Envelope::seal_json`] with a given time and nonce.
///
/// # Errors
/// As there, but for the host's.
pub fn seal_json(envelope: &Envelope, json: &str, timestamp: Timestamp, nonce: &Nonce) -> Result<String> {
    envelope.seal_with(json, || Ok(timestamp), || Ok(*nonce)).map(Encrypted::into_body)
}

/// [`Envelope::seal_request_json`] with a given time and nonce.
///
/// # Errors
/// As there, but for the host's.
pub fn seal_request_json(
    envelope: &Envelope,
    path: &str,
    json: &str,
    options: &RequestOptions<'_>,
    timestamp: Timestamp,
    nonce: &Nonce,
) -> Result<SealedRequest> {
    envelope
        .seal_request_with(RequestHead::new(path, options)?, json, || Ok(timestamp), || Ok(*nonce))
        .map(|request| request.map_body(Encrypted::into_body))
}

/// [`Envelope::seal_response_json`] with a given nonce.
///
/// # Errors
/// As there, but for the host's.
pub fn seal_response_json(envelope: &Envelope, json: &str, nonce: &Nonce) -> Result<String> {
    envelope.seal_response_with(json, || Ok(*nonce)).map(Encrypted::into_body)
}

/// [`Envelope::seal_webhook_json`] with a given nonce.
///
/// # Errors
/// As there, but for the host's.
pub fn seal_webhook_json(envelope: &Envelope, json: &str, nonce: &Nonce) -> Result<String> {
    envelope.seal_webhook_with(json, || Ok(*nonce)).map(Encrypted::into_body)
}

/// [`Envelope::encrypt`] with a given nonce.
///
/// # Errors
/// As there, but for the host's.
pub fn encrypt(envelope: &Envelope, message: &[u8], nonce: &Nonce) -> Result<String> {
    envelope.encrypt_with(message, nonce).map(Encrypted::into_field)
}

/// Random bytes from a host that can only hand them over in bulk, given out as nonces, each once.
#[derive(Default)]
pub struct NoncePool {
    bytes: Wiped<Vec<u8>>,
    /// Where the bytes that are left begin.
    next: usize,
    last_refill: Option<[u8; 32]>,
}

impl NoncePool {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty pool that goes on where another one ended, so that the other's last refill is not taken again.
    pub fn after(last_refill: Option<[u8; 32]>) -> Self {
        Self { last_refill, ..Self::default() }
    }

    /// The SHA-256 of the last refill: what [`after`](Self::after) needs.
    pub fn last_refill(&self) -> Option<[u8; 32]> {
        self.last_refill
    }

    /// Whether the next [`take`](Self::take) needs a refill first.
    pub fn is_empty(&self) -> bool {
        self.next >= self.bytes.len()
    }

    /// Takes over fresh random bytes, a multiple of 24, in the place of what was left, and wipes the caller's copy.
    ///
    /// # Errors
    /// `entropy_unavailable` for another length, when the bytes are those of the last refill, or when two nonces side by
    /// side are equal: the host's generator stands still, was rewound, or wrote nothing.
    pub fn refill(&mut self, fresh: &mut [u8]) -> Result<()> {
        self.bytes.wipe();
        self.next = 0;
        let digest = digest(fresh);
        let (nonces, rest) = fresh.as_chunks::<{ size_of::<Nonce>() }>();
        let repeats = nonces.windows(2).any(|pair| matches!(pair, [first, second] if first == second));
        if nonces.is_empty() || !rest.is_empty() || repeats || self.last_refill == Some(digest) {
            fresh.zeroize();
            return Err(unavailable());
        }
        self.last_refill = Some(digest);
        self.bytes.extend_from_slice(fresh);
        fresh.zeroize();
        Ok(())
    }

    /// The next nonce.
    ///
    /// # Errors
    /// `entropy_unavailable` when the pool is empty.
    pub fn take(&mut self) -> Result<Nonce> {
        let slot = self.bytes.get_mut(self.next..).and_then(<[u8]>::first_chunk_mut::<{ size_of::<Nonce>() }>);
        let nonce = core::mem::take(slot.ok_or_else(unavailable)?);
        self.next += nonce.len();
        Ok(nonce)
    }
}

impl core::fmt::Debug for NoncePool {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "NoncePool({} bytes left)", self.bytes.len().saturating_sub(self.next))
    }
}

fn unavailable() -> Error {
    Error::new(ErrorCode::EntropyUnavailable, "the host gives no fresh random bytes: nothing was sealed")
}
