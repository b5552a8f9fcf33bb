//! Failures on purpose, as a client sees them.

use cardseal::{FailureClass, RequestOptions, ResponseError};
use cardseal_server::{Fault, FaultRule, When};
use serde_json::{Value, json};

use crate::support::Bench;

const BALANCE: &str = "/project/balance";

/// What a client makes of one call to an endpoint that has a fault; `None`: the connection was closed.
async fn call(bench: &Bench, path: &str, payload: Value, key: &str) -> Option<Result<Value, ResponseError>> {
    let options = RequestOptions::new(&bench.api_key).idempotency_key(key);
    let request = bench.envelope.seal_request(path, &payload, &options).unwrap();
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = bench.post(&request.path, &headers, request.body.as_bytes()).await?;
    Some(bench.envelope.open_response(answer.status, &answer.body, Some(&request.body)))
}

fn add(bench: &Bench, rule: FaultRule) {
    bench.sandbox.control().add_faults([rule]).unwrap();
}

/// A bench with an active card.
async fn with_card() -> (Bench, Value) {
    let bench = Bench::start().await;
    let card_id = bench.active_card("user-1").await;
    (bench, json!({"card_id": card_id, "amount": "20.00"}))
}

/// How many charges there were, but for the card's.
async fn charges(bench: &Bench) -> usize {
    let ledger = bench.sandbox.control().ledger().await.unwrap();
    ledger.as_array().unwrap().iter().filter(|entry| entry["kind"] == "charge").count() - 1
}

#[tokio::test]
async fn what_a_client_makes_of_each_answer() {
    use FailureClass::{Later, Never, Reseal, Transient};
    let slug = |slug: &str| Fault::Slug { slug: slug.to_owned() };
    let plain = |code: &str| Fault::Plain { code: code.to_owned() };
    let api = |status, code: Option<&'static str>, class, encrypted| (status, code, class, encrypted);
    let bench = Bench::start().await;
    for (fault, expected) in [
        (slug("insufficient_funds"), api(403, Some("insufficient_funds"), Never, true)),
        (slug("topup_attempts_exceeded"), api(503, Some("topup_attempts_exceeded"), Later, true)),
        (slug("provider_error"), api(502, Some("provider_error"), Transient, true)),
        (slug("a_slug_of_tomorrow"), api(400, Some("a_slug_of_tomorrow"), Never, true)),
        (plain("duplicate_request"), api(400, Some("duplicate_request"), Reseal, false)),
        (plain("access_denied"), api(403, Some("access_denied"), Never, false)),
        (Fault::Status { status: 503, when: When::Before }, api(503, None, Transient, false)),
        (Fault::Status { status: 500, when: When::After }, api(500, None, Transient, false)),
        (Fault::Status { status: 429, when: When::Before }, api(429, None, Transient, false)),
        (Fault::Html { status: 502 }, api(502, None, Transient, false)),
    ] {
        add(&bench, FaultRule::new(fault.clone()).count(1));
        let error = call(&bench, BALANCE, json!({}), "k").await.unwrap().unwrap_err();
        let ResponseError::Api(error) = error else { panic!("{fault:?}: {error:?}") };
        assert_eq!((error.status, error.code.as_deref(), error.failure_class, error.encrypted), expected, "{fault:?}");
        assert!(!error.message.contains("<html>") || matches!(fault, Fault::Html { .. }), "{error}");
    }
    for (fault, code) in [
        (Fault::FlippedTag, "decryption_failed"),
        (Fault::OtherKey, "decryption_failed"),
        (Fault::BadVersion, "unsupported_version"),
        (Fault::Html { status: 200 }, "invalid_json"),
    ] {
        add(&bench, FaultRule::new(fault.clone()).count(1));
        let error = call(&bench, BALANCE, json!({}), "k").await.unwrap().unwrap_err();
        assert!(matches!(error, ResponseError::Envelope { status: 200, .. }), "{fault:?}: {error:?}");
        assert_eq!((error.code(), error.failure_class()), (Some(code), Transient), "{fault:?}");
    }
    for when in [When::Before, When::After] {
        add(&bench, FaultRule::new(Fault::Drop { when }).count(1));
        assert!(call(&bench, BALANCE, json!({}), "k").await.is_none(), "{when:?}");
    }
    assert_eq!(bench.balance().await, "1000.00", "every fault happened once");
}

#[tokio::test]
async fn every_plain_error_can_be_asked_for() {
    let bench = Bench::start().await;
    for error in cardseal::PLAIN_ERRORS {
        add(&bench, FaultRule::new(Fault::Plain { code: error.code.to_owned() }).count(1));
        assert_eq!(bench.refusal(BALANCE, json!({})).await, error.code);
    }
}

#[tokio::test]
async fn what_fails_before_has_done_nothing() {
    let (bench, payload) = with_card().await;
    let path = "/cards/topup";
    for (number, fault) in [
        Fault::Drop { when: When::Before },
        Fault::Status { status: 502, when: When::Before },
        Fault::Html { status: 502 },
        Fault::Plain { code: "duplicate_request".to_owned() },
        Fault::Slug { slug: "provider_error".to_owned() },
    ]
    .into_iter()
    .enumerate()
    {
        add(&bench, FaultRule::new(fault.clone()).path(path).count(1));
        let key = format!("topup-{number}");
        let failed = call(&bench, path, payload.clone(), &key).await;
        assert!(!matches!(failed, Some(Ok(_))), "{fault:?}");
        assert_eq!(charges(&bench).await, number, "{fault:?}");
        // The same key succeeds now, and once.
        let order = call(&bench, path, payload.clone(), &key).await.unwrap().unwrap();
        let again = call(&bench, path, payload.clone(), &key).await.unwrap().unwrap();
        assert_eq!(order["order_id"], again["order_id"]);
        assert_eq!(charges(&bench).await, number + 1, "{fault:?}");
    }
}

