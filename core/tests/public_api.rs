//! How the crate is used, from a client's first call to a server's last. Read it top-down like a tutorial.

#![cfg(all(feature = "std", feature = "serde"))]

use cardseal::{
    Attempt, CardTopupStatus, Clock, Envelope, IdempotencyKey, Layout, MemoryReplayStore, OrderStatus, RequestOptions,
    ResponseError, RetryDecision, Sent, Timestamp, Window, claim_request, endpoint_kind, replay_keys, should_retry,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const SECRET: &str = "your_api_secret_key_here";
const API_KEY: &str = "key_1";

#[derive(Serialize)]
struct Topup<'a> {
    card_id: &'a str,
    amount: &'a str,
}

#[derive(Deserialize)]
struct Order {
    order_id: String,
    status: OrderStatus,
    topup_status: CardTopupStatus,
}

#[test]
fn a_top_up_from_client_to_server_and_back() {
    let envelope = Envelope::new(SECRET).unwrap();

    // The client seals a typed payload. The key belongs to the event, so that a retry charges nothing again.
    let key = IdempotencyKey::derive("topup", "invoice-42").unwrap();
    let options = RequestOptions::new(API_KEY).idempotency_key(key.as_str());
    let payload = Topup { card_id: "card_abc123", amount: "10.00" };
    let sealed = envelope.seal_request("/cards/topup", &payload, &options).unwrap();
    assert_eq!(sealed.path, "/api/v1/cards/topup");
    let headers = [("API-KEY", API_KEY), ("Content-Type", "application/json"), ("Idempotency-Key", key.as_str())];
    assert!(sealed.headers.iter().map(|(name, value)| (*name, value.as_str())).eq(headers));

    // The server opens it: cipher, JSON and timestamp are checked. Then it asks whether it was seen before.
    let now = Timestamp::wall_clock().unwrap();
    let request = envelope.open_request(&sealed.body, now, Window::MAX).unwrap();
    assert_eq!((request.timestamp, request.nonce, request.key_index), (sealed.timestamp, sealed.nonce, 0));
    assert!(request.payload.starts_with(&format!("{{\"request_timestamp\":{}", sealed.timestamp)));
    let mut store = MemoryReplayStore::new();
    assert!(store.is_empty());
    let keys = replay_keys(API_KEY, &sealed.path, &request).unwrap();
    assert!(claim_request(&mut store, &keys, now).is_ok());
    assert_eq!(claim_request(&mut store, &keys, now).unwrap_err().code(), "duplicate_request");
    assert!(!store.is_empty() && store.len() == 2);
    assert_eq!(format!("{store:?}"), "MemoryReplayStore { max_keys: 1048576, keys: 2 }");

    // It answers with any JSON value, which the client reads into a type of its own.
    let order = json!({"order_id": "o-1", "status": "processing", "topup_status": "provider_in_progress"});
    let answer = envelope.seal_response(&order).unwrap();
    let order: Order = envelope.open_response(200, &answer, Some(&sealed.body)).unwrap();
    assert_eq!((order.order_id.as_str(), &order.status), ("o-1", &OrderStatus::Processing));
    assert!(!order.status.is_terminal() && order.status.can_become(&OrderStatus::Completed));
    assert!(order.topup_status.can_become(&CardTopupStatus::ProviderVerification));
}

#[test]
fn an_error_tells_whether_to_try_again() {
    let envelope = Envelope::new(SECRET).unwrap();
    let sealed =
        envelope.seal_response(&json!({"success": false, "error": "No funds", "error_slug": "insufficient_funds"}));
    let error = envelope.open_response::<Value>(403, &sealed.unwrap(), None).unwrap_err();
    assert_eq!(error.to_string(), "No funds (http status 403, insufficient_funds)");
    let ResponseError::Api(error) = error else { panic!("the API answered") };
    assert!(error.encrypted);
    assert_eq!(error.payload.as_ref().unwrap().parse::<Value>().unwrap()["error"], "No funds");

    let attempt = Attempt {
        kind: endpoint_kind("/cards/topup").unwrap(),
        class: error.failure_class,
        code: error.code.as_deref(),
        sent: Sent::Yes,
        has_key: true,
        attempt: 1,
    };
    assert_eq!(should_retry(&attempt), RetryDecision::Stop);

    // The server has seen the envelope: seal it again, send at once, with the same idempotency key.
    let duplicate = envelope.open_response::<Value>(400, "Duplicate request detected", None).unwrap_err();
    assert_eq!(duplicate.code(), Some("duplicate_request"));
    let attempt = Attempt { class: duplicate.failure_class(), code: duplicate.code(), ..attempt };
    assert_eq!(should_retry(&attempt), RetryDecision::RetryNow);
}

