//! Every case of tests/vectors, through the public API. A case's inputs are taken out one by one; what is left has to
//! equal what the call gave, so that a field nobody knows fails the test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cardseal::hazmat::{self, Nonce, NoncePool};
use cardseal::{
    Attempt, Begun, Body, CardIssueStatus, CardStatus, CardTopupStatus, CardholderKycLevel, CardholderKycStatus,
    CardholderRegistrationStatus, Clock, Envelope, EnvelopeBuilder, Error, IdempotencyKey, Layout,
    MemoryIdempotencyStore, MemoryReplayStore, OrderStatus, Payload, RecordKey, RecordedAnswer, ReplayKeys,
    RequestOptions, ResponseError, Timestamp, Window,
};
use serde_json::{Map, Value, json};

/// What a call gave: `ok` or a code, and the fields that go with it.
type Outcome = Result<Value, (String, Value)>;

fn failed(error: Error) -> (String, Value) {
    let skew = error.skew_micros().map_or(json!({}), |skew_micros| json!({"skew_micros": skew_micros}));
    (error.code().to_owned(), skew)
}

#[test]
fn key() {
    run("key", 15, |case| {
        let mut of_any_size = case.clone();
        of_any_size.optional("max_bytes");
        case.envelope().map_err(failed)?;
        let envelope = of_any_size.envelope().unwrap();
        // The key never leaves an envelope: an envelope of the expected raw key has to open what this one seals.
        let derived = case.bytes("derived_key_hex");
        let sealed = hazmat::encrypt(&envelope, b"message", &[7; 24]).map_err(failed)?;
        let of_key = Envelope::builder().key(&derived).layout(envelope.layout()).build().unwrap();
        assert_eq!(of_key.decrypt(&sealed).unwrap(), b"message");
        Ok(json!({}))
    });
}

#[test]
fn seal() {
    run("seal", 40, |case| {
        let operation = case.text("operation");
        let envelope = case.envelope().unwrap();
        let nonce = case.nonce();
        let sealed_text = |body: &str| envelope.open_json(body).unwrap().into_string();
        match operation.as_str() {
            "seal" => {
                let stamp = case.timestamp("timestamp_micros");
                let body = hazmat::seal_json(&envelope, &case.text("payload"), stamp, &nonce).map_err(failed)?;
                Ok(json!({"plaintext": sealed_text(&body), "body": body}))
            }
            "seal_request" => {
                let (path, api_key) = (case.text("path"), case.text("api_key"));
                let key = case.optional("idempotency_key");
                let mut options = RequestOptions::new(&api_key);
                if let Some(key) = &key {
                    options = options.idempotency_key(key.as_str().unwrap());
                }
                let stamp = case.timestamp("timestamp_micros");
                let request =
                    hazmat::seal_request_json(&envelope, &path, &case.text("payload"), &options, stamp, &nonce)
                        .map_err(failed)?;
                assert_eq!((request.timestamp, request.nonce), (stamp, nonce));
                assert_eq!(request.idempotency_key.as_ref().map(IdempotencyKey::as_str), options_key(&key));
                Ok(json!({
                    "plaintext": sealed_text(&request.body),
                    "body": request.body,
                    "headers": request.headers,
                    "normalized_path": request.path,
                }))
            }
            "seal_response" => {
                let body = hazmat::seal_response_json(&envelope, &case.text("payload"), &nonce).map_err(failed)?;
                Ok(json!({"plaintext": sealed_text(&body), "body": body}))
            }
            "seal_webhook" => {
                let body = hazmat::seal_webhook_json(&envelope, &case.text("payload"), &nonce).map_err(failed)?;
                Ok(json!({"plaintext": sealed_text(&body), "body": body}))
            }
            "encrypt" => {
                let field = hazmat::encrypt(&envelope, &case.bytes("message_hex"), &nonce).map_err(failed)?;
                Ok(json!({"field": field}))
            }
            other => panic!("unknown operation {other}"),
        }
    });
}

