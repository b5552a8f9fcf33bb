//! `batch`: every operation, and every way a line can be wrong.

use serde_json::{Value, json};

use crate::run::{BODY, NOW, OTHER_SECRET, PAYLOAD, SECRET, cardseal, file, text};

/// The answers to some lines, one each.
fn answers(lines: &[Value]) -> Vec<Value> {
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    answers_to_text(&lines.join("\n"), lines.len())
}

fn answers_to_text(lines: &str, count: usize) -> Vec<Value> {
    let answers = cardseal(&["batch"]).input(lines).ok();
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), count);
    answers
}

#[track_caller]
fn ok(line: Value) -> Value {
    let answer = answers(&[line]).remove(0);
    assert!(answer.get("error").is_none(), "{answer}");
    answer["ok"].clone()
}

#[track_caller]
fn error(line: Value) -> Value {
    let answer = answers(&[line]).remove(0);
    assert!(answer.get("ok").is_none(), "{answer}");
    answer["error"].clone()
}

fn now() -> u64 {
    NOW.parse().unwrap()
}

#[test]
fn what_is_sealed_opens() {
    for (seal, open) in [("seal", "open"), ("seal_response", "open"), ("seal_webhook", "open_webhook")] {
        for options in [
            json!({}),
            json!({"layout": "bare"}),
            json!({"secret": OTHER_SECRET, "layout": "versioned"}),
            json!({"key_hex": "00".repeat(32)}),
        ] {
            let mut line = options.clone();
            line["operation"] = seal.into();
            line["payload"] = PAYLOAD.into();
            let body = ok(line)["body"].clone();
            let mut line = options;
            line["operation"] = open.into();
            line["body"] = body;
            assert_eq!(ok(line)["payload"], PAYLOAD);
        }
    }
    let stamped = ok(json!({"operation": "seal", "payload": "{}"}));
    let payload = ok(json!({"operation": "open", "body": stamped["body"]}));
    assert!(payload["payload"].as_str().unwrap().starts_with("{\"request_timestamp\":"), "{payload}");
}

#[test]
fn bodies_come_as_text_as_bytes_or_as_the_field() {
    let field = BODY.split('"').nth(3).unwrap();
    assert_eq!(ok(json!({"operation": "open", "field": field}))["payload"], PAYLOAD);
    let encoded = "eyJlbmNyeXB0ZWQiOiJBZyJ9"; // {"encrypted":"Ag"}
    assert_eq!(error(json!({"operation": "open", "body_base64": encoded}))["code"], "invalid_envelope");
    assert_eq!(error(json!({"operation": "open", "body_base64": "//8="}))["code"], "invalid_json");
    for line in [
        json!({"operation": "open"}),
        json!({"operation": "open", "body": BODY, "body_base64": encoded}),
        json!({"operation": "open", "body": BODY, "field": field}),
        json!({"operation": "open", "body_base64": "url-safe_"}),
    ] {
        assert_eq!(error(line)["code"], "usage");
    }
}

#[test]
fn sealed_requests_have_everything_to_send() {
    let request = ok(json!({
        "operation": "seal_request",
        "path": "/cards/topup",
        "payload": PAYLOAD,
        "api_key": "key_1",
        "idempotency_key": "invoice-42",
    }));
    let expected =
        json!([["API-KEY", "key_1"], ["Content-Type", "application/json"], ["Idempotency-Key", "invoice-42"]]);
    assert_eq!(request["headers"], expected);
    assert_eq!((&request["path"], &request["idempotency_key"]), (&"/api/v1/cards/topup".into(), &"invoice-42".into()));
    let line = json!({"operation": "open_request", "body": request["body"], "now_micros": request["timestamp_micros"]});
    let opened = ok(line);
    assert_eq!((&opened["timestamp_micros"], &opened["nonce"]), (&request["timestamp_micros"], &request["nonce"]));
    let line = json!({"operation": "seal_request", "path": "/cards/topup", "payload": "{}", "api_key": "key_1"});
    assert_eq!(error(line)["code"], "idempotency_key_required");
}

