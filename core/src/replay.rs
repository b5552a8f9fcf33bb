//! Has this request been seen? Keys to claim, and a store that remembers them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::digest::{digest, digest_parts, hex};
use crate::error::{Error, ErrorCode, Result};
use crate::idempotency::is_token;
use crate::json::decimal;
use crate::path::normalize_path;
use crate::request::Request;
use crate::secretbox::Nonce;
use crate::tables::{REPLAY_MAX_KEYS, REPLAY_TTL_MILLIS};
use crate::timestamp::Timestamp;

/// The two keys of a request that a server claims, in this order: timestamp, then nonce.
///
/// The first is the protocol's rule (same API key, path and timestamp). The second keeps a captured body from being
/// replayed on another path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReplayKeys {
    /// Hexadecimal SHA-256 of API key, path and timestamp.
    pub timestamp: String,
    /// Hexadecimal SHA-256 of API key and nonce.
    pub nonce: String,
}

impl ReplayKeys {
    /// The keys of a request given by its parts.
    ///
    /// # Errors
    /// `invalid_api_key`, `invalid_path`.
    pub fn of(api_key: &str, path: &str, timestamp: Timestamp, nonce: &Nonce) -> Result<Self> {
        check_api_key(api_key)?;
        let path = normalize_path(path)?;
        let digits = decimal(timestamp.as_micros());
        let api_key = api_key.as_bytes();
        Ok(Self {
            timestamp: hex(&digest_parts(&[
                b"cardseal replay timestamp v1",
                api_key,
                path.as_bytes(),
                digits.as_bytes(),
            ])),
            nonce: hex(&digest_parts(&[b"cardseal replay nonce v1", api_key, nonce])),
        })
    }
}

/// The keys of an opened request.
///
/// # Errors
/// `invalid_api_key`, `invalid_path`.
pub fn replay_keys(api_key: &str, path: &str, request: &Request) -> Result<ReplayKeys> {
    ReplayKeys::of(api_key, path, request.timestamp, &request.nonce)
}

pub(crate) fn check_api_key(api_key: &str) -> Result<()> {
    if is_token(api_key) {
        return Ok(());
    }
    let message = "the API key has to be 1 to 255 printable ASCII characters without spaces";
    Err(Error::new(ErrorCode::InvalidApiKey, message))
}

/// Remembers which keys have been claimed.
pub trait ReplayStore {
    /// Claims a key until `now_millis + ttl_millis`, atomically; true means that nobody had it.
    ///
    /// # Errors
    /// [`ErrorCode::ReplayStoreUnavailable`] when the store cannot answer: the caller must not run the request.
    fn claim(&mut self, key: &str, ttl_millis: u64, now_millis: u64) -> Result<bool>;
}

/// Claims both keys of a request; returns only if both were fresh.
///
/// `now` is the server's clock. Both are claimed whatever the first says, so that a second attempt under another path finds them.
///
/// # Errors
/// `replay_store_unavailable` if either claim could not be answered, else `duplicate_request` if either key was known.
///
/// ```
/// use cardseal::{MemoryReplayStore, ReplayKeys, Timestamp, claim_request};
/// let mut store = MemoryReplayStore::new();
/// let now = Timestamp::from_micros(1_700_000_000_000_000)?;
/// let keys = ReplayKeys::of("key_1", "/cards/topup", now, &[7; 24])?;
/// assert!(claim_request(&mut store, &keys, now).is_ok());
/// assert_eq!(claim_request(&mut store, &keys, now).unwrap_err().code(), "duplicate_request");
/// # Ok::<(), cardseal::Error>(())
/// ```
pub fn claim_request(store: &mut (impl ReplayStore + ?Sized), keys: &ReplayKeys, now: Timestamp) -> Result<()> {
    let now_millis = now.as_micros() / 1_000;
    let timestamp = store.claim(&keys.timestamp, REPLAY_TTL_MILLIS, now_millis);
    let nonce = store.claim(&keys.nonce, REPLAY_TTL_MILLIS, now_millis);
    if timestamp? & nonce? {
        return Ok(());
    }
    let message = "this request was received before: seal it again, with the same idempotency key, and resend";
    Err(Error::new(ErrorCode::DuplicateRequest, message))
}

/// A replay store in memory, bounded, for one process.
///
/// It never forgets a key before its time: when full of live keys it answers `replay_store_unavailable`.
pub struct MemoryReplayStore {
    max_keys: usize,
    /// The claimed keys' SHA-256, sorted, so that no chosen keys can make it slow.
    claimed: BTreeSet<[u8; 32]>,
    /// The same by the instant at which they are free again.
    by_expiry: BTreeMap<u64, Vec<[u8; 32]>>,
}

impl MemoryReplayStore {
    /// How many keys a store holds unless told otherwise: 2²⁰, two a request.
    pub const DEFAULT_MAX_KEYS: usize = REPLAY_MAX_KEYS as usize;

    /// An empty store for [`DEFAULT_MAX_KEYS`](Self::DEFAULT_MAX_KEYS).
    pub const fn new() -> Self {
        Self::with_max_keys(Self::DEFAULT_MAX_KEYS)
    }

    /// An empty store for `max_keys`.
    pub const fn with_max_keys(max_keys: usize) -> Self {
        Self { max_keys, claimed: BTreeSet::new(), by_expiry: BTreeMap::new() }
    }

    /// How many keys it holds; those that expired since the last claim count.
    pub fn len(&self) -> usize {
        self.claimed.len()
    }

    /// Whether it holds no key.
    pub fn is_empty(&self) -> bool {
        self.claimed.is_empty()
    }

    fn drop_expired(&mut self, now_millis: u64) {
        while let Some(oldest) = self.by_expiry.first_entry()
            && *oldest.key() <= now_millis
        {
            for key in oldest.remove() {
                self.claimed.remove(&key);
            }
        }
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_keys, claimed, by_expiry: _ } = self;
        f.debug_struct("MemoryReplayStore").field("max_keys", max_keys).field("keys", &claimed.len()).finish()
    }
}

impl Default for MemoryReplayStore {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplayStore for MemoryReplayStore {
    fn claim(&mut self, key: &str, ttl_millis: u64, now_millis: u64) -> Result<bool> {
        self.drop_expired(now_millis);
        let key = digest(key.as_bytes());
        if self.claimed.len() >= self.max_keys {
            if self.claimed.contains(&key) {
                return Ok(false);
            }
            let message = "the replay store is full: give it more room, or spread the load";
            return Err(Error::new(ErrorCode::ReplayStoreUnavailable, message));
        }
        // One search of the tree, not one to look and one to insert.
        if !self.claimed.insert(key) {
            return Ok(false);
        }
        let expiry = now_millis.saturating_add(ttl_millis);
        self.by_expiry.entry(expiry).or_default().push(key);
        Ok(true)
    }
}