fn options_key(key: &Option<Value>) -> Option<&str> {
    key.as_ref().and_then(Value::as_str)
}

fn open_case(case: &mut Case) -> Outcome {
    let operation = case.text("operation");
    let envelope = case.envelope().unwrap();
    match operation.as_str() {
        "open" => {
            let plaintext = case.with_body(|body| envelope.open_json(body)).map_err(failed)?;
            Ok(json!({"plaintext": plaintext.as_str()}))
        }
        "decrypt" => {
            let field = case.text("field");
            let message = envelope.decrypt(&field).map_err(failed)?;
            assert_malleability(&envelope, &field, &message);
            Ok(json!({"message_hex": hex(&message)}))
        }
        other => panic!("unknown operation {other}"),
    }
}

/// What opens under the first secret is what the same nonce seals, byte for byte.
fn assert_malleability(envelope: &Envelope, field: &str, message: &[u8]) {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(field).unwrap();
    let start = if envelope.layout() == Layout::Versioned { 1 } else { 0 };
    let again = hazmat::encrypt(envelope, message, bytes[start..start + 24].try_into().unwrap()).unwrap();
    let opened_with_older = Envelope::decrypt(envelope, &again).unwrap() == message && again != field;
    assert!(again == field || opened_with_older);
}

#[test]
fn open() {
    run("open", 30, open_case);
}

#[test]
fn base64() {
    run("base64", 15, open_case);
}

fn open_request_case(case: &mut Case) -> Outcome {
    let envelope = case.envelope().unwrap();
    let now = case.timestamp("now_micros");
    let window = case
        .optional("window_seconds")
        .map_or(Ok(Window::MAX), |seconds| Window::from_seconds(seconds.as_u64().unwrap_or(u64::MAX)));
    let request = case.with_body(|body| envelope.open_request(body, now, window?)).map_err(failed)?;
    Ok(json!({
        "plaintext": request.payload.as_str(),
        "timestamp_micros": request.timestamp.as_micros(),
        "nonce_hex": hex(&request.nonce),
        "key_index": request.key_index,
    }))
}

#[test]
fn request() {
    run("request", 20, open_request_case);
}

#[test]
fn precedence() {
    run("precedence", 12, |case| {
        let faults = case.take("faults");
        assert_eq!(faults.as_array().unwrap().len(), 2);
        assert_eq!(faults[0], case.expect, "the earlier fault is the one expected");
        open_request_case(case)
    });
}

#[test]
fn response() {
    run("response", 50, |case| {
        let envelope = case.envelope().unwrap();
        let status = u16::try_from(case.number("status")).unwrap();
        let request = case.optional("request");
        let request = request.as_ref().and_then(Value::as_str);
        match case.with_body(|body| envelope.open_response_json(status, body, request)) {
            Ok(payload) => Ok(json!({"payload": payload.as_str()})),
            Err(ResponseError::Api(error)) => {
                assert_eq!(error.status, status);
                let api_error = json!({
                    "slug": error.slug,
                    "code": error.code,
                    "message": error.message,
                    "failure_class": error.failure_class.as_str(),
                    "encrypted": error.encrypted,
                    "payload": error.payload.as_deref(),
                });
                Err(("api_error".to_owned(), json!({"api_error": api_error})))
            }
            Err(error @ ResponseError::Envelope { .. }) => {
                assert_eq!(error.status(), status);
                let class = json!({"failure_class": error.failure_class().as_str()});
                Err((error.code().unwrap().to_owned(), class))
            }
            Err(other) => panic!("{other}"),
        }
    });
}

#[test]
fn webhook() {
    run("webhook", 15, |case| {
        let envelope = case.envelope().unwrap();
        let webhook = case.with_body(|body| envelope.open_webhook(body)).map_err(failed)?;
        Ok(json!({
            "plaintext": webhook.payload.as_str(),
            "type": webhook.event_type,
            "timestamp": webhook.timestamp,
            "delivery_id": webhook.delivery_id,
            "dedupe_key": webhook.dedupe_key,
            "key_index": webhook.key_index,
        }))
    });
}

