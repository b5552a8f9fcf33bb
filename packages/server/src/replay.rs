//! Replay claims: in memory, in the transaction of the request, or in a Redis that processes share.

use cardseal::{Error, ErrorCode, MemoryReplayStore, ReplayKeys, ReplayStore, Timestamp};
use cardseal_http::server::{ClaimStore as _, RedisReplayStore, SharedReplayStore};
use rusqlite::Connection;

use crate::options::Options;

/// Where claims are kept.
#[derive(Debug)]
pub(crate) enum Replay {
    Memory(SharedReplayStore<MemoryReplayStore>),
    /// In the state's database: a restart forgets nothing.
    Database,
    Redis(RedisReplayStore),
}

impl Replay {
    /// Connects to what the options name.
    pub(crate) async fn open(options: &Options) -> Result<Self, String> {
        match (&options.redis, &options.data) {
            (Some(url), _) => RedisReplayStore::connect(url).await.map(Self::Redis).map_err(|error| error.to_string()),
            (None, Some(_)) => Ok(Self::Database),
            (None, None) => Ok(Self::Memory(SharedReplayStore::new(empty()))),
        }
    }

    /// Claims a request's keys, unless that is the database's part.
    ///
    /// # Errors
    /// `duplicate_request`, `replay_store_unavailable`.
    pub(crate) async fn claim(&self, keys: &ReplayKeys, now: Timestamp) -> Result<(), Error> {
        match self {
            Self::Memory(store) => store.claim_request(keys, now).await,
            Self::Redis(store) => store.claim_request(keys, now).await,
            Self::Database => Ok(()),
        }
    }

    /// Forgets everything that is kept in memory.
    pub(crate) fn reset(&self) {
        if let Self::Memory(store) = self {
            store.replace(empty());
        }
    }

    pub(crate) const fn is_redis(&self) -> bool {
        matches!(self, Self::Redis(_))
    }
}

const fn empty() -> MemoryReplayStore {
    MemoryReplayStore::with_max_keys(MAX_KEYS)
}

/// Room for some 30,000 requests a second.
const MAX_KEYS: usize = 1 << 22;

/// Claims within a transaction.
pub(crate) struct DatabaseClaims<'c>(pub(crate) &'c Connection);

impl ReplayStore for DatabaseClaims<'_> {
    fn claim(&mut self, key: &str, ttl_millis: u64, now_millis: u64) -> Result<bool, Error> {
        self.try_claim(key, now_millis as i64, ttl_millis as i64).map_err(|cause| {
            tracing::error!(%cause, "the replay claims cannot be written");
            Error::new(ErrorCode::ReplayStoreUnavailable, "the replay store does not answer: try again later")
        })
    }
}

impl DatabaseClaims<'_> {
    fn try_claim(&self, key: &str, now: i64, ttl: i64) -> rusqlite::Result<bool> {
        self.0.prepare_cached("DELETE FROM replay WHERE expires_at <= ?1")?.execute([now])?;
        let mut claim = self.0.prepare_cached("INSERT OR IGNORE INTO replay (key, expires_at) VALUES (?1, ?2)")?;
        Ok(claim.execute((key, now + ttl))? == 1)
    }
}
