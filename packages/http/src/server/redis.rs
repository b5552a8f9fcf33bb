//! Claims in a Redis that processes share, in whatever language they are: `SET key 1 NX PX ttl` (SPEC.md, section 13), and
//! idempotency records (section 14).

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cardseal::{
    Begun, Error, ErrorCode, IDEMPOTENCY_SCRIPT, IDEMPOTENCY_TTL_MILLIS, IdempotencyToken, REPLAY_TTL_MILLIS,
    RecordKey, RecordedAnswer, ReplayKeys, ReplayStore, Timestamp, check_record, claim_request,
};
use redis::aio::MultiplexedConnection;
use tokio::time::timeout;

use super::records::{IdempotencyStore, millis};
use super::store::ClaimStore;
use super::webhooks::{WEBHOOK_LEASE, WEBHOOK_TTL, WebhookState, WebhookStore};

/// Claims, the webhooks that have been handled, and idempotency records, in Redis. While it does not answer, everything fails:
/// `replay_store_unavailable`.
pub struct RedisReplayStore {
    client: redis::Client,
    /// Dropped after a failure: an answer that comes too late must not be read as that of another command.
    connection: Mutex<Option<MultiplexedConnection>>,
}

/// Why a Redis cannot keep claims, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisError(String);

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RedisError {}

impl RedisReplayStore {
    /// Connects to a Redis such as `redis://127.0.0.1:6379/0`, which may not evict keys.
    ///
    /// # Errors
    /// One line for an address that is none, a Redis that does not answer, a `maxmemory-policy` but `noeviction`.
    pub async fn connect(url: &str) -> Result<Self, RedisError> {
        let client = redis::Client::open(url).map_err(|_| {
            RedisError("the Redis address is not valid: use one like redis://127.0.0.1:6379".to_owned())
        })?;
        let store = Self { client, connection: Mutex::new(None) };
        let mut connection =
            store.connection().await.map_err(|error| RedisError(format!("Redis does not answer: {error}")))?;
        let (_, policy): (String, String) = redis::cmd("CONFIG")
            .arg("GET")
            .arg("maxmemory-policy")
            .query_async(&mut connection)
            .await
            .map_err(|error| RedisError(format!("Redis does not tell its maxmemory-policy: {error}")))?;
        if policy == "noeviction" {
            return Ok(store);
        }
        let message = "under which it forgets claims: set it to noeviction";
        Err(RedisError(format!("Redis has the maxmemory-policy {policy}, {message}")))
    }

    /// Claims keys in one round trip, and says of each whether it was fresh.
    async fn claim_all<const N: usize>(&self, keys: [&str; N], ttl_millis: u64) -> Result<[bool; N], Error> {
        // In one transaction: of two copies that come at once, each would else take one key from the other.
        let mut pipeline = redis::pipe();
        pipeline.atomic();
        for key in keys {
            pipeline.cmd("SET").arg(format!("{PREFIX}{key}")).arg(1).arg("NX").arg("PX").arg(ttl_millis);
        }
        let answers: Vec<Option<String>> = self.ask(&pipeline).await?;
        let fresh: Vec<bool> = answers.iter().map(Option::is_some).collect();
        fresh.try_into().map_err(|_| unavailable("an answer is missing"))
    }

    async fn ask<T: redis::FromRedisValue>(&self, pipeline: &redis::Pipeline) -> Result<T, Error> {
        let mut redis = self.connection().await.map_err(|error| unavailable(error.category()))?;
        let cause = match timeout(TIME_OUT, pipeline.query_async(&mut redis)).await {
            Ok(Ok(answers)) => return Ok(answers),
            Ok(Err(error)) => error.category().to_owned(),
            Err(_) => "no answer in time".to_owned(),
        };
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Err(unavailable(&cause))
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
}

impl ClaimStore for RedisReplayStore {
    async fn claim_request(&self, keys: &ReplayKeys, now: Timestamp) -> Result<(), Error> {
        let fresh = self.claim_all([&keys.timestamp, &keys.nonce], REPLAY_TTL_MILLIS).await?;
        // What the answers mean is the core's to say.
        claim_request(&mut Answers { fresh: fresh.into_iter() }, keys, now)
    }

    async fn claim(&self, key: &str, ttl_millis: u64) -> Result<bool, Error> {
        self.claim_all([key], ttl_millis).await.map(|[fresh]| fresh)
    }
}

impl WebhookStore for RedisReplayStore {
    async fn begin(&self, dedupe_key: &str) -> Result<WebhookState, Error> {
        let key = format!("{WEBHOOK_PREFIX}{dedupe_key}");
        let mut pipeline = redis::pipe();
        pipeline.cmd("SET").arg(&key).arg(BUSY).arg("NX").arg("PX").arg(millis(WEBHOOK_LEASE));
        pipeline.cmd("GET").arg(&key);
        let (taken, known): (Option<String>, Option<String>) = self.ask(&pipeline).await?;
        Ok(match known {
            _ if taken.is_some() => WebhookState::New,
            Some(known) if known == HANDLED => WebhookState::Handled,
            _ => WebhookState::Busy, // also one that was given back just now: let it come again
        })
    }