#[test]
fn payload() {
    run("payload", 15, |case| {
        let text = case.text("payload");
        let payload = Payload::parse(&text).map_err(failed)?;
        Ok(json!({"timestamp_micros": payload.timestamp().map(Timestamp::as_micros)}))
    });
}

#[test]
fn timestamp() {
    run("timestamp", 15, |case| {
        assert_eq!(case.text("operation"), "grammar");
        let text = format!("{{\"request_timestamp\":{}}}", case.text("value"));
        let payload = Payload::parse(&text).map_err(failed)?;
        Ok(json!({"timestamp_micros": payload.timestamp().map(Timestamp::as_micros)}))
    });
}

#[test]
fn clock() {
    run("clock", 8, |case| {
        let offset = case.optional("offset_micros").map_or(0, |offset| offset.as_i64().unwrap());
        let shared = case.optional("shared");
        let readings = case.take("readings_micros");
        let mut clock = Clock::with_offset_micros(offset);
        let mut stamps = Vec::new();
        for (index, reading) in readings.as_array().unwrap().iter().enumerate() {
            let wall = reading.as_i64().unwrap();
            if let (0, Some(shared)) = (index, &shared) {
                // What is no whole number from 0 up has no form here: whoever reads it from the host drops it.
                let shared: Option<Vec<u64>> = shared.as_array().unwrap().iter().map(Value::as_u64).collect();
                let [stamp, last_wall] = shared.unwrap_or(vec![0, 0])[..] else { panic!("two numbers") };
                clock.share(stamp, last_wall, wall);
            }
            match clock.next(wall) {
                Ok(stamp) => stamps.push(stamp.as_micros()),
                Err(error) => {
                    assert_eq!(index + 1, readings.as_array().unwrap().len());
                    return Err((error.code().to_owned(), json!({"stamps_micros": stamps})));
                }
            }
        }
        Ok(json!({"stamps_micros": stamps}))
    });
}

#[test]
fn window() {
    run("window", 10, |case| {
        let (timestamp, now) = (case.timestamp("timestamp_micros"), case.timestamp("now_micros"));
        let window = Window::from_seconds(case.take("window_seconds").as_u64().unwrap_or(u64::MAX)).map_err(failed)?;
        window.check(timestamp, now).map_err(failed)?;
        Ok(json!({}))
    });
}

#[test]
fn path() {
    run("path", 25, |case| {
        let path = cardseal::normalize_path(&case.text("path")).map_err(failed)?;
        let headers = cardseal::required_headers(&path).map_err(failed)?;
        assert_eq!(cardseal::normalize_path(&path).unwrap(), path);
        Ok(json!({
            "kind": cardseal::endpoint_kind(&path).unwrap().as_str(),
            "idempotency_key_required": headers.contains(&"Idempotency-Key"),
            "normalized_path": path,
        }))
    });
}

#[test]
fn replay() {
    run("replay", 15, |case| match case.text("operation").as_str() {
        "keys" => {
            let (api_key, path) = (case.text("api_key"), case.text("path"));
            let (timestamp, nonce) = (case.timestamp("timestamp_micros"), case.nonce());
            let keys = ReplayKeys::of(&api_key, &path, timestamp, &nonce).map_err(failed)?;
            Ok(json!({"timestamp_key": keys.timestamp, "nonce_key": keys.nonce}))
        }
        "claims" => {
            let mut store = match case.optional("max_keys") {
                Some(max_keys) => MemoryReplayStore::with_max_keys(max_keys.as_u64().unwrap().try_into().unwrap()),
                None => MemoryReplayStore::new(),
            };
            let mut last = Ok(json!({}));
            for claim in case.take("claims").as_array().unwrap() {
                let field = |name: &str| claim[name].as_str().unwrap().to_owned();
                let keys = ReplayKeys { timestamp: field("timestamp_key"), nonce: field("nonce_key") };
                let now = Timestamp::from_micros(claim["now_millis"].as_u64().unwrap() * 1_000).unwrap();
                last = cardseal::claim_request(&mut store, &keys, now).map(|()| json!({})).map_err(failed);
                assert_eq!(code(&last), field("expect"), "{}", case.name);
            }
            last
        }
        other => panic!("unknown operation {other}"),
    });
}

