//! `inspect`: the diagnoses themselves are tested in the library, here what a user sees of them.

use serde_json::Value;

use crate::run::{BARE_BODY, BODY, Finished, NOW, OTHER_SECRET, PAYLOAD, SECRET, cardseal, file, text};

fn inspect(arguments: &[&str], body: &str) -> (i32, String) {
    let run = cardseal(&[&["inspect", "--now-micros", NOW], arguments].concat()).input(body);
    shown(run.finish())
}

fn shown(Finished { status, stdout, stderr }: Finished) -> (i32, String) {
    assert_eq!(stderr, "");
    (status.unwrap(), String::from_utf8(stdout).unwrap())
}

fn sealed(payload: &str) -> String {
    cardseal(&["seal", "--response"]).input(payload).ok()
}

#[test]
fn a_fresh_request_is_all_right() {
    let expected = "\
ok    size       156 bytes, at most 10485760
ok    json       strict JSON
ok    field      `encrypted` is a string of 140 characters
ok    base64     canonical, 103 bytes: 41 before a message of 62
ok    version    the first byte is 0x02
ok    secret     the secret opens it (key_index 0)
ok    payload    strict JSON, an object
ok    timestamp  `request_timestamp` is well formed, a number
ok    window     0.000 s ahead of the server's clock, allowed are 30 s

It opens, and keeps the rules of a request.
";
    assert_eq!(inspect(&[], BODY), (0, expected.to_owned()));
    let body = file("inspected.json", BODY);
    assert_eq!(cardseal(&["inspect", "--now-micros", NOW, text(&body)]).ok(), expected);
}

#[test]
fn each_failure_is_found_at_its_step() {
    let field = BODY.split('"').nth(3).unwrap();
    let not_json = format!("{{\"encrypted\":\"{}\"}}", cardseal(&["encrypt"]).input("no JSON").ok().trim_end());
    for (body, status, words) in [
        ("", 1, &["FAIL  json", "(invalid_json)"][..]),
        ("<html>", 1, &["FAIL  json", "note  json       it begins like HTML"]),
        (field, 1, &["FAIL  json", "the field by itself"]),
        (PAYLOAD, 1, &["FAIL  field", "(envelope_not_found)", "nobody sealed"]),
        ("{\"error\":\"API key not found\"}", 1, &["the API's plain error `API key not found`"]),
        ("{\"encrypted\":null}", 1, &["FAIL  field", "(invalid_envelope)", "`encrypted` is null"]),
        (&BODY.replace('+', "-").replace('/', "_"), 1, &["FAIL  base64", "url-safe", "it would open"]),
        (&BODY.replace("AgAB", "AgAC"), 1, &["FAIL  secret", "(decryption_failed)", "It does not open"]),
        (BARE_BODY, 1, &["FAIL  version", "(unsupported_version)", "under the layout `bare`"]),
        (&not_json, 1, &["FAIL  payload", "(invalid_payload)"]),
        (&sealed("[1]"), 0, &["FAIL  object", "(invalid_payload)", "It opens; a server would refuse it"]),
        (&sealed("{}"), 0, &["FAIL  timestamp", "(timestamp_not_found)", "It opens; a server would refuse it"]),
        (&sealed("{\"data\":{}}"), 0, &["note  timestamp", "in a `data` object"]),
        (&sealed("{\"request_timestamp\":1700000000}"), 0, &["FAIL  window", "its size is that of seconds"]),
    ] {
        let (found, text) = inspect(&[], body);
        assert_eq!(found, status, "{body}: {text}");
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
    let (status, text) = inspect(&["--max-bytes", "155"], BODY);
    assert_eq!((status, text.lines().next().unwrap_or_default().split(' ').next()), (1, Some("FAIL")), "{text}");
    assert!(text.contains("(too_large)"), "{text}");
    let error = cardseal(&["inspect", "--window", "31"]).input(BODY).error(2);
    assert!(error.ends_with("(invalid_option)"), "{error}");
}

#[test]
fn a_body_sealed_twice_is_recognised() {
    let field = cardseal(&["encrypt"]).input(BODY).ok();
    let (status, text) = inspect(&[], &format!("{{\"encrypted\":\"{}\"}}", field.trim_end()));
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("it was sealed twice, both times with a secret that is at hand"), "{text}");
}

#[test]
fn without_a_secret_it_goes_as_far_as_it_can() {
    let (status, text) = shown(cardseal(&["inspect"]).no_secret().input(BODY).finish());
    assert_eq!(status, 0);
    assert!(text.contains("note  secret"), "{text}");
    assert!(text.ends_with("It is well formed; give a secret to see whether it opens.\n"), "{text}");
    let (status, _) = shown(cardseal(&["inspect"]).no_secret().input("{}").finish());
    assert_eq!(status, 1);
}

#[test]
fn a_secret_that_looks_odd_is_mentioned_where_it_does_not_open() {
    for (secret, words) in [(format!("{SECRET} "), "white space"), (format!("\"{SECRET}\""), "quotation marks")] {
        let (_, text) = shown(cardseal(&["inspect"]).env("CARDSEAL_SECRET", &secret).input(BODY).finish());
        assert!(text.contains(words) && !text.contains(SECRET), "{text}");
    }
    let (_, text) = shown(cardseal(&["inspect"]).env("CARDSEAL_SECRET", OTHER_SECRET).input(BODY).finish());
    assert!(!text.contains("note"), "{text}");
}

#[test]
fn the_payload_is_shown_when_asked_for() {
    let (status, text) = inspect(&["--show-payload"], BODY);
    assert_eq!(status, 0);
    assert!(text.ends_with(&format!("\n\n{PAYLOAD}\n")), "{text}");
    let (_, text) = inspect(&[], BODY);
    assert!(!text.contains("card_abc123"), "{text}");

    let wrap =
        |message: &[u8]| format!("{{\"encrypted\":\"{}\"}}", cardseal(&["encrypt"]).input(message).ok().trim_end());
    let (status, text) = inspect(&["--show-payload"], &wrap(b"\x1b[2Jsneaky\r"));
    assert_eq!(status, 1);
    assert!(text.ends_with("\n\n\\u{1b}[2Jsneaky\\r\n"), "{text:?}");
    let (_, text) = inspect(&["--show-payload"], &wrap(b"\xff\x00"));
    assert!(text.ends_with("\n\n\\xff\\x00\n"), "{text:?}");
}

#[test]
fn as_json_it_is_for_programs() {
    let json = |arguments: &[&str], body: &str| -> Value {
        serde_json::from_str(&inspect(&[&["--json"], arguments].concat(), body).1).unwrap()
    };
    let report = json(&[], BODY);
    assert_eq!((&report["verdict"], &report["code"]), (&"opens_as_request".into(), &Value::Null));
    assert_eq!(report["steps"][0]["name"], "size");
    assert_eq!(report["steps"][0]["outcome"], "passed");
    assert_eq!(report.get("payload"), None);
    let report = json(&["--show-payload"], BODY);
    assert_eq!(report["payload"], PAYLOAD);
    let report = json(&[], "{}");
    assert_eq!((&report["verdict"], &report["code"]), (&"does_not_open".into(), &"envelope_not_found".into()));
    assert_eq!(report["steps"][2]["code"], "envelope_not_found");
}
