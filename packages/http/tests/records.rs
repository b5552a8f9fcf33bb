//! Idempotency records in a real Redis: the vectors, and many at once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cardseal::{Begun, Error, IdempotencyToken, RecordKey, RecordedAnswer};
use cardseal_http::server::{IdempotencyStore, RedisReplayStore};
use cardseal_test_redis::Redis;
use serde_json::{Value, json};

const PRINT: &str = "60183478c2f5434cb46989bee0603eb79cce982e2aff6af4bbf81c033aa4d6a7";
const LEASE: Duration = Duration::from_secs(60);

fn redis() -> Redis {
    Redis::start(&[])
        .unwrap_or_else(|| panic!("these tests need redis-server; on Debian: apt-get install redis-server"))
}

/// One command of words without spaces, and the first line of its answer.
fn command(redis: &Redis, words: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port)).unwrap();
    stream.write_all(format!("{words}\r\n").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(!line.starts_with('-'), "{words}: {line}");
    line
}

/// A case's records: Redis has a clock and numbers of its own.
#[derive(Default)]
struct Run {
    lease_ends: HashMap<String, u64>,
    tokens: HashMap<String, IdempotencyToken>,
}

impl Run {
    async fn step(&mut self, redis: &Redis, store: &RedisReplayStore, step: &Value) -> Result<Value, Error> {
        let text = |name: &str| step[name].as_str().unwrap();
        let number = |name: &str| step[name].as_u64().unwrap();
        for (key, lease_end) in &self.lease_ends {
            let moved: u64 = if *lease_end > number("now_millis") { 9_000_000_000_000 } else { 1 };
            let record = format!("cardseal:idempotency:{key}");
            if command(redis, &format!("HEXISTS {record} lease_end")) == ":1\r\n" {
                command(redis, &format!("HSET {record} lease_end {moved}"));
            }
        }
        let stored = |is_stored| json!({"result": if is_stored { "stored" } else { "stale" }});
        match text("step") {
            what @ ("begin" | "take_over") => {
                let key = RecordKey::of(text("api_key"), text("idempotency_key"))?;
                let lease = Duration::from_millis(number("lease_millis"));
                let begun = match what {
                    "begin" => store.begin(&key, text("fingerprint"), lease).await?,
                    _ => store.take_over(&key, text("fingerprint"), lease).await?,
                };
                let mut outcome = json!({"result": begun.as_str()});
                match begun {
                    Begun::New(token) => {
                        self.lease_ends.insert(key.as_str().to_owned(), number("now_millis") + number("lease_millis"));
                        assert!(self.tokens.values().all(|t| t.key != token.key || t.number < token.number));
                        if let Some(name) = step["token"].as_str() {
                            self.tokens.insert(name.to_owned(), token);
                        }
                    }
                    Begun::Replay(answer) => {
                        outcome["status"] = answer.status.into();
                        outcome["body"] = String::from_utf8(answer.body).unwrap().into();
                    }
                    Begun::InProgress | Begun::Conflict | Begun::OutcomeUnknown => {}
                }
                Ok(outcome)
            }
            "complete" => {
                let answer = RecordedAnswer::new(u16::try_from(number("status")).unwrap(), text("body"))?;
                Ok(stored(store.complete(&self.token(text("token"))?, answer).await?))
            }
            "give_back" => Ok(stored(store.give_back(&self.token(text("token"))?).await?)),
            other => panic!("unknown step {other}"),
        }
    }

    /// The token that a case's token stands for; one that was never given is its own.
    fn token(&self, name: &str) -> Result<IdempotencyToken, Error> {
        self.tokens.get(name).cloned().map_or_else(|| name.parse(), Ok)
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn redis_takes_the_steps_of_the_vectors() {
    let redis = redis();
    let store = RedisReplayStore::connect(&redis.url()).await.unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/records.json");
    let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let (mut taken, mut left_out) = (0, Vec::new());
    for case in file["cases"].as_array().unwrap() {
        let (name, Some(steps)) = (case["name"].as_str().unwrap(), case["steps"].as_array()) else { continue };
        let millis = |step: &Value| step["now_millis"].as_u64().unwrap() - 1_699_999_000_000;
        // What Redis forgets, and how much it holds, is Redis's own.
        if case.get("max_records").is_some() || steps.iter().any(|step| millis(step) > 604_000_000) {
            left_out.push(name);
            continue;
        }
        command(&redis, "FLUSHALL");
        let mut run = Run::default();
        for step in steps {
            let outcome = run.step(&redis, &store, step).await.unwrap_or_else(|error| json!({"result": error.code()}));
            for (field, value) in outcome.as_object().unwrap() {
                assert_eq!(*value, step[field], "{name}: {step}");
            }
        }
        taken += 1;
    }
    assert_eq!((taken, left_out.len()), (52, 12), "{left_out:?}");
    let ttl = format!("PTTL cardseal:idempotency:{}", RecordKey::of("key_1", "k").unwrap().as_str());
    assert_ne!(command(&redis, &ttl), ":-1\r\n", "a record without an end");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn of_a_hundred_at_once_one_begins() {
    let redis = redis();
    let stores = [0, 1].map(|_| redis.url());
    let mut begun = Vec::new();
    for url in stores {
        let store = Arc::new(RedisReplayStore::connect(&url).await.unwrap());
        begun.extend((0..50).map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.begin(&RecordKey::of("key_1", "k").unwrap(), PRINT, LEASE).await.unwrap() })
        }));
    }
    let mut tokens = Vec::new();
    for begun in begun {
        match begun.await.unwrap() {
            Begun::New(token) => tokens.push(token),
            other => assert_eq!(other, Begun::InProgress),
        }
    }
    assert_eq!(tokens.len(), 1);

    let another = RedisReplayStore::connect(&redis.url()).await.unwrap();
    let answer = RecordedAnswer::new(200, [0, 255, b'"']).unwrap();
    assert!(another.complete(&tokens.pop().unwrap().to_string().parse().unwrap(), answer.clone()).await.unwrap());
    let key = RecordKey::of("key_1", "k").unwrap();
    assert_eq!(another.begin(&key, PRINT, LEASE).await.unwrap(), Begun::Replay(answer));
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn nothing_begins_while_redis_does_not_answer_or_holds_something_else() {
    let redis = redis();
    let store = RedisReplayStore::connect(&redis.url()).await.unwrap();
    let key = RecordKey::of("key_1", "k").unwrap();
    command(&redis, &format!("SET cardseal:idempotency:{} x", key.as_str()));
    assert_eq!(store.begin(&key, PRINT, LEASE).await.unwrap_err().code(), "replay_store_unavailable");
    drop(redis);
    let error = store.begin(&key, PRINT, LEASE).await.unwrap_err();
    assert_eq!(error.code(), "replay_store_unavailable");
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}
