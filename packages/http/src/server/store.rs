//! Claims: has this been seen?

use std::sync::{Mutex, PoisonError};

use cardseal::{Error, ReplayKeys, ReplayStore, Timestamp, claim_request};

/// Claims that a server waits for: a [`cardseal::ReplayStore`] behind a lock, or one that processes share.
///
/// An error is `replay_store_unavailable`: what was to be claimed must not be executed.
pub trait ClaimStore: Send + Sync + 'static {
    /// Claims both keys of a request; returns only if both were fresh.
    ///
    /// # Errors
    /// `duplicate_request`, `replay_store_unavailable`.
    fn claim_request(&self, keys: &ReplayKeys, now: Timestamp) -> impl Future<Output = Result<(), Error>> + Send;

    /// Claims a key for `ttl_millis`; true means that nobody had it.
    ///
    /// # Errors
    /// `replay_store_unavailable`.
    fn claim(&self, key: &str, ttl_millis: u64) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// A store in this process behind a lock.
///
/// ```
/// use cardseal::MemoryReplayStore;
/// use cardseal_http::server::SharedReplayStore;
/// let store = SharedReplayStore::new(MemoryReplayStore::new());
/// ```
#[derive(Debug)]
pub struct SharedReplayStore<S>(Mutex<S>);

impl<S> SharedReplayStore<S> {
    /// Puts a store behind a lock.
    pub const fn new(store: S) -> Self {
        Self(Mutex::new(store))
    }

    /// Puts another store in its place, and gives the old one.
    pub fn replace(&self, store: S) -> S {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), store)
    }
}

impl<S: ReplayStore + Send + 'static> ClaimStore for SharedReplayStore<S> {
    async fn claim_request(&self, keys: &ReplayKeys, now: Timestamp) -> Result<(), Error> {
        claim_request(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), keys, now)
    }

    async fn claim(&self, key: &str, ttl_millis: u64) -> Result<bool, Error> {
        let now_millis = Timestamp::wall_clock()?.as_micros() / 1_000;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).claim(key, ttl_millis, now_millis)
    }
}
