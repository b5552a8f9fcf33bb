//! What became of a request whose idempotency key comes again: records, and a store in memory that keeps them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::digest::{digest_parts, hex};
use crate::error::{Error, ErrorCode, Result};
use crate::idempotency::{IdempotencyKey, is_token};
use crate::json::decimal;
use crate::replay::check_api_key;
use crate::tables::{IDEMPOTENCY_LEASE_MAX_MILLIS, IDEMPOTENCY_MAX_RECORDS, IDEMPOTENCY_TTL_MILLIS};

/// The key of an idempotency record: hexadecimal SHA-256 of API key and idempotency key, since keys belong to a project.
///
/// ```
/// use cardseal::RecordKey;
/// let key = RecordKey::of("key_1", "topup-invoice-42")?;
/// assert_eq!(key.as_str(), "815e3a7da9ce1e4b36285ce01824d7c721ddbbc9f8d693dfbf45a24c0c2e691f");
/// # Ok::<(), cardseal::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(String);

impl RecordKey {
    /// The key of the record for what an API key and an idempotency key name together.
    ///
    /// # Errors
    /// `invalid_api_key`, `invalid_idempotency_key`.
    pub fn of(api_key: &str, idempotency_key: &str) -> Result<Self> {
        check_api_key(api_key)?;
        let key = IdempotencyKey::parse(idempotency_key)?;
        Ok(Self(hex(&digest_parts(&[b"cardseal idempotency record v1", api_key.as_bytes(), key.as_str().as_bytes()]))))
    }

    /// The key's 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What whoever carries a request out holds: of two tokens of one record the later has the higher number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyToken {
    /// The record's key.
    pub key: RecordKey,
    /// The record's number when the token was given.
    pub number: u64,
}

impl fmt::Display for IdempotencyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key.0, self.number)
    }
}

impl FromStr for IdempotencyToken {
    type Err = Error;

    /// # Errors
    /// `invalid_option` for a text that no token has.
    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once(':').and_then(|(key, digits)| {
            let number: u64 = digits.parse().ok()?;
            let is_key = key.len() == 64 && key.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            (is_key && decimal(number) == digits).then(|| Self { key: RecordKey(key.into()), number })
        });
        parsed.ok_or_else(|| option("this is no token of an idempotency record: give the one that `begin` gave"))
    }
}

/// The answer to a request, kept for those that come again: an HTTP status and a body.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RecordedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, in whatever form the server keeps it.
    pub body: Vec<u8>,
}

impl RecordedAnswer {
    /// An answer to keep.
    ///
    /// # Errors
    /// `invalid_option` for a status outside 100 to 599.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Result<Self> {
        if !(100..=599).contains(&status) {
            return Err(option("the status of an answer has to be from 100 to 599"));
        }
        Ok(Self { status, body: body.into() })
    }
}

impl fmt::Debug for RecordedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, body } = self; // plaintext: its length alone
        f.debug_struct("RecordedAnswer").field("status", status).field("body_bytes", &body.len()).finish()
    }
}

/// What a request finds that begins under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: carry it out, then complete the record with this token.
    New(IdempotencyToken),
    /// This answer, of the request that came first.
    Replay(RecordedAnswer),
    /// Another that is being carried out: let it come again.
    InProgress,
    /// Another request: this key was used for something else.
    Conflict,
    /// One that was begun, and of which nobody said how it ended: look into your own books, then take it over.
    OutcomeUnknown,
}

impl Begun {
    /// Its name in the vectors and in other languages, such as `in_progress`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::New(_) => "new",
            Self::Replay(_) => "replay",
            Self::InProgress => "in_progress",
            Self::Conflict => "conflict",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }
}

/// Checks what a store is asked to begin: the length of a lease, and a fingerprint.
///
/// # Errors
/// `invalid_option` for a lease of 0 or of more than a day, and for a fingerprint that is not 1 to 255 printable ASCII
/// characters.
#[doc(hidden)]
pub fn check_record(fingerprint: &str, lease_millis: u64) -> Result<()> {
    if !(1..=IDEMPOTENCY_LEASE_MAX_MILLIS).contains(&lease_millis) {
        return Err(option("a lease has to be from 1 millisecond to a day"));
    }
    if !is_token(fingerprint) {
        return Err(option("there is no fingerprint: make one with `fingerprint`, of path and payload"));
    }
    Ok(())
}

fn option(message: &'static str) -> Error {
    Error::new(ErrorCode::InvalidOption, message)
}

/// One step on a record in Redis, a Lua script for every language: what it takes and gives stands at its head.
pub const IDEMPOTENCY_SCRIPT: &str = include_str!("../data/idempotency.lua");

/// Idempotency records in memory, bounded, for one process that may forget them when it ends.
///
/// ```
/// use cardseal::{Begun, MemoryIdempotencyStore, RecordKey, RecordedAnswer, fingerprint};
/// let (mut records, now) = (MemoryIdempotencyStore::new(), 1_700_000_000_000);
/// let key = RecordKey::of("key_1", "topup-invoice-42")?;
/// let print = fingerprint("/cards/topup", r#"{"card_id":"card_abc123","amount":"10.00"}"#)?;
/// let Begun::New(token) = records.begin(&key, &print, 60_000, now)? else { unreachable!() };
/// assert_eq!(records.begin(&key, &print, 60_000, now + 1)?, Begun::InProgress);
/// let answer = RecordedAnswer::new(200, r#"{"order_id":"o-1"}"#)?;
/// assert!(records.complete(&token, answer.clone(), now + 2));
/// assert_eq!(records.begin(&key, &print, 60_000, now + 3)?, Begun::Replay(answer));
/// # Ok::<(), cardseal::Error>(())
/// ```
pub struct MemoryIdempotencyStore {
    max_records: usize,
    records: BTreeMap<RecordKey, Record>,
    /// The same by the instant at which they are forgotten.
    by_end: BTreeSet<(u64, RecordKey)>,
}

