//! `seal` and `open`.

use serde_json::{Value, json};

use crate::run::{BODY, NOW, OTHER_SECRET, PAYLOAD, SECRET, cardseal, file, text};

fn sealed(arguments: &[&str], payload: &str) -> String {
    let body = cardseal(&[&["seal"], arguments].concat()).input(payload).ok();
    let body = body.strip_suffix('\n').unwrap();
    assert!(body.starts_with("{\"encrypted\":\"") && body.ends_with("\"}"), "{body}");
    body.to_owned()
}

fn opened(body: &str) -> String {
    cardseal(&["open"]).input(body).ok()
}

#[test]
fn the_body_of_the_specification_opens_to_the_letter() {
    assert_eq!(opened(BODY), format!("{PAYLOAD}\n"));
    let body = file("specification.json", format!("{BODY}\n"));
    assert_eq!(cardseal(&["open", text(&body)]).ok(), format!("{PAYLOAD}\n"));
    assert_eq!(cardseal(&["open", "-"]).input(BODY).ok(), format!("{PAYLOAD}\n"));
}

#[test]
fn a_payload_is_stamped_unless_it_has_a_stamp() {
    let payload = opened(&sealed(&[], " { \"card_id\":\t\"card_abc123\" }\n"));
    let stamp = payload.strip_prefix("{\"request_timestamp\":").unwrap();
    let (stamp, rest) = stamp.split_once(',').unwrap();
    assert!(stamp.parse::<u64>().unwrap() > 1_700_000_000_000_000);
    assert_eq!(rest, " \"card_id\":\t\"card_abc123\" }\n");
    assert_eq!(opened(&sealed(&[], PAYLOAD)), format!("{PAYLOAD}\n"));
    let payload = file("payload.json", PAYLOAD);
    assert_eq!(opened(&sealed(&[text(&payload)], "")), format!("{PAYLOAD}\n"));
}

#[test]
fn responses_and_webhooks_are_sealed_as_they_are() {
    assert_eq!(opened(&sealed(&["--response"], " [1, 2] ")), "[1, 2]\n");
    assert_eq!(opened(&sealed(&["--webhook"], "{\"type\": \"a\"}")), "{\"type\": \"a\"}\n");
    let error = cardseal(&["seal", "--webhook"]).input("[]").error(1);
    assert!(error.ends_with("(invalid_payload)"), "{error}");
}

#[test]
fn a_request_is_printed_as_body_as_request_and_as_json() {
    let topup = ["--path", "/cards/topup", "--api-key", "key_1", "--idempotency-key", "invoice-42"];
    let payload = opened(&sealed(&topup, PAYLOAD));
    assert!(!payload.contains("1700000000000000"), "stamped anew: {payload}");

    let shown = cardseal(&[&["seal", "--print", "request"], &topup[..]].concat()).input(PAYLOAD).ok();
    let (head, body) = shown.split_once("\n\n").unwrap();
    let expected = "POST /api/v1/cards/topup HTTP/1.1\n\
                    API-KEY: key_1\n\
                    Content-Type: application/json\n\
                    Idempotency-Key: invoice-42";
    assert_eq!(head, expected);
    assert_eq!(opened(body).len(), PAYLOAD.len() + 1);

    let shown = cardseal(&[&["seal", "--print", "json"], &topup[..]].concat()).input(PAYLOAD).ok();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["path"], "/api/v1/cards/topup");
    assert_eq!(shown["headers"][2], json!(["Idempotency-Key", "invoice-42"]));
    assert_eq!(shown["idempotency_key"], "invoice-42");
    assert_eq!(shown["nonce"].as_str().unwrap().len(), 48);
    let stamp = shown["timestamp_micros"].as_u64().unwrap();
    assert_eq!(opened(shown["body"].as_str().unwrap()), format!("{}\n", PAYLOAD.replace(NOW, &stamp.to_string())));
}

