//! Replay claims: in memory, in the transaction of the request, or in a Redis that processes share.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cardseal::{
    Error, ErrorCode, MemoryReplayStore, REPLAY_TTL_MILLIS, ReplayKeys, ReplayStore, Timestamp, claim_request,
};
use redis::aio::MultiplexedConnection;
use rusqlite::Connection;
use tokio::time::timeout;

use crate::options::Options;

/// Where claims are kept.
#[derive(Debug)]
pub(crate) enum Replay {
    Memory(Mutex<MemoryReplayStore>),
    /// In the state's database: a restart forgets nothing.
    Database,
    Redis(SharedClaims),
}

impl Replay {
    /// Connects to what the options name.
    pub(crate) async fn open(options: &Options) -> Result<Self, String> {
        match (&options.redis, &options.data) {
            (Some(url), _) => SharedClaims::connect(url).await.map(Self::Redis),
            (None, Some(_)) => Ok(Self::Database),
            (None, None) => Ok(Self::Memory(Mutex::new(MemoryReplayStore::with_max_keys(MAX_KEYS)))),
        }
    }

    /// Claims a request's keys, unless that is the database's part.
    ///
    /// # Errors
    /// `duplicate_request`, `replay_store_unavailable`.
    pub(crate) async fn claim(&self, keys: &ReplayKeys, now: Timestamp) -> Result<(), Error> {
        match self {
            Self::Memory(store) => claim_request(&mut *store.lock().unwrap_or_else(PoisonError::into_inner), keys, now),
            Self::Redis(store) => store.claim(keys, now).await,
            Self::Database => Ok(()),
        }
    }

    /// Forgets everything that is kept in memory.
    pub(crate) fn reset(&self) {
        if let Self::Memory(store) = self {
            *store.lock().unwrap_or_else(PoisonError::into_inner) = MemoryReplayStore::with_max_keys(MAX_KEYS);
        }
    }

    pub(crate) const fn is_redis(&self) -> bool {
        matches!(self, Self::Redis(_))
    }
}

/// Room for some 30,000 requests a second.
const MAX_KEYS: usize = 1 << 22;

/// Claims within a transaction.
pub(crate) struct DatabaseClaims<'c>(pub(crate) &'c Connection);

impl ReplayStore for DatabaseClaims<'_> {
    fn claim(&mut self, key: &str, ttl_millis: u64, now_millis: u64) -> Result<bool, Error> {
        self.try_claim(key, now_millis as i64, ttl_millis as i64).map_err(unavailable)
    }
}

impl DatabaseClaims<'_> {
    fn try_claim(&self, key: &str, now: i64, ttl: i64) -> rusqlite::Result<bool> {
        self.0.prepare_cached("DELETE FROM replay WHERE expires_at <= ?1")?.execute([now])?;
        let claimed = self.0.prepare_cached("INSERT OR IGNORE INTO replay (key, expires_at) VALUES (?1, ?2)")?;
        let mut claimed = claimed;
        Ok(claimed.execute((key, now + ttl))? == 1)
    }
}

/// Claims in Redis.
#[derive(Debug)]
pub(crate) struct SharedClaims {
    client: redis::Client,
    /// Dropped after a failure: an answer that comes too late must not be read as that of another command.
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl SharedClaims {
    async fn connect(url: &str) -> Result<Self, String> {
        let client = redis::Client::open(url)
            .map_err(|_| "the Redis address is not valid: use one like redis://127.0.0.1:6379".to_owned())?;
        let store = Self { client, connection: Mutex::new(None) };
        let mut connection = store.connection().await.map_err(|error| format!("Redis does not answer: {error}"))?;
        let policy: (String, String) = redis::cmd("CONFIG")
            .arg("GET")
            .arg("maxmemory-policy")
            .query_async(&mut connection)
            .await
            .map_err(|error| format!("Redis does not tell its maxmemory-policy: {error}"))?;
        match policy.1.as_str() {
            "noeviction" => Ok(store),
            other => Err(format!(
                "Redis has the maxmemory-policy {other}, under which it forgets claims: set it to noeviction"
            )),
        }
    }

    async fn claim(&self, keys: &ReplayKeys, now: Timestamp) -> Result<(), Error> {
        let mut redis = self.connection().await.map_err(unavailable)?;
        let mut pipeline = redis::pipe();
        for key in [&keys.timestamp, &keys.nonce] {
            let command = pipeline.cmd("SET").arg(format!("{PREFIX}{key}")).arg(1).arg("NX").arg("PX");
            command.arg(REPLAY_TTL_MILLIS);
        }
        let answer = timeout(TIME_OUT, pipeline.query_async::<[Option<String>; 2]>(&mut redis)).await;
        let fresh = match answer {
            Ok(Ok(answers)) => answers.map(|answer| answer.is_some()),
            failed => {
                self.drop_connection();
                return Err(failed
                    .map_or_else(unavailable, |failed| failed.map_or_else(unavailable, |_| unavailable("no answer"))));
            }
        };
        // What the answers mean is the core's to say.
        claim_request(&mut Answers { fresh: fresh.into_iter() }, keys, now)
    }

    async fn connection(&self) -> redis::RedisResult<MultiplexedConnection> {
        if let Some(connection) = &*self.connection.lock().unwrap_or_else(PoisonError::into_inner) {
            return Ok(connection.clone());
        }
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIME_OUT))
            .set_response_timeout(Some(2 * TIME_OUT));
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.clone());
        Ok(connection)
    }

    fn drop_connection(&self) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Claims that have been answered already, in their order.
struct Answers<I> {
    fresh: I,
}

impl<I: Iterator<Item = bool>> ReplayStore for Answers<I> {
    fn claim(&mut self, _: &str, _: u64, _: u64) -> Result<bool, Error> {
        self.fresh.next().ok_or_else(|| unavailable("an answer is missing"))
    }
}

fn unavailable(cause: impl std::fmt::Display) -> Error {
    tracing::error!(%cause, "the replay store does not answer");
    Error::new(ErrorCode::ReplayStoreUnavailable, "the replay store does not answer: try again later")
}

const PREFIX: &str = "cardseal:replay:";
const TIME_OUT: Duration = Duration::from_millis(1_000);
const CONNECT_TIME_OUT: Duration = Duration::from_secs(2);