#[test]
fn a_success_that_is_not_sealed_is_never_believed() {
    let envelope = Envelope::new(SECRET).unwrap();
    for (body, code) in [
        (r#"{"success": true}"#, "envelope_not_found"),
        ("<html>", "invalid_json"),
        ("", "invalid_json"),
        (r#"{"encrypted": 5}"#, "invalid_envelope"),
    ] {
        let error = envelope.open_response::<Value>(200, body, None).unwrap_err();
        assert_eq!((error.code(), error.status()), (Some(code), 200), "{body}");
        assert!(matches!(error, ResponseError::Envelope { .. }));
        assert!(error.to_string().starts_with("http status 200: "), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[test]
fn a_response_that_does_not_fit_the_type_says_so_without_quoting_it() {
    let envelope = Envelope::new(SECRET).unwrap();
    let body = envelope.seal_response(&json!({"card_number": "4111111111111111"})).unwrap();
    let error = envelope.open_response::<Vec<u8>>(200, &body, None).unwrap_err();
    assert_eq!((error.code(), error.status()), (Some("invalid_payload"), 200));
    assert_eq!(
        error.failure_class(),
        cardseal::FailureClass::Never,
        "it was carried out: trying again changes nothing"
    );
    let ResponseError::Payload { payload, .. } = &error else { panic!("{error}") };
    assert!(payload.contains("4111"), "the answer is not lost");
    assert!(!error.to_string().contains("4111"), "{error}");
    assert!(!envelope.open::<u8>(&body).unwrap_err().to_string().contains("4111"));
}

#[test]
fn a_payload_of_the_deepest_nesting_fits_a_type() {
    let envelope = Envelope::new(SECRET).unwrap();
    let deepest = "[".repeat(128) + &"]".repeat(128);
    let body = envelope.seal_response_json(&deepest).unwrap();
    assert_eq!(envelope.open::<Value>(&body).unwrap().to_string(), deepest);
}

#[test]
fn a_webhook_is_told_apart_by_its_dedupe_key() {
    let envelope = Envelope::new(SECRET).unwrap();
    let body = envelope.seal_webhook(&json!({"type": "card.activated", "timestamp": 1_700_000_000})).unwrap();
    let webhook = envelope.open_webhook(&body).unwrap();
    assert_eq!(webhook.event_type.as_deref(), Some("card.activated"));
    assert_eq!(webhook.timestamp.as_deref(), Some("1700000000"));
    let again = envelope.open_webhook(&envelope.seal_webhook_json(&webhook.payload).unwrap()).unwrap();
    assert_eq!(webhook.dedupe_key, again.dedupe_key);
    assert!(webhook.dedupe_key.starts_with("sha256:"));
}

#[test]
fn secrets_rotate_without_an_outage() {
    let old = Envelope::new("the_old_secret").unwrap();
    let new = Envelope::builder().secret("the_new_secret").open_secret("the_old_secret").build().unwrap();
    let request = |envelope: &Envelope| {
        let body = envelope.seal(&json!({"card_id": "card_abc123"})).unwrap();
        new.open_request(&body, Timestamp::now().unwrap(), Window::MAX).unwrap().key_index
    };
    assert_eq!((request(&new), request(&old)), (0, 1));
    assert_eq!(old.open_json(&new.seal(&json!({})).unwrap()).unwrap_err().code(), "decryption_failed");
}

#[test]
fn the_field_alone_holds_any_bytes_in_either_layout() {
    for layout in [Layout::Versioned, Layout::Bare] {
        let envelope = Envelope::builder().key(&[7; 32]).layout(layout).build().unwrap();
        assert_eq!(envelope.layout(), layout);
        for length in [0, 1, 2, 3, 4, 100, 1_000_000] {
            let message: Vec<u8> = (0..length).map(|index| index as u8).collect();
            assert_eq!(envelope.decrypt(&envelope.encrypt(&message).unwrap()).unwrap(), message);
        }
    }
}

#[test]
fn nothing_that_holds_a_key_or_plaintext_prints_it() {
    let secret = "correct horse battery staple";
    let builder = Envelope::builder().secret(secret).open_secret("another secret");
    let mut printed = format!("{builder:?}");
    let envelope = builder.build().unwrap();
    let body = envelope.seal(&json!({"pin": "p8k2"})).unwrap();
    let request = envelope.open_request(&body, Timestamp::now().unwrap(), Window::MAX).unwrap();
    let failure = envelope.seal_response(&json!({"success": false, "error": "no", "pin": "p8k2"})).unwrap();
    let failure = envelope.open_response::<Value>(400, &failure, None).unwrap_err();
    let webhook = envelope.open_webhook(&body).unwrap();
    let payload = cardseal::Payload::parse(r#"{"pin": "p8k2"}"#).unwrap();
    let options = RequestOptions::new("the_api_key");
    let sealed = envelope.seal_request("/cards/get", &json!({"pin": "p8k2"}), &options).unwrap();
    let event = json!({"type": "card.activated", "timestamp": {"pin": "p8k2"}, "delivery_id": "p8k2"});
    let event = envelope.open_webhook(&envelope.seal_webhook(&event).unwrap()).unwrap();
    let path = cardseal::normalize_path("https://user:correct@host/a b").unwrap_err();
    printed += &format!("{options:?} {sealed:?} {event:?} {path}");
    printed += &format!(
        "{envelope:?} {request:?} {failure:?} {failure} {webhook:?} {payload:?} {:?}",
        envelope.open_json(&body)
    );
    for hidden in ["correct", "another", "p8k2", "the_api_key"] {
        assert!(!printed.contains(hidden), "{printed}");
    }
    assert!(printed.contains("open_secrets: 1"), "{printed}");
    assert!(printed.contains("event_type: Some(\"card.activated\")"), "{printed}");
    assert_eq!(
        (payload.as_str(), format!("{payload:?}")),
        (r#"{"pin": "p8k2"}"#, "Payload { bytes: 15, timestamp: None }".into())
    );
    assert!(printed.contains("ApiError { status: 400, slug: None, code: None, message: \"no\", "), "{printed}");
}

#[test]
fn sealing_twice_gives_other_nonces_and_later_stamps() {
    let envelope = Envelope::new(SECRET).unwrap();
    let options = RequestOptions::new(API_KEY);
    let mut nonces = std::collections::BTreeSet::new();
    let mut last = Timestamp::now().unwrap();
    for _ in 0..1_000 {
        let sealed = envelope.seal_request("/cards/get", &json!({"card_id": "card_abc123"}), &options).unwrap();
        assert!(sealed.timestamp > last && nonces.insert(sealed.nonce));
        last = sealed.timestamp;
    }
}

#[test]
fn two_clocks_that_share_what_they_gave_stay_increasing_together() {
    let wall = 1_700_000_000_000_000;
    let (mut one, mut other) = (Clock::new(), Clock::with_offset_micros(2));
    assert_eq!(one.next(wall).unwrap().as_micros(), 1_700_000_000_000_000);
    let (stamp, last_wall) = one.last_micros();
    assert_eq!((stamp, last_wall), (1_700_000_000_000_000, 1_700_000_000_000_000));
    other.share(stamp + 5, last_wall, wall);
    assert_eq!(other.next(wall).unwrap().as_micros(), 1_700_000_000_000_006);
    assert_eq!(other.last_micros(), (1_700_000_000_000_006, 1_700_000_000_000_000));

    // What another script put there, by mistake or by malice, takes no stamp back and breaks nothing.
    for (stamp, last_wall) in [(0, 0), (5, 5), (u64::MAX, u64::MAX), (u64::MAX, 0), (1 << 53, 1 << 53)] {
        let before = other.last_micros().0;
        other.share(stamp, last_wall, wall);
        assert_eq!(other.next(wall).unwrap().as_micros(), before + 1, "{stamp}, {last_wall}");
    }
}