#[test]
fn a_request_is_for_the_host_of_its_path_or_of_the_environment() {
    let request = |path: &str, url: &str| {
        let arguments = ["seal", "--print", "request", "--path", path];
        cardseal(&arguments).env("CARDSEAL_API_KEY", "key_1").env("CARDSEAL_URL", url).input("{}").ok()
    };
    let host = |request: &str| request.lines().nth(1).and_then(|line| line.strip_prefix("Host: ")).map(str::to_owned);
    assert_eq!(
        host(&request("https://u:p@api.example.com:8443/cards/get?x", "")).as_deref(),
        Some("api.example.com:8443")
    );
    assert_eq!(host(&request("/cards/get", "http://localhost:8080/")).as_deref(), Some("localhost:8080"));
    assert_eq!(host(&request("/cards/get", "")), None);
}

#[test]
fn an_api_key_comes_from_the_flag_or_else_from_the_environment() {
    let seal = ["seal", "--path", "/cards/get", "--print", "request"];
    let flag = [&seal[..], &["--api-key", "of_the_flag"]].concat();
    let shown = cardseal(&flag).env("CARDSEAL_API_KEY", "of_the_environment").input("{}").ok();
    assert!(shown.contains("API-KEY: of_the_flag\n"), "{shown}");
    let shown = cardseal(&seal).env("CARDSEAL_API_KEY", "of_the_environment").input("{}").ok();
    assert!(shown.contains("API-KEY: of_the_environment\n"), "{shown}");
    let error = cardseal(&seal).env("CARDSEAL_API_KEY", "").input("{}").error(2);
    assert_eq!(error, "cardseal: there is no API key: use --api-key, or set CARDSEAL_API_KEY (usage)");
}

#[test]
fn a_path_that_charges_needs_an_idempotency_key() {
    let error = cardseal(&["seal", "--path", "/cards/topup", "--api-key", "key_1"]).input("{}").error(1);
    assert!(error.ends_with("(idempotency_key_required)"), "{error}");
    let error = cardseal(&["seal", "--path", "/cards/../topup", "--api-key", "key_1"]).input("{}").error(1);
    assert!(error.ends_with("(invalid_path)"), "{error}");
}

#[test]
fn a_server_counts_the_timestamp() {
    let open = |arguments: &[&str]| cardseal(&[&["open", "--server"], arguments].concat()).input(BODY);
    assert_eq!(open(&["--now-micros", NOW]).ok(), format!("{PAYLOAD}\n"));
    assert_eq!(open(&["--now-micros", "1700000005000000", "--window", "5"]).ok(), format!("{PAYLOAD}\n"));
    let error = open(&["--now-micros", "1700000005000001", "--window", "5"]).json_error(1);
    assert_eq!((&error["code"], &error["skew_micros"]), (&json!("timestamp_outside_window"), &json!(-5_000_001)));
    assert!(open(&[]).error(1).ends_with("(timestamp_outside_window)"));

    let known: Value = serde_json::from_str(&open(&["--now-micros", NOW, "--print", "json"]).ok()).unwrap();
    let expected = json!({
        "payload": PAYLOAD,
        "timestamp_micros": 1_700_000_000_000_000_u64,
        "nonce": "000102030405060708090a0b0c0d0e0f1011121314151617",
        "key_index": 0,
    });
    assert_eq!(known, expected);
}