struct Record {
    number: u64,
    /// None once it was given back.
    begun: Option<Begin>,
    answer: Option<RecordedAnswer>,
    end: u64,
}

struct Begin {
    fingerprint: String,
    lease_end: u64,
}

impl MemoryIdempotencyStore {
    /// How many records a store holds unless told otherwise.
    pub const DEFAULT_MAX_RECORDS: usize = IDEMPOTENCY_MAX_RECORDS as usize;

    /// An empty store for [`DEFAULT_MAX_RECORDS`](Self::DEFAULT_MAX_RECORDS).
    pub const fn new() -> Self {
        Self::with_max_records(Self::DEFAULT_MAX_RECORDS)
    }

    /// An empty store for `max_records`.
    pub const fn with_max_records(max_records: usize) -> Self {
        Self { max_records, records: BTreeMap::new(), by_end: BTreeSet::new() }
    }

    /// Begins a request, or says what is known of it. `now_millis` is the server's clock, in milliseconds since 1970.
    ///
    /// # Errors
    /// `invalid_option` for a lease or a fingerprint that is none; `replay_store_unavailable` if the store is full.
    pub fn begin(&mut self, key: &RecordKey, fingerprint: &str, lease_millis: u64, now_millis: u64) -> Result<Begun> {
        self.begin_or_take_over(key, fingerprint, lease_millis, now_millis, false)
    }

    /// Begins a request also where a lease ended without an answer: for who has looked at what was left.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin).
    pub fn take_over(
        &mut self,
        key: &RecordKey,
        fingerprint: &str,
        lease_millis: u64,
        now_millis: u64,
    ) -> Result<Begun> {
        self.begin_or_take_over(key, fingerprint, lease_millis, now_millis, true)
    }

    fn begin_or_take_over(
        &mut self,
        key: &RecordKey,
        fingerprint: &str,
        lease_millis: u64,
        now_millis: u64,
        takes_over: bool,
    ) -> Result<Begun> {
        check_record(fingerprint, lease_millis)?;
        self.forget(now_millis);
        let known = self.records.get(key);
        if let Some(Record { begun: Some(begun), answer, .. }) = known {
            if begun.fingerprint != fingerprint {
                return Ok(Begun::Conflict);
            }
            if let Some(answer) = answer {
                return Ok(Begun::Replay(answer.clone()));
            }
            if now_millis < begun.lease_end {
                return Ok(Begun::InProgress);
            }
            if !takes_over {
                return Ok(Begun::OutcomeUnknown);
            }
        }
        if known.is_none() && self.records.len() >= self.max_records {
            let message = "the store of idempotency records is full: give it more room, or keep them in Redis";
            return Err(Error::new(ErrorCode::ReplayStoreUnavailable, message));
        }
        let number = known.map_or(now_millis, |record| now_millis.max(record.number.saturating_add(1)));
        let lease_end = now_millis.saturating_add(lease_millis);
        let begun = Some(Begin { fingerprint: fingerprint.to_string(), lease_end });
        self.keep(key, Record { number, begun, answer: None, end: lease_end.saturating_add(IDEMPOTENCY_TTL_MILLIS) });
        Ok(Begun::New(IdempotencyToken { key: key.clone(), number }))
    }

    /// Stores the answer; false if the token is not the record's any more, or another answer is there already.
    pub fn complete(&mut self, token: &IdempotencyToken, answer: RecordedAnswer, now_millis: u64) -> bool {
        self.change(token, now_millis, |record| {
            let is_stored = record.answer.as_ref().is_none_or(|stored| *stored == answer);
            if is_stored {
                record.answer = Some(answer);
            }
            is_stored
        })
    }

    /// Says that nothing was done, so that the request can begin again; false if the token is not the record's any more, or
    /// an answer is there already.
    pub fn give_back(&mut self, token: &IdempotencyToken, now_millis: u64) -> bool {
        self.change(token, now_millis, |record| {
            let is_open = record.answer.is_none();
            if is_open {
                record.begun = None;
            }
            is_open
        })
    }

    /// How many records it holds; those that ended since the last step count.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it holds no record.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn change(&mut self, token: &IdempotencyToken, now_millis: u64, step: impl FnOnce(&mut Record) -> bool) -> bool {
        self.forget(now_millis);
        let Some(record) = self.records.get_mut(&token.key) else { return false };
        if record.number != token.number || record.begun.is_none() || !step(record) {
            return false;
        }
        self.by_end.remove(&(record.end, token.key.clone()));
        record.end = now_millis.saturating_add(IDEMPOTENCY_TTL_MILLIS);
        self.by_end.insert((record.end, token.key.clone()));
        true
    }

    fn keep(&mut self, key: &RecordKey, record: Record) {
        let end = record.end;
        if let Some(before) = self.records.insert(key.clone(), record) {
            self.by_end.remove(&(before.end, key.clone()));
        }
        self.by_end.insert((end, key.clone()));
    }

    fn forget(&mut self, now_millis: u64) {
        while let Some((end, _)) = self.by_end.first()
            && *end <= now_millis
            && let Some((_, key)) = self.by_end.pop_first()
        {
            self.records.remove(&key);
        }
    }
}

impl fmt::Debug for MemoryIdempotencyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_records, records, by_end: _ } = self;
        f.debug_struct("MemoryIdempotencyStore")
            .field("max_records", max_records)
            .field("records", &records.len())
            .finish()
    }
}

impl Default for MemoryIdempotencyStore {
    fn default() -> Self {
        Self::new()
    }
}
