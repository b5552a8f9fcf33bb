//! Idempotency records: what became of the request that came first (SPEC.md, section 14).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cardseal::{Begun, Error, IdempotencyToken, MemoryIdempotencyStore, RecordKey, RecordedAnswer, Timestamp};

/// Idempotency records that a server waits for.
///
/// An error is `replay_store_unavailable`, where the store does not answer, or `invalid_option`: what was to begin must not be
/// carried out.
///
/// ```
/// use std::time::Duration;
/// use cardseal::{Begun, RecordKey, RecordedAnswer, fingerprint};
/// use cardseal_http::server::IdempotencyStore;
///
/// async fn top_up(records: &impl IdempotencyStore, api_key: &str, key: &str, json: &str) -> cardseal::Result<RecordedAnswer> {
///     let record = RecordKey::of(api_key, key)?;
///     match records.begin(&record, &fingerprint("/cards/topup", json)?, Duration::from_secs(60)).await? {
///         Begun::New(token) => {
///             let answer = RecordedAnswer::new(200, r#"{"order_id":"o-1"}"#)?; // here the card is topped up
///             records.complete(&token, answer.clone()).await?;
///             Ok(answer)
///         }
///         Begun::Replay(answer) => Ok(answer),
///         Begun::Conflict => RecordedAnswer::new(400, r#"{"success":false,"error_slug":"invalid_request"}"#),
///         Begun::InProgress | Begun::OutcomeUnknown => {
///             RecordedAnswer::new(503, r#"{"success":false,"error_slug":"internal_error"}"#)
///         }
///     }
/// }
/// ```
pub trait IdempotencyStore: Send + Sync + 'static {
    /// Begins a request, atomically, or says what is known of it.
    ///
    /// # Errors
    /// `replay_store_unavailable`; `invalid_option` for a fingerprint that is none, a lease under 1 ms or over a day.
    fn begin(
        &self,
        key: &RecordKey,
        fingerprint: &str,
        lease: Duration,
    ) -> impl Future<Output = Result<Begun, Error>> + Send;

    /// Begins a request also where a lease ended without an answer: for who has looked at what was left.
    ///
    /// # Errors
    /// Those of [`begin`](Self::begin).
    fn take_over(
        &self,
        key: &RecordKey,
        fingerprint: &str,
        lease: Duration,
    ) -> impl Future<Output = Result<Begun, Error>> + Send;

    /// Stores the answer; false if the token is not the record's any more, or another answer is there already.
    ///
    /// # Errors
    /// `replay_store_unavailable`.
    fn complete(
        &self,
        token: &IdempotencyToken,
        answer: RecordedAnswer,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Says that nothing was done, so that the request can begin again; false as with [`complete`](Self::complete).
    ///
    /// # Errors
    /// `replay_store_unavailable`.
    fn give_back(&self, token: &IdempotencyToken) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Records in this process, behind a lock: for one process, which may forget them when it ends.
#[derive(Debug, Default)]
pub struct SharedIdempotencyStore(Mutex<MemoryIdempotencyStore>);

impl SharedIdempotencyStore {
    /// Puts a store behind a lock.
    pub const fn new(store: MemoryIdempotencyStore) -> Self {
        Self(Mutex::new(store))
    }

    fn with<T>(&self, step: impl FnOnce(&mut MemoryIdempotencyStore, u64) -> T) -> Result<T, Error> {
        let now_millis = Timestamp::wall_clock()?.as_micros() / 1_000;
        Ok(step(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), now_millis))
    }
}

impl IdempotencyStore for SharedIdempotencyStore {
    async fn begin(&self, key: &RecordKey, fingerprint: &str, lease: Duration) -> Result<Begun, Error> {
        self.with(|store, now| store.begin(key, fingerprint, millis(lease), now))?
    }

    async fn take_over(&self, key: &RecordKey, fingerprint: &str, lease: Duration) -> Result<Begun, Error> {
        self.with(|store, now| store.take_over(key, fingerprint, millis(lease), now))?
    }

    async fn complete(&self, token: &IdempotencyToken, answer: RecordedAnswer) -> Result<bool, Error> {
        self.with(|store, now| store.complete(token, answer, now))
    }

    async fn give_back(&self, token: &IdempotencyToken) -> Result<bool, Error> {
        self.with(|store, now| store.give_back(token, now))
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