#[tokio::test]
async fn what_fails_after_has_been_done_and_a_retry_finds_it() {
    let (bench, payload) = with_card().await;
    let path = "/cards/topup";
    for (number, fault) in [
        Fault::Drop { when: When::After },
        Fault::Status { status: 502, when: When::After },
        Fault::FlippedTag,
        Fault::BadVersion,
        Fault::OtherKey,
    ]
    .into_iter()
    .enumerate()
    {
        add(&bench, FaultRule::new(fault.clone()).path(path).count(1));
        let key = format!("topup-{number}");
        let failed = call(&bench, path, payload.clone(), &key).await;
        assert!(!matches!(failed, Some(Ok(_))), "{fault:?}");
        assert_eq!(charges(&bench).await, number + 1, "{fault:?}");
        let orders = bench.sandbox.control().orders().await.unwrap();
        let made = orders.as_array().unwrap().last().unwrap();
        let order = call(&bench, path, payload.clone(), &key).await.unwrap().unwrap();
        assert_eq!(order["order_id"], made["order_id"], "{fault:?}");
        assert_eq!(charges(&bench).await, number + 1, "{fault:?}: charged once");
    }
}

#[tokio::test]
async fn a_delay_holds_up_its_own_request_alone() {
    let bench = Bench::start().await;
    let control = bench.sandbox.control();
    add(&bench, FaultRule::new(Fault::Delay { millis: 60_000 }).path(BALANCE).count(1));
    let late = tokio::spawn({
        let client = bench.client.clone();
        async move { client.balance().await }
    });
    while !control.faults().is_empty() {
        tokio::task::yield_now().await; // until it has been met
    }
    assert_eq!(bench.balance().await, "1000.00");
    assert!(!late.is_finished());
    late.abort();
    add(&bench, FaultRule::new(Fault::Delay { millis: 1 }).count(1));
    assert_eq!(bench.balance().await, "1000.00", "late, and as ever");
}

#[tokio::test]
async fn a_fault_keeps_to_its_path_and_its_count() {
    let bench = Bench::start().await;
    let asked = Fault::Slug { slug: "provider_error".to_owned() };
    add(&bench, FaultRule::new(asked).path("/cards/products").count(2));
    assert_eq!(bench.balance().await, "1000.00");
    assert_eq!(bench.sandbox.control().faults().len(), 1);
    for _ in 0..2 {
        assert_eq!(bench.refusal("/cards/products", json!({})).await, "provider_error");
    }
    bench.call("/cards/products", json!({})).await.unwrap();
    assert_eq!(bench.sandbox.control().faults(), []);
    add(&bench, FaultRule::new(Fault::Html { status: 502 }));
    assert!(bench.call("/cards/products", json!({})).await.is_err());
    bench.sandbox.control().clear_faults();
    bench.call("/cards/products", json!({})).await.unwrap();
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused_with_all_beside_it() {
    let bench = Bench::start().await;
    let control = bench.sandbox.control();
    let html = || FaultRule::new(Fault::Html { status: 502 });
    for wrong in [html().probability(f64::NAN), html().probability(2.0), html().count(0), html().path("/nowhere")] {
        let error = control.add_faults([html(), wrong]).unwrap_err();
        assert_eq!(error.code(), "invalid_fault", "{error}");
    }
    assert_eq!(control.faults(), []);
}

#[tokio::test]
async fn a_seed_repeats_chances_and_ids() {
    let run = async |seed| {
        let bench = Bench::with(|options| options.seed = Some(seed)).await;
        add(&bench, FaultRule::new(Fault::Html { status: 502 }).path("/cards/products").probability(0.3));
        let mut hits = Vec::new();
        for _ in 0..60 {
            hits.push(bench.call("/cards/products", json!({})).await.is_err());
        }
        let card_id = bench.active_card("user-1").await;
        let orders = bench.sandbox.control().orders().await.unwrap();
        let order_id = orders[0]["order_id"].as_str().unwrap().to_owned();
        (hits, [bench.sandbox.api_key().to_owned(), bench.sandbox.secret().to_owned(), card_id, order_id])
    };
    let (one, two, other) = (run(7).await, run(7).await, run(8).await);
    assert_eq!(one, two);
    assert_ne!(one.0, other.0);
    assert!(one.1.iter().zip(&other.1).all(|(one, other)| one != other));
    let hits = one.0.iter().filter(|hit| **hit).count();
    assert!((5..=35).contains(&hits), "{hits} of 60");
}

#[tokio::test]
async fn the_journal_names_the_fault() {
    let bench = Bench::start().await;
    let control = bench.sandbox.control();
    add(&bench, FaultRule::new(Fault::Drop { when: When::After }).count(1));
    assert!(call(&bench, BALANCE, json!({}), "k").await.is_none());
    let journal = control.journal().unwrap();
    assert_eq!(journal[0]["fault"], json!({"kind": "drop", "when": "after"}));
    assert_eq!((&journal[0]["verdict"], journal[0].get("status")), (&json!("dropped"), None));
}
