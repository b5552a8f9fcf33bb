//! What is refused before anything is executed, in the protocol's order, in plain text.

use cardseal::{Envelope, Timestamp, hazmat};
use cardseal_server::Project;
use serde_json::{Value, json};

use crate::support::{Answer, Bench};

const PATH: &str = "/api/v1/project/balance";

/// A bench with a second project that is shut out, `shut`.
async fn bench() -> Bench {
    Bench::with(|options| {
        options.projects = vec![
            Project::new("key_1", "the secret of key_1"),
            Project::new("shut", "the secret of shut").without_access(),
        ];
    })
    .await
}

#[track_caller]
fn assert_plain(answer: Option<Answer>, status: u16, text: &str) {
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, answer.text()), (status, json!({"error": text}).to_string()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("content-encoding"), None);
}

/// A fresh body for any payload text.
fn sealed(bench: &Bench, payload: &str) -> String {
    format!(r#"{{"encrypted":"{}"}}"#, bench.envelope.encrypt(payload.as_bytes()).unwrap())
}

#[tokio::test]
async fn each_of_the_eight_plain_errors() {
    let bench = bench().await;
    let post = async |body: String| bench.post(PATH, &bench.headers(), body.as_bytes()).await;
    let json = ("Content-Type", "application/json");
    for headers in [&[json][..], &[json, ("API-KEY", "nobody")], &[json, ("API-KEY", "key_1"), ("API-KEY", "key_1")]] {
        assert_plain(bench.post(PATH, headers, b"{}").await, 404, "API key not found");
    }
    let shut = bench.post(PATH, &[json, ("API-KEY", "shut")], b"{}").await;
    assert_plain(shut, 403, "You do not have access to this API.");
    for body in ["", "{}", "nonsense", r#"{"encrypted":"!"} x"#, r#"{"Encrypted":""}"#] {
        assert_plain(post(body.to_owned()).await, 400, "Encrypted payload not found");
    }
    let stranger = Envelope::new("a secret of somebody else").unwrap().seal(&json!({})).unwrap();
    let array = sealed(&bench, "[1]");
    let bare = Envelope::builder().secret("the secret of key_1").layout(cardseal::Layout::Bare).build().unwrap();
    for body in [r#"{"encrypted":5}"#.to_owned(), stranger, array, bare.seal(&json!({})).unwrap()] {
        assert_plain(post(body).await, 400, "Invalid encrypted payload format");
    }
    let wrapped = sealed(&bench, r#"{"data":{"request_timestamp":1}}"#);
    assert_plain(post(wrapped).await, 400, "Request timestamp not found in encrypted payload");
    for stamp in ["null", "\"\"", "1.5", "-1", "\"2026-01-01\""] {
        let body = sealed(&bench, &format!(r#"{{"request_timestamp":{stamp}}}"#));
        assert_plain(post(body).await, 400, "Invalid timestamp format");
    }
    let late = sealed(&bench, r#"{"request_timestamp":1700000000000000}"#);
    assert_plain(post(late).await, 400, "Request timestamp outside allowed window");
    let body = bench.envelope.seal(&json!({})).unwrap();
    assert_eq!(post(body.clone()).await.unwrap().status, 200);
    assert_plain(post(body).await, 400, "Duplicate request detected");
}

#[tokio::test]
async fn a_nonce_counts_on_every_path_and_a_timestamp_on_its_own() {
    let bench = bench().await;
    let post = async |path: &str, body: &str| {
        bench.post(path, &bench.headers(), body.as_bytes()).await.expect("an answer").status
    };
    let now = Timestamp::now().unwrap();
    let body = hazmat::seal_json(&bench.envelope, "{}", now, &[1; 24]).unwrap();
    assert_eq!(post(PATH, &body).await, 200);
    assert_eq!(post("/api/v1/cards/products", &body).await, 400, "the same body elsewhere");
    let other_nonce = hazmat::seal_json(&bench.envelope, "{}", now, &[2; 24]).unwrap();
    assert_eq!(post(PATH, &other_nonce).await, 400, "the same timestamp, as a string or not");
    let other_nonce = hazmat::seal_json(&bench.envelope, "{}", now, &[3; 24]).unwrap();
    assert_eq!(post("/api/v1/cards/products", &other_nonce).await, 400, "the timestamp was claimed with the nonce");
    let other_nonce = hazmat::seal_json(&bench.envelope, "{}", now, &[5; 24]).unwrap();
    assert_eq!(post("/api/v1/project/wallet/trc20", &other_nonce).await, 200, "the same timestamp elsewhere");
    // A trailing slash and a query name the same path.
    let again = hazmat::seal_json(&bench.envelope, "{}", now, &[4; 24]).unwrap();
    assert_eq!(post(&format!("{PATH}/?page=2"), &again).await, 400);
}

#[tokio::test]
async fn what_is_wrong_first_is_what_is_told() {
    let bench = bench().await;
    let key = ("API-KEY", "key_1");
    let text = ("Content-Type", "text/plain");
    let json = ("Content-Type", "application/json; charset=utf-8");
    let large = vec![b'x'; (1 << 20) + 1];
    let send = async |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        bench.send(method, path, headers, body).await
    };
    // Each request has the next fault as well as its own.
    assert_plain(send("GET", "/api/v1/nothing", &[], b"").await, 404, "There is no such endpoint");
    let answer = send("GET", PATH, &[], b"").await;
    assert_eq!(answer.as_ref().and_then(|answer| answer.header("allow")), Some("POST"));
    assert_plain(answer, 405, "Every endpoint takes POST alone");
    assert_plain(send("POST", PATH, &[("API-KEY", "nobody"), text], &large).await, 404, "API key not found");
    let shut = send("POST", PATH, &[("API-KEY", "shut"), text], &large).await;
    assert_plain(shut, 403, "You do not have access to this API.");
    let too_large = send("POST", PATH, &[key, text], &large).await;
    assert_plain(too_large, 413, cardseal::ErrorCode::TooLarge.meaning());
    let unsupported = "The body has to be application/json without a content encoding";
    assert_plain(send("POST", PATH, &[key, text], b"{}").await, 415, unsupported);
    assert_plain(send("POST", PATH, &[key], b"{}").await, 415, unsupported);
    assert_plain(send("POST", PATH, &[key, json, ("Content-Encoding", "gzip")], b"{}").await, 415, unsupported);
    assert_plain(send("POST", PATH, &[key, json], b"{}").await, 400, "Encrypted payload not found");
}

#[tokio::test]
async fn paths_that_only_look_right_lead_nowhere() {
    let bench = bench().await;
    for path in [
        "/project/balance",
        "/API/v1/project/balance",
        "/api/v1/project//balance",
        "/api/v1/project/./balance",
        "/api/v1/project/%62alance",
        "/api/v2/project/balance",
        "/api/v1/project",
        "/",
    ] {
        assert_plain(bench.post(path, &bench.headers(), b"{}").await, 404, "There is no such endpoint");
    }
}

#[tokio::test]
async fn an_idempotency_key_is_looked_at_after_the_claims() {
    let bench = bench().await;
    let path = "/api/v1/cards/topup";
    let body = bench.envelope.seal(&json!({"card_id": "card_0", "amount": "10"})).unwrap();
    let post = async |headers: Vec<(&str, &str)>, body: &str| {
        let answer = bench.post(path, &headers, body.as_bytes()).await.unwrap();
        let payload: Option<Value> = bench.envelope.open(&answer.body).ok();
        (answer.status, payload.map(|payload| payload["error_slug"].as_str().unwrap_or_default().to_owned()))
    };
    assert_eq!(post(bench.headers(), &body).await, (400, Some("idempotency_key_required".into())));
    assert_eq!(post(bench.headers(), &body).await, (400, None), "claimed all the same");
    for keys in [&["two words"][..], &[""], &["é"], &["one", "two"]] {
        let body = bench.envelope.seal(&json!({"card_id": "card_0", "amount": "10"})).unwrap();
        let mut headers = bench.headers();
        headers.extend(keys.iter().map(|key| ("Idempotency-Key", *key)));
        assert_eq!(post(headers.clone(), &body).await, (400, Some("invalid_request".into())), "{keys:?}");
        assert_eq!(post(headers, &body).await, (400, None), "claimed all the same");
    }
}