#[test]
fn idempotency() {
    run("idempotency", 12, |case| match case.text("operation").as_str() {
        "derive" => {
            let key = IdempotencyKey::derive(&case.text("namespace"), &case.text("id")).map_err(failed)?;
            Ok(json!({"key": key.as_str()}))
        }
        "check" => IdempotencyKey::parse(&case.text("key")).map(|_| json!({})).map_err(failed),
        "random" => {
            let key = IdempotencyKey::from_random(case.bytes("random_hex").try_into().unwrap());
            Ok(json!({"key": key.as_str()}))
        }
        other => panic!("unknown operation {other}"),
    });
}

#[test]
fn records() {
    run("records", 60, |case| match case.text("operation").as_str() {
        "key" => {
            let key = RecordKey::of(&case.text("api_key"), &case.text("idempotency_key")).map_err(failed)?;
            Ok(json!({"record_key": key.as_str()}))
        }
        "steps" => {
            let mut store = match case.optional("max_records") {
                Some(max_records) => {
                    MemoryIdempotencyStore::with_max_records(max_records.as_u64().unwrap().try_into().unwrap())
                }
                None => MemoryIdempotencyStore::new(),
            };
            let mut last = Ok(json!({}));
            for step in case.take("steps").as_array().unwrap() {
                let outcome = record_step(&mut store, step).unwrap_or_else(|error| json!({"result": error.code()}));
                let result = outcome["result"].as_str().unwrap().to_owned();
                for (name, value) in outcome.as_object().unwrap() {
                    assert_eq!(*value, step[name], "{}: {step}", case.name);
                }
                last = match result.as_str() {
                    "new" | "replay" | "stored" => Ok(json!({})),
                    _ => Err((result, json!({}))),
                };
            }
            last
        }
        other => panic!("unknown operation {other}"),
    });
}

/// The outcome of a step, with the names that the vectors have.
fn record_step(store: &mut MemoryIdempotencyStore, step: &Value) -> cardseal::Result<Value> {
    let text = |name: &str| step[name].as_str().unwrap();
    let now_millis = step["now_millis"].as_u64().unwrap();
    let stored = |is_stored| json!({"result": if is_stored { "stored" } else { "stale" }});
    match text("step") {
        what @ ("begin" | "take_over") => {
            let (key, lease_millis) = (RecordKey::of(text("api_key"), text("idempotency_key"))?, &step["lease_millis"]);
            let step = if what == "begin" { MemoryIdempotencyStore::begin } else { MemoryIdempotencyStore::take_over };
            let begun = step(store, &key, text("fingerprint"), lease_millis.as_u64().unwrap(), now_millis)?;
            let mut outcome = json!({"result": begun.as_str()});
            match begun {
                Begun::New(token) => outcome["token"] = token.to_string().into(),
                Begun::Replay(answer) => {
                    outcome["status"] = answer.status.into();
                    outcome["body"] = String::from_utf8(answer.body).unwrap().into();
                }
                Begun::InProgress | Begun::Conflict | Begun::OutcomeUnknown => {}
            }
            Ok(outcome)
        }
        "complete" => {
            let answer = RecordedAnswer::new(step["status"].as_u64().unwrap().try_into().unwrap(), text("body"))?;
            Ok(stored(store.complete(&text("token").parse()?, answer, now_millis)))
        }
        "give_back" => Ok(stored(store.give_back(&text("token").parse()?, now_millis))),
        other => panic!("unknown step {other}"),
    }
}

