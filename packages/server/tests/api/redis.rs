//! Replay claims in a real Redis. The tests start `redis-server` on a free port and stop it.

use std::process::Command;

use cardseal_test_redis::Redis;
use serde_json::json;

use crate::support::{Bench, Client};

const PATH: &str = "/api/v1/project/balance";

fn redis(options: &[&str]) -> Redis {
    Redis::start(options).expect(MISSING)
}

const MISSING: &str = "redis-server starts; on Debian: apt-get install redis-server";

async fn status(client: &Client, body: &str) -> u16 {
    client.post(PATH, &client.headers(), body.as_bytes()).await.expect("an answer").status
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn processes_share_their_claims() {
    let redis = redis(&[]);
    let folder = tempfile::tempdir().unwrap();
    let with = || {
        Bench::with(|options| {
            options.redis = Some(redis.url());
            options.data = Some(folder.path().join("state.db"));
        })
    };
    let (one, two) = (with().await, with().await);
    for number in 0..20 {
        let body = one.envelope.seal(&json!({"number": number})).unwrap();
        let answers = tokio::join!(status(&one, &body), status(&two, &body));
        assert!(matches!(answers, (200, 400) | (400, 200)), "{answers:?}");
    }
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn while_redis_is_silent_nothing_is_executed() {
    let redis = redis(&[]);
    let bench = Bench::with(|options| options.redis = Some(redis.url())).await;
    let card_id = bench.active_card("user-1").await;
    let before = bench.balance().await;
    redis.signal("-STOP");
    let payload = json!({"card_id": card_id, "amount": "10.00"});
    let error = bench.call_with_key("/cards/topup", payload.clone(), "topup-1").await.unwrap_err();
    assert_eq!((error.status, error.encrypted), (503, false));
    redis.signal("-CONT");
    assert_eq!(bench.balance().await, before, "nothing was charged");
    // The answer that came too late is nobody's: every claim after it is judged by its own.
    for number in 0..20 {
        let body = bench.envelope.seal(&json!({"number": number})).unwrap();
        assert_eq!((status(&bench, &body).await, status(&bench, &body).await), (200, 400));
    }
    bench.call_with_key("/cards/topup", payload, "topup-1").await.unwrap();
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_redis_that_comes_back_is_used_again() {
    let redis = redis(&[]);
    let bench = Bench::with(|options| options.redis = Some(redis.url())).await;
    let port = redis.port;
    drop(redis);
    let body = bench.envelope.seal(&json!({})).unwrap();
    assert_eq!(status(&bench, &body).await, 503);
    let _redis = Redis::start_on(port, &[]).expect(MISSING);
    assert_eq!(bench.balance().await, "1000.00");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_redis_that_forgets_is_refused() {
    let redis = redis(&["--maxmemory", "10mb", "--maxmemory-policy", "allkeys-lru"]);
    let mut options = cardseal_server::Options::default();
    options.redis = Some(redis.url());
    let error = cardseal_server::Sandbox::start(options).await.unwrap_err().to_string();
    assert!(error.contains("allkeys-lru") && error.contains("noeviction"), "{error}");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn claims_have_the_documented_names_and_a_lifetime() {
    let redis = redis(&[]);
    let bench = Bench::with(|options| options.redis = Some(redis.url())).await;
    bench.balance().await;
    let asked = |words: &[&str]| {
        let answer = Command::new("redis-cli").args(["-p", &redis.port.to_string()]).args(words).output().unwrap();
        String::from_utf8(answer.stdout).unwrap()
    };
    let keys = asked(&["KEYS", "*"]);
    let keys: Vec<&str> = keys.lines().collect();
    assert_eq!(keys.len(), 2, "one for the timestamp, one for the nonce");
    for key in keys {
        assert!(key.strip_prefix("cardseal:replay:").is_some_and(|hex| hex.len() == 64), "{key}");
        let left: u64 = asked(&["PTTL", key]).trim().parse().unwrap();
        assert!((1..=cardseal::REPLAY_TTL_MILLIS).contains(&left), "{left}");
    }
}