    async fn finish(&self, dedupe_key: &str) -> Result<(), Error> {
        let mut pipeline = redis::pipe();
        let key = format!("{WEBHOOK_PREFIX}{dedupe_key}");
        pipeline.cmd("SET").arg(key).arg(HANDLED).arg("PX").arg(millis(WEBHOOK_TTL)).ignore();
        self.ask(&pipeline).await
    }

    async fn give_back(&self, dedupe_key: &str) -> Result<(), Error> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("DEL").arg(format!("{WEBHOOK_PREFIX}{dedupe_key}")).ignore();
        self.ask(&pipeline).await
    }
}

impl RedisReplayStore {
    async fn begin_or_take_over(
        &self,
        step: &str,
        key: &RecordKey,
        fingerprint: &str,
        lease: Duration,
    ) -> Result<Begun, Error> {
        let lease_millis = millis(lease);
        check_record(fingerprint, lease_millis)?;
        let script = script(step, key, |command| {
            command.arg(fingerprint).arg(lease_millis).arg(IDEMPOTENCY_TTL_MILLIS);
        });
        let (mut answer,): (Vec<Vec<u8>>,) = self.ask(&script).await?;
        let known = answer.iter().map(|word| str::from_utf8(word).unwrap_or_default()).collect::<Vec<_>>();
        Ok(match known[..] {
            ["new", number] => {
                let number = number.parse().map_err(|_| unavailable(NO_RECORD))?;
                Begun::New(IdempotencyToken { key: key.clone(), number })
            }
            ["replay", status, _] => {
                let status = status.parse().map_err(|_| unavailable(NO_RECORD))?;
                Begun::Replay(RecordedAnswer { status, body: answer.pop().unwrap_or_default() })
            }
            ["in_progress"] => Begun::InProgress,
            ["conflict"] => Begun::Conflict,
            ["outcome_unknown"] => Begun::OutcomeUnknown,
            _ => return Err(unavailable(NO_RECORD)),
        })
    }

    async fn change(&self, script: &redis::Pipeline) -> Result<bool, Error> {
        let ([answer],): ([String; 1],) = self.ask(script).await?;
        match &*answer {
            "stored" => Ok(true),
            "stale" => Ok(false),
            _ => Err(unavailable(NO_RECORD)),
        }
    }
}

impl IdempotencyStore for RedisReplayStore {
    async fn begin(&self, key: &RecordKey, fingerprint: &str, lease: Duration) -> Result<Begun, Error> {
        self.begin_or_take_over("begin", key, fingerprint, lease).await
    }

    async fn take_over(&self, key: &RecordKey, fingerprint: &str, lease: Duration) -> Result<Begun, Error> {
        self.begin_or_take_over("take_over", key, fingerprint, lease).await
    }

    async fn complete(&self, token: &IdempotencyToken, answer: RecordedAnswer) -> Result<bool, Error> {
        let complete = script("complete", &token.key, |command| {
            command.arg(token.number).arg(IDEMPOTENCY_TTL_MILLIS).arg(answer.status).arg(answer.body);
        });
        self.change(&complete).await
    }

    async fn give_back(&self, token: &IdempotencyToken) -> Result<bool, Error> {
        let give_back = script("give_back", &token.key, |command| {
            command.arg(token.number).arg(IDEMPOTENCY_TTL_MILLIS);
        });
        self.change(&give_back).await
    }
}

/// One run of the script of idempotency records.
fn script(step: &str, key: &RecordKey, rest: impl FnOnce(&mut redis::Pipeline)) -> redis::Pipeline {
    let mut pipeline = redis::pipe();
    let record = format!("{RECORD_PREFIX}{}", key.as_str());
    rest(pipeline.cmd("EVAL").arg(IDEMPOTENCY_SCRIPT).arg(1).arg(record).arg(step));
    pipeline
}

impl fmt::Debug for RedisReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client: _, connection: _ } = self; // the address can hold a password
        f.debug_struct("RedisReplayStore").finish_non_exhaustive()
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

/// `cause` is a kind of failure, not the failure's own words: those can hold the address, and with it a password.
fn unavailable(cause: &str) -> Error {
    let message = format!("the replay store does not answer ({cause}): try again later");
    Error::new(ErrorCode::ReplayStoreUnavailable, message)
}

const PREFIX: &str = "cardseal:replay:";
const WEBHOOK_PREFIX: &str = "cardseal:webhook:";
const RECORD_PREFIX: &str = "cardseal:idempotency:";
const NO_RECORD: &str = "what is under the key is no idempotency record";
const BUSY: &str = "busy";
const HANDLED: &str = "handled";
const TIME_OUT: Duration = Duration::from_millis(1_000);
const CONNECT_TIME_OUT: Duration = Duration::from_secs(2);