#[test]
fn requests_open_within_the_window() {
    let line = json!({"operation": "open_request", "body": BODY, "now_micros": now() + 5_000_000, "window_seconds": 5});
    let expected = json!({
        "payload": PAYLOAD,
        "timestamp_micros": now(),
        "nonce": "000102030405060708090a0b0c0d0e0f1011121314151617",
        "key_index": 0,
    });
    assert_eq!(ok(line.clone()), expected);
    let mut late = line.clone();
    late["now_micros"] = (now() + 5_000_001).into();
    let refused = error(late);
    assert_eq!((&refused["code"], &refused["skew_micros"]), (&"timestamp_outside_window".into(), &(-5_000_001).into()));
    let mut wide = line;
    wide["window_seconds"] = 31.into();
    assert_eq!(error(wide)["code"], "invalid_option");
    assert_eq!(error(json!({"operation": "open_request", "body": BODY}))["code"], "timestamp_outside_window");
}

#[test]
fn responses_are_payloads_or_errors() {
    let seal = |payload: &str| ok(json!({"operation": "seal_response", "payload": payload}))["body"].clone();
    let line = json!({"operation": "open_response", "status": 200, "body": seal("[1]"), "request": BODY});
    assert_eq!(ok(line), json!({"payload": "[1]"}));
    let refused = r#"{"success":false,"error":"gone","error_slug":"card_not_found"}"#;
    let expected = json!({
        "code": "card_not_found",
        "message": "gone",
        "api_error": true,
        "slug": "card_not_found",
        "encrypted": true,
        "status": 404,
        "failure_class": "never",
        "payload": refused,
    });
    assert_eq!(error(json!({"operation": "open_response", "status": 404, "body": seal(refused)})), expected);
    let expected = json!({
        "code": null,
        "message": "http status 503",
        "api_error": true,
        "slug": null,
        "encrypted": false,
        "status": 503,
        "failure_class": "transient",
        "payload": null,
    });
    assert_eq!(error(json!({"operation": "open_response", "status": 503, "body": ""})), expected);
    let reflected = error(json!({"operation": "open_response", "status": 200, "body": BODY, "request": BODY}));
    assert_eq!((&reflected["code"], &reflected["failure_class"]), (&"reflected_response".into(), &"never".into()));
    assert_eq!((&reflected["api_error"], &reflected["status"]), (&false.into(), &200.into()));
}

#[test]
fn webhooks_tell_what_they_are() {
    let payload = r#"{"type":"card.activated","timestamp":[1, 2],"delivery_id":"d-1"}"#;
    let body = ok(json!({"operation": "seal_webhook", "payload": payload}))["body"].clone();
    let expected = json!({
        "payload": payload,
        "type": "card.activated",
        "timestamp": "[1, 2]",
        "delivery_id": "d-1",
        "dedupe_key": "id:d-1",
        "key_index": 0,
    });
    assert_eq!(ok(json!({"operation": "open_webhook", "body": body})), expected);
}

#[test]
fn fields_hold_text_or_any_bytes() {
    let field = ok(json!({"operation": "encrypt", "message": "é"}))["field"].clone();
    assert_eq!(ok(json!({"operation": "decrypt", "field": field})), json!({"message_base64": "w6k="}));
    let field = ok(json!({"operation": "encrypt", "message_base64": "/wA="}))["field"].clone();
    assert_eq!(ok(json!({"operation": "decrypt", "field": field})), json!({"message_base64": "/wA="}));
    assert_eq!(error(json!({"operation": "decrypt", "field": ""}))["code"], "invalid_envelope");
}