#[test]
fn nonce_pool() {
    run("nonce_pool", 5, |case| {
        let mut pool = NoncePool::new();
        let mut nonces = Vec::new();
        for refill in case.take("refills_hex").as_array().unwrap() {
            let mut bytes = unhex(refill.as_str().unwrap());
            pool.refill(&mut bytes).map_err(failed)?;
            assert!(bytes.iter().all(|byte| *byte == 0), "the caller's copy is wiped");
            while !pool.is_empty() {
                nonces.push(hex(&pool.take().map_err(failed)?));
            }
        }
        let empty = failed(pool.take().unwrap_err());
        if nonces.is_empty() {
            return Err(empty);
        }
        assert_eq!(empty.0, "entropy_unavailable");
        Ok(json!({"nonces_hex": nonces}))
    });
}

#[test]
fn fingerprint() {
    run("fingerprint", 15, |case| {
        let (path, payload) = (case.text("path"), case.text("payload"));
        let fingerprint = cardseal::fingerprint(&path, &payload).map_err(failed)?;
        let canonical = cardseal::canonical_json(&payload).map_err(failed)?;
        assert_eq!(cardseal::canonical_json(&canonical).unwrap(), canonical);
        Ok(json!({"canonical": canonical, "fingerprint": fingerprint}))
    });
}

#[test]
fn json() {
    run("json", 60, |case| {
        let bytes = match case.optional("text") {
            Some(text) => text.as_str().unwrap().as_bytes().to_vec(),
            None => case.bytes("text_hex"),
        };
        let accepted = std::str::from_utf8(&bytes).is_ok_and(|text| cardseal::json::check(text).is_ok());
        // The public face of the same reader: a body that is JSON but no envelope is refused for that instead.
        let refusal = Envelope::new("a secret").unwrap().open_json(&bytes).unwrap_err();
        assert_eq!(accepted, refusal.code() != "invalid_json", "{}", case.name);
        if accepted { Ok(json!({})) } else { Err(("invalid_json".to_owned(), json!({}))) }
    });
}

#[test]
fn status() {
    macro_rules! with_type {
        (@ $type:ident, can_become $from:ident $to:ident) => {
            $type::from(&*$from).can_become(&$type::from(&*$to))
        };
        (@ $type:ident, is_terminal $value:ident) => {
            $type::from(&*$value).is_terminal()
        };
        (@ $type:ident, is_known $value:ident) => {{
            let status = $type::from(&*$value);
            assert_eq!(status.as_str(), &*$value);
            assert_eq!($type::KNOWN.contains(&&*$value), status.is_known());
            status.is_known()
        }};
    }
    macro_rules! machines {
        ($name:expr, $($use:tt)*) => { match $name {
            "OrderStatus" => with_type!(@ OrderStatus, $($use)*),
            "CardIssueStatus" => with_type!(@ CardIssueStatus, $($use)*),
            "CardTopupStatus" => with_type!(@ CardTopupStatus, $($use)*),
            other => panic!("unknown machine {other}"),
        }};
    }
    run("status", 60, |case| {
        let verdict =
            |holds: bool, otherwise: &str| if holds { Ok(json!({})) } else { Err((otherwise.into(), json!({}))) };
        match case.text("operation").as_str() {
            "transition" => {
                let (from, to) = (case.text("from"), case.text("to"));
                verdict(machines!(&*case.text("machine"), can_become from to), "not_allowed")
            }
            "terminal" => {
                let value = case.text("value");
                verdict(machines!(&*case.text("machine"), is_terminal value), "not_terminal")
            }
            "value" => {
                let value = case.text("value");
                let known = match &*case.text("type") {
                    "OrderStatus" => with_type!(@ OrderStatus, is_known value),
                    "CardIssueStatus" => with_type!(@ CardIssueStatus, is_known value),
                    "CardTopupStatus" => with_type!(@ CardTopupStatus, is_known value),
                    "CardStatus" => with_type!(@ CardStatus, is_known value),
                    "CardholderRegistrationStatus" => with_type!(@ CardholderRegistrationStatus, is_known value),
                    "CardholderKycStatus" => with_type!(@ CardholderKycStatus, is_known value),
                    "CardholderKycLevel" => with_type!(@ CardholderKycLevel, is_known value),
                    other => panic!("unknown type {other}"),
                };
                verdict(known, "unknown")
            }
            other => panic!("unknown operation {other}"),
        }
    });
}