#[test]
fn a_webhook_tells_its_type_and_dedupe_key() {
    let body = sealed(&["--webhook"], r#"{"event_type":"card.activated","delivery_id":"d-1","timestamp":5}"#);
    let known: Value =
        serde_json::from_str(&cardseal(&["open", "--webhook", "--print", "json"]).input(body).ok()).unwrap();
    assert_eq!(known["type"], "card.activated");
    assert_eq!(known["timestamp"], "5");
    assert_eq!(known["dedupe_key"], "id:d-1");
    let list = sealed(&["--response"], "[]");
    assert!(cardseal(&["open", "--webhook"]).input(list).error(1).ends_with("(invalid_payload)"));
}

#[test]
fn a_response_is_a_payload_or_the_error_of_the_api() {
    let answer = sealed(&["--response"], r#"{"card": 1}"#);
    assert_eq!(cardseal(&["open", "--status", "200"]).input(answer).ok(), "{\"card\": 1}\n");

    let refused = r#"{"success":false,"error":"not enough","error_slug":"insufficient_funds"}"#;
    let refused = sealed(&["--response"], refused);
    let error = cardseal(&["open", "--status", "403"]).input(&refused).error(1);
    assert_eq!(error, "cardseal: not enough (http status 403, insufficient_funds)");
    let error = cardseal(&["open", "--status", "403"]).input(&refused).json_error(1);
    let expected = json!({
        "code": "insufficient_funds",
        "message": "not enough",
        "api_error": true,
        "slug": "insufficient_funds",
        "encrypted": true,
        "status": 403,
        "failure_class": "never",
    });
    assert_eq!(error, expected);

    let error = cardseal(&["open", "--status", "502"]).input("").error(1);
    assert_eq!(error, "cardseal: http status 502 (http status 502)");
    let error = cardseal(&["open", "--status", "400"]).input(r#"{"error":"Duplicate request detected"}"#).json_error(1);
    assert_eq!((&error["code"], &error["failure_class"]), (&json!("duplicate_request"), &json!("reseal")));
    let error = cardseal(&["open", "--status", "200"]).input("<html>").json_error(1);
    assert_eq!((&error["code"], &error["status"]), (&json!("invalid_json"), &json!(200)));
}

#[test]
fn a_reflected_request_is_refused() {
    let request = file("request.json", BODY);
    let open = ["open", "--status", "200", "--request", text(&request)];
    let error = cardseal(&open).input(BODY).error(1);
    assert!(error.ends_with("(http status 200, reflected_response)"), "{error}");
    let answer = sealed(&["--response"], "{}");
    assert_eq!(cardseal(&open).input(answer).ok(), "{}\n");
    let error = cardseal(&["open", "--status", "200", "--request", "-"]).input(BODY).error(2);
    assert!(error.ends_with("(usage)"), "{error}");
}

#[test]
fn layouts_are_asked_for_and_never_guessed() {
    let bare = sealed(&["--layout", "bare"], PAYLOAD);
    assert_eq!(cardseal(&["--layout", "bare", "open"]).input(&bare).ok(), format!("{PAYLOAD}\n"));
    let error = cardseal(&["open", "--layout", "bare"]).input(BODY).error(1);
    assert!(error.ends_with("(decryption_failed)"), "{error}");
}

#[test]
fn older_secrets_open_and_never_seal() {
    let older = file("older_secret", SECRET);
    let rotated = |arguments: &[&str]| {
        let arguments = [arguments, &["--open-secret-file", text(&older)]].concat();
        cardseal(&arguments).env("CARDSEAL_SECRET", OTHER_SECRET)
    };
    let known = rotated(&["open", "--server", "--now-micros", NOW, "--print", "json"]).input(BODY).ok();
    let known: Value = serde_json::from_str(&known).unwrap();
    assert_eq!(known["key_index"], 1);
    let body = rotated(&["seal"]).input(PAYLOAD).ok();
    assert!(cardseal(&["open"]).input(&body).error(1).ends_with("(decryption_failed)"));
    assert_eq!(cardseal(&["open"]).env("CARDSEAL_SECRET", OTHER_SECRET).input(&body).ok(), format!("{PAYLOAD}\n"));
}

#[test]
fn a_secret_file_beats_the_environment_and_loses_one_newline() {
    for (name, ending) in [("none", ""), ("lf", "\n"), ("crlf", "\r\n")] {
        let secret = file(&format!("secret_{name}"), format!("{SECRET}{ending}"));
        let open = cardseal(&["open", "--secret-file", text(&secret)]).env("CARDSEAL_SECRET", OTHER_SECRET);
        assert_eq!(open.input(BODY).ok(), format!("{PAYLOAD}\n"), "{name}");
    }
    for (name, ending) in [("two", "\n\n"), ("space", " \n"), ("cr", "\r")] {
        let secret = file(&format!("secret_{name}"), format!("{SECRET}{ending}"));
        let error = cardseal(&["open", "--secret-file", text(&secret)]).input(BODY).error(1);
        assert!(error.ends_with("(decryption_failed)"), "{name}: {error}");
    }
}