#[test]
fn payloads_and_texts_are_checked() {
    let line = json!({"operation": "validate_payload", "payload": PAYLOAD});
    assert_eq!(ok(line), json!({"timestamp_micros": now()}));
    assert_eq!(ok(json!({"operation": "validate_payload", "payload": "{}"})), json!({"timestamp_micros": null}));
    assert_eq!(error(json!({"operation": "validate_payload", "payload": BODY}))["code"], "already_sealed");
    assert_eq!(ok(json!({"operation": "check_json", "json": "[1]"})), json!({}));
    let fault = error(json!({"operation": "check_json", "json": "[1,]"}));
    assert_eq!((&fault["code"], &fault["at"]), (&"invalid_json".into(), &3.into()));
    assert_eq!(error(json!({"operation": "check_json", "json_base64": "/w=="}))["at"], 0);
    let line = json!({"operation": "canonical_json", "payload": r#"{"b":1,"a":"\/","request_timestamp":1}"#});
    assert_eq!(ok(line), json!({"canonical": r#"{"a":"/","b":1}"#}));
}

#[test]
fn derived_values_are_those_of_the_specification() {
    assert_eq!(
        ok(json!({"operation": "normalize_path", "path": "https://x/cards/get/?a"})),
        json!({"path": "/api/v1/cards/get"})
    );
    assert_eq!(error(json!({"operation": "normalize_path", "path": "//"}))["code"], "invalid_path");
    assert_eq!(ok(json!({"operation": "endpoint_kind", "path": "/cards/topup"})), json!({"kind": "keyed"}));
    let keys = ok(json!({
        "operation": "replay_keys",
        "api_key": "key_1",
        "path": "/cards/topup",
        "timestamp_micros": now(),
        "nonce": "000102030405060708090A0B0C0D0E0F1011121314151617",
    }));
    assert!(keys["timestamp"].as_str().unwrap().starts_with("b97a4dc6"), "{keys}");
    assert!(keys["nonce"].as_str().unwrap().starts_with("5e75a8fd"), "{keys}");
    let line = json!({"operation": "fingerprint", "path": "/cards/topup", "payload": r#"{"amount":"10.00","card_id":"card_abc123"}"#});
    assert!(ok(line)["fingerprint"].as_str().unwrap().starts_with("60183478"));
    let line = json!({"operation": "derive_idempotency_key", "namespace": "topup", "event_id": "invoice-42"});
    assert_eq!(ok(line), json!({"idempotency_key": "0d070fd6-04af-8724-b89c-f24408c2ec71"}));
    let line = json!({"operation": "parse_idempotency_key", "idempotency_key": "a b"});
    assert_eq!(error(line)["code"], "invalid_idempotency_key");
    assert_eq!(
        ok(json!({"operation": "parse_idempotency_key", "idempotency_key": "a"})),
        json!({"idempotency_key": "a"})
    );
}

#[test]
fn retries_are_judged() {
    let line = json!({
        "operation": "should_retry",
        "kind": "keyed",
        "class": "transient",
        "sent": "unknown",
        "has_key": true,
        "attempt": 1,
    });
    assert_eq!(ok(line.clone()), json!({"decision": "retry_after_backoff"}));
    let mut late = line.clone();
    late["class"] = "reseal".into();
    late["code"] = "timestamp_outside_window".into();
    late["attempt"] = 2.into();
    assert_eq!(ok(late), json!({"decision": "stop"}));
    let mut unknown = line;
    unknown["kind"] = "dangerous".into();
    assert_eq!(error(unknown)["code"], "invalid_option");
}

#[test]
fn statuses_follow_their_models() {
    for (model, from, to) in [
        ("order", "new", "failed"),
        ("card_issue", "card_create_error", "card_create_done"),
        ("card_topup", "new_error", "provider_in_progress"),
    ] {
        let line = json!({"operation": "can_become", "model": model, "from": from, "to": to});
        assert_eq!(ok(line), json!({"can_become": true}));
        let line = json!({"operation": "can_become", "model": model, "from": to, "to": from});
        assert_eq!(ok(line), json!({"can_become": false}));
        let line = json!({"operation": "is_terminal", "model": model, "status": "completed"});
        assert_eq!(ok(line), json!({"is_terminal": true}));
    }
    assert_eq!(
        ok(json!({"operation": "is_terminal", "model": "order", "status": "of_tomorrow"})),
        json!({"is_terminal": false})
    );
    assert_eq!(error(json!({"operation": "is_terminal", "model": "card", "status": "active"}))["code"], "usage");
}

#[test]
fn bodies_are_inspected() {
    let report = ok(json!({"operation": "inspect", "body": BODY, "now_micros": now()}));
    assert_eq!(report["verdict"], "opens_as_request");
    assert!(!report.to_string().contains("card_abc123"), "{report}");
    let report = ok(json!({"operation": "inspect", "body": BODY, "secret": OTHER_SECRET, "layout": "bare"}));
    assert_eq!((&report["verdict"], &report["code"]), (&"does_not_open".into(), &"decryption_failed".into()));
    let line = json!({"operation": "inspect", "body": BODY, "max_bytes": 155}).to_string();
    let keyless = cardseal(&["batch"]).no_secret().input(line).ok();
    assert!(keyless.contains("\"code\":\"too_large\""), "{keyless}");
    let keyless =
        cardseal(&["batch"]).no_secret().input(json!({"operation": "inspect", "body": BODY}).to_string()).ok();
    assert!(keyless.contains("\"verdict\":\"well_formed\""), "{keyless}");
}

#[test]
fn options_of_a_line_replace_those_of_the_process() {
    let older = file("batch_older_secret", SECRET);
    let lines = [
        json!({"operation": "open_request", "body": BODY, "now_micros": now()}),
        json!({"operation": "open", "body": BODY, "secret": OTHER_SECRET}),
        json!({"operation": "open", "body": BODY, "secret": OTHER_SECRET, "open_secrets": ["eight_bytes", SECRET]}),
        json!({"operation": "open", "body": BODY, "open_secrets": []}),
        json!({"operation": "open", "body": BODY, "max_bytes": 155}),
        json!({"operation": "open", "body": BODY, "max_bytes": 156}),
    ];
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let run = cardseal(&["batch", "--open-secret-file", text(&older)]).env("CARDSEAL_SECRET", "the_newest_secret");
    let outcomes: Vec<String> = run
        .input(lines.join("\n"))
        .ok()
        .lines()
        .map(|line| {
            let answer: Value = serde_json::from_str(line).unwrap();
            answer["error"]["code"].as_str().unwrap_or("ok").to_owned()
        })
        .collect();
    assert_eq!(outcomes, ["ok", "decryption_failed", "ok", "decryption_failed", "too_large", "ok"]);
}

#[test]
fn wrong_options_have_their_codes() {
    for (name, value, code) in [
        ("secret", json!("short"), "invalid_key"),
        ("secret", json!(7), "usage"),
        ("key_hex", json!("00"), "invalid_key"),
        ("key_hex", json!("0g"), "usage"),
        ("key_hex", json!("000"), "usage"),
        ("layout", json!("guess"), "invalid_option"),
        ("max_bytes", json!(0), "invalid_option"),
        ("max_bytes", json!(-1), "usage"),
        ("max_bytes", json!(4_294_967_296_u64), "invalid_option"),
        ("open_secrets", json!([SECRET, SECRET, SECRET, SECRET, SECRET]), "invalid_option"),
        ("open_secrets", json!(SECRET), "usage"),
        ("open_secrets", json!([1]), "usage"),
        ("open_keys_hex", json!(["00".repeat(32)]), "invalid_option"),
        ("open_keys_hex", json!(["0"]), "usage"),
    ] {
        let mut line = json!({"operation": "open", "body": BODY});
        line[name] = value;
        assert_eq!(error(line.clone())["code"], code, "{line}");
    }
    let line = json!({"operation": "open", "body": BODY, "secret": SECRET, "key_hex": "00".repeat(32)});
    assert_eq!(error(line)["code"], "usage");
    let line = json!({"operation": "seal", "payload": "{}"}).to_string();
    let answer = cardseal(&["batch"]).no_secret().input(line).ok();
    assert!(answer.contains("there is no secret") && answer.contains("\"usage\""), "{answer}");
}

#[test]
fn an_id_comes_back_whatever_it_is() {
    for id in [json!(1), json!("a"), json!(null), json!([1, {"b": null}]), json!(18_446_744_073_709_551_615_u64)] {
        let answer = answers(&[json!({"operation": "normalize_path", "path": "/x", "id": id})]).remove(0);
        assert_eq!(answer.get("id"), Some(&id));
        let answer = answers(&[json!({"operation": "nothing", "id": id})]).remove(0);
        assert_eq!(answer.get("id"), Some(&id));
    }
    let answer = answers(&[json!({"operation": "normalize_path", "path": "/x"})]).remove(0);
    assert_eq!(answer.get("id"), None);
}

#[test]
fn a_member_of_null_is_none() {
    let line = json!({
        "operation": "seal_request",
        "path": "/cards/get",
        "payload": "{}",
        "api_key": "key_1",
        "idempotency_key": null,
        "secret": null,
        "layout": null,
    });
    assert_eq!(ok(line)["idempotency_key"], Value::Null);
}

#[test]
fn an_unknown_member_is_named() {
    let refused = error(json!({"operation": "seal", "payload": "{}", "nonce": "00".repeat(24)}));
    assert_eq!(refused, json!({"code": "usage", "message": "`nonce` of `seal` is unknown"}));
    let refused = error(json!({"operation": "open", "body": BODY, "window_seconds": 30}));
    assert_eq!(refused["message"], "`window_seconds` of `open` is unknown");
    for line in [json!({"operation": "seal"}), json!({"operation": "seal", "payload": {}})] {
        assert!(error(line)["message"].as_str().unwrap().starts_with("`payload` of `seal` "));
    }
}

#[test]
fn a_malformed_line_is_answered_and_the_next_one_too() {
    let good = json!({"operation": "normalize_path", "path": "/x", "id": "good"});
    let bad = [
        "",
        "   ",
        "x",
        "[]",
        "\"text\"",
        "{\"operation\":\"open\"",
        "{\"operation\":\"open\",\"operation\":\"open\"}",
        "{\"operation\":7}",
        "{\"id\":1}",
        "{\"operation\":\"\u{7}\"}",
        "\u{feff}{}",
    ];
    let lines: Vec<String> = bad.iter().map(|bad| format!("{bad}\n{good}\r\n")).collect();
    for (index, answer) in answers_to_text(&lines.concat(), 2 * bad.len()).iter().enumerate() {
        match index % 2 {
            0 => assert_eq!(answer["error"]["code"], "usage", "{}: {answer}", bad[index / 2]),
            _ => assert_eq!((&answer["id"], &answer["ok"]["path"]), (&"good".into(), &"/api/v1/x".into())),
        }
    }
    let mut binary = vec![0xff, 0xfe, b'\n'];
    binary.extend(good.to_string().into_bytes());
    let answers = cardseal(&["batch"]).input(binary).ok();
    assert!(answers.lines().count() == 2 && answers.contains("\"usage\""), "{answers}");
}

#[test]
fn answers_are_in_order() {
    let lines: Vec<Value> = (0..5_000)
        .map(|id| json!({"id": id, "operation": "seal", "payload": "{}", "secret": format!("secret number {}", id % 2_000)}))
        .collect();
    let ids: Vec<u64> = answers(&lines).iter().map(|answer| answer["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..5_000).collect::<Vec<_>>());
}

#[test]
fn lines_come_from_a_file_too() {
    let lines = file("lines.jsonl", "{\"operation\":\"normalize_path\",\"path\":\"/x\"}");
    assert_eq!(cardseal(&["batch", text(&lines)]).ok(), "{\"ok\":{\"path\":\"/api/v1/x\"}}\n");
    assert_eq!(cardseal(&["batch"]).ok(), "");
}

#[test]
fn a_line_that_is_too_long_is_skipped_and_answered() {
    let good = "{\"operation\":\"normalize_path\",\"path\":\"/x\"}\n";
    let mut lines = vec![b' '; 64 * 1024 * 1024 + 1];
    lines.push(b'\n');
    lines.extend(good.as_bytes());
    let answers = cardseal(&["batch", "--max-bytes", "1000"]).input(lines).ok();
    let (first, second) = answers.split_once('\n').unwrap();
    assert!(first.contains("\"too_large\""), "{first}");
    assert_eq!(second, "{\"ok\":{\"path\":\"/api/v1/x\"}}\n");
}