#[test]
fn retry() {
    run("retry", 25, |case| {
        let code = case.optional("code");
        let decision = cardseal::should_retry(&Attempt {
            kind: case.text("kind").parse().unwrap(),
            class: case.text("failure_class").parse().unwrap(),
            code: code.as_ref().and_then(Value::as_str),
            sent: case.text("sent").parse().unwrap(),
            has_key: case.take("has_key").as_bool().unwrap(),
            attempt: u32::try_from(case.number("attempt")).unwrap(),
        });
        Err((decision.as_str().to_owned(), json!({})))
    });
}

#[test]
fn every_rule_has_a_passing_and_a_failing_case_and_every_code_is_reached() {
    let spec = std::fs::read_to_string(repository().join("SPEC.md")).unwrap();
    let rules: Vec<&str> =
        spec.lines().filter_map(|line| line.strip_prefix("**[")?.split_once("]**").map(|(id, _)| id)).collect();
    assert!(rules.len() >= 80, "SPEC.md has {} rules", rules.len());
    assert_eq!(rules.iter().collect::<BTreeSet<_>>().len(), rules.len(), "a rule's number stands twice");

    let (mut passing, mut failing) = (BTreeSet::new(), BTreeSet::new());
    let (mut names, mut codes, mut counts) = (BTreeSet::new(), BTreeSet::new(), [0, 0]);
    for family in families() {
        for case in load(&family) {
            assert!(names.insert(case.name.clone()), "{} stands twice", case.name);
            let passes = ["ok", "retry_now", "retry_after_backoff"].contains(&&*case.expect);
            counts[usize::from(passes)] += 1;
            codes.insert(case.expect.clone());
            for rule in &case.rules {
                assert!(rules.contains(&&**rule), "{}: SPEC.md has no rule {rule}", case.name);
            }
            if passes { &mut passing } else { &mut failing }.extend(case.rules);
        }
    }
    let without =
        |cases: &BTreeSet<String>| rules.iter().filter(|rule| !cases.contains(**rule)).copied().collect::<Vec<_>>();
    assert_eq!(without(&passing), [""; 0], "rules without a passing case");
    assert_eq!(without(&failing), [""; 0], "rules without a failing case");
    for code in cardseal::ErrorCode::ALL {
        assert!(codes.contains(code.as_str()), "no case reaches {code}");
    }
    let [failing, passing] = counts;
    assert!(failing >= 180 && passing + failing >= 300, "{passing} passing and {failing} failing cases");
}

#[test]
fn every_file_is_read_by_a_test() {
    let tested = [
        "base64",
        "clock",
        "fingerprint",
        "idempotency",
        "json",
        "key",
        "nonce_pool",
        "open",
        "path",
        "payload",
        "precedence",
        "records",
        "replay",
        "request",
        "response",
        "retry",
        "seal",
        "status",
        "timestamp",
        "webhook",
        "window",
    ];
    assert_eq!(families(), tested);
}

/// Runs all cases of a file and reports every one that differs.
fn run(family: &str, at_least: usize, call: impl Fn(&mut Case) -> Outcome) {
    let cases = load(family);
    assert!(cases.len() >= at_least, "{family}: {} cases, at least {at_least} expected", cases.len());
    let mut wrong = BTreeMap::new();
    for mut case in cases {
        let outcome = call(&mut case);
        let given = code(&outcome);
        let (Ok(fields) | Err((_, fields))) = outcome;
        if given != case.expect || fields != Value::Object(case.fields.clone()) {
            wrong.insert(case.name, format!("expected {} {:?}, got {given} {fields}", case.expect, case.fields));
        }
    }
    assert!(wrong.is_empty(), "{family}: {} cases differ: {wrong:#?}", wrong.len());
}

fn code(outcome: &Outcome) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err((code, _)) => code.clone(),
    }
}

#[derive(Clone)]
struct Case {
    name: String,
    rules: Vec<String>,
    expect: String,
    fields: Map<String, Value>,
}

impl Case {
    fn take(&mut self, field: &str) -> Value {
        self.optional(field).unwrap_or_else(|| panic!("{} has no {field}", self.name))
    }

    fn optional(&mut self, field: &str) -> Option<Value> {
        self.fields.remove(field)
    }

    fn text(&mut self, field: &str) -> String {
        self.take(field).as_str().unwrap().to_owned()
    }

    fn number(&mut self, field: &str) -> u64 {
        self.take(field).as_u64().unwrap()
    }

    fn bytes(&mut self, field: &str) -> Vec<u8> {
        unhex(&self.text(field))
    }

    fn nonce(&mut self) -> Nonce {
        self.bytes("nonce_hex").try_into().unwrap()
    }

    fn timestamp(&mut self, field: &str) -> Timestamp {
        Timestamp::from_micros(self.number(field)).unwrap()
    }

    fn texts(&mut self, field: &str) -> Vec<String> {
        let texts = self.optional(field).unwrap_or(json!([]));
        texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    }

    fn envelope(&mut self) -> cardseal::Result<Envelope> {
        let mut builder: EnvelopeBuilder = match self.optional("secret") {
            Some(secret) => Envelope::builder().secret(secret.as_str().unwrap()),
            None => Envelope::builder().key(&self.bytes("key_hex")),
        };
        for secret in self.texts("open_secrets") {
            builder = builder.open_secret(&secret);
        }
        for key in self.texts("open_keys_hex") {
            builder = builder.open_key(&unhex(&key));
        }
        if let Some(layout) = self.optional("layout") {
            builder = builder.layout(layout.as_str().unwrap().parse()?);
        }
        if let Some(max_bytes) = self.optional("max_bytes") {
            // A number that is no usize is out of range in the same way as zero.
            builder = builder.max_bytes(max_bytes.as_u64().map_or(0, |bytes| bytes.try_into().unwrap_or(0)));
        }
        builder.build()
    }

    fn with_body<T>(&mut self, call: impl FnOnce(Body<'_>) -> T) -> T {
        if let Some(field) = self.optional("parsed_field") {
            return call(Body::Field(field.as_str().unwrap()));
        }
        match self.optional("body") {
            Some(body) => call(body.as_str().unwrap().into()),
            None => call((&self.bytes("body_hex")).into()),
        }
    }
}

fn load(family: &str) -> Vec<Case> {
    let path = repository().join("tests/vectors").join(format!("{family}.json"));
    let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let Value::Object(mut file) = file else { panic!("{family} is no object") };
    assert_eq!(file.remove("family"), Some(json!(family)));
    assert!(file.remove("about").is_some_and(|about| about.is_string()));
    let Some(Value::Array(cases)) = file.remove("cases") else { panic!("{family} has no cases") };
    assert!(file.is_empty(), "{family} has unknown fields");
    let case = |value: Value| {
        let Value::Object(fields) = value else { panic!("a case of {family} is no object") };
        let mut case = Case { name: String::new(), rules: Vec::new(), expect: String::new(), fields };
        case.name = case.text("name");
        case.rules = case.texts("rules");
        case.expect = case.text("expect");
        assert!(!case.rules.is_empty(), "{} names no rule", case.name);
        case
    };
    cases.into_iter().map(case).collect()
}

fn families() -> Vec<String> {
    let files = std::fs::read_dir(repository().join("tests/vectors")).unwrap();
    let mut families: Vec<String> = files
        .filter_map(|file| file.unwrap().file_name().to_str().unwrap().strip_suffix(".json").map(str::to_owned))
        .collect();
    families.sort();
    families
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "odd hexadecimal");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
