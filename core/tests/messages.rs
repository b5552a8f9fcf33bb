//! Every error a user can meet is one line that says what to do, without a secret or plaintext.

#![cfg(all(feature = "std", feature = "serde"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use cardseal::{
    EndpointKind, Envelope, Error, FailureClass, IdempotencyKey, Layout, Payload, ResponseError, RetryDecision, Sent,
    Timestamp, Window, hazmat,
};

fn envelope() -> Envelope {
    Envelope::new("a secret of mine").unwrap()
}

/// A message names its code behind it, begins in lowercase, has no final period and fits a line.
fn check(error: &Error, code: &str, says: &str) {
    let message = error.message();
    assert_eq!(error.code(), code, "{message}");
    assert!(message.contains(says), "`{message}` does not say `{says}`");
    assert!(message.starts_with(|first: char| first.is_lowercase() || "`".contains(first)), "{message}");
    assert!(!message.ends_with('.') && !message.contains('\n') && message.len() < 160, "{message}");
    assert_eq!(error.to_string(), format!("{message} ({code})"));
    assert!(format!("{error:?}").contains(code));
    assert_eq!(error.kind().as_str(), code);
    assert!(!error.kind().meaning().is_empty() && error.kind().to_string() == code);
}

#[test]
fn faults_of_a_text_are_named_with_their_place() {
    let cases: [(&[u8], &str); 19] = [
        (b"\xff", "not UTF-8 (byte 0)"),
        ("\u{feff}{}".as_bytes(), "byte order mark"),
        (b"  ", "nothing to read"),
        (b"[1", "the text ends inside a value (byte 2)"),
        (b"[1 2]", "does not allow here (byte 3)"),
        (b"[tru]", "does not allow here (byte 1)"),
        (b"{1:2}", "does not allow here (byte 1)"),
        (b"{\"a\" 1}", "does not allow here (byte 5)"),
        (b"{\"a\":1 \"b\"}", "does not allow here (byte 7)"),
        (b"\"a\tb\"", "raw control character in a string: escape it (byte 2)"),
        (b"\"a\\x\"", "an escape that JSON does not know (byte 2)"),
        (b"\"a\\u12g4\"", "an escape that JSON does not know (byte 2)"),
        (b"\"\\ud800\"", "half of a surrogate pair (byte 1)"),
        (b"[-]", "malformed number (byte 2)"),
        (b"[1.]", "malformed number (byte 3)"),
        (b"[01]", "malformed number (byte 3)"),
        (b"[1e999]", "too long or too large (byte 1)"),
        (b"{\"a\":1,\"a\":2}", "a member name that its object already has (byte 7)"),
        (b"{} {}", "something after the value (byte 3)"),
    ];
    for (text, says) in cases {
        check(&envelope().open_json(text).unwrap_err(), "invalid_json", says);
    }
    check(&envelope().open_json(&b"[".repeat(129)).unwrap_err(), "invalid_json", "128 levels of nesting (byte 128)");
    for cut in ["\"", "\"\\", "{\"a\"", "{\"a\":", "[", "{"] {
        check(&envelope().open_json(cut).unwrap_err(), "invalid_json", "ends inside a value");
    }
}

#[test]
fn a_field_that_does_not_decode_says_what_is_wrong_with_it() {
    let field = hazmat::encrypt(&envelope(), b"{}", &[0xff; 24]).unwrap();
    let cases = [
        (String::new(), "is empty"),
        (field.replace('/', "_").replace('+', "-"), "url-safe alphabet"),
        (format!("{field}\n"), "white space"),
        (field.replacen('/', "\\/", 1), "backslash"),
        (field.replacen('/', "*", 1), "outside standard base64"),
        (field.trim_end_matches('=').to_owned(), "lacks its `=` padding"),
        ("AgAA".to_owned(), "too short"),
        (format!("{field}===="), "not canonical"),
    ];
    for (field, says) in cases {
        check(&envelope().decrypt(&field).unwrap_err(), "invalid_envelope", says);
    }
    let bare = Envelope::builder().secret("a secret of mine").layout(Layout::Bare).build().unwrap();
    let error = envelope().decrypt(&hazmat::encrypt(&bare, b"{} ", &[7; 24]).unwrap()).unwrap_err();
    check(&error, "unsupported_version", "begins with 0x07, not 0x02");
    let other = Envelope::new("another secret").unwrap();
    check(&other.decrypt(&field).unwrap_err(), "decryption_failed", "another secret, or altered");
}

#[test]
fn a_request_that_is_refused_says_what_to_change() {
    let now = Timestamp::from_micros(1_700_000_000_000_000).unwrap();
    let refusal = |payload: &str| {
        let body = hazmat::seal_response_json(&envelope(), payload, &[7; 24]).unwrap();
        envelope().open_request(&body, now, Window::MAX).unwrap_err()
    };
    check(&refusal("[]"), "invalid_payload", "no JSON object");
    check(&refusal("{\"data\":{}}"), "timestamp_not_found", "fields belong at the root");
    check(&refusal("{\"encrypted\":\"x\",\"a\":1}"), "timestamp_not_found", "sealed twice");
    check(&refusal("{}"), "timestamp_not_found", "seal with a call that adds it");
    for (stamp, says) in [
        ("null", "null"),
        ("true", "true or false"),
        ("-1", "a sign"),
        ("\"2023-11-14\"", "such a string"),
        ("[]", "an array"),
        ("{}", "an object"),
    ] {
        check(&refusal(&format!("{{\"request_timestamp\":{stamp}}}")), "invalid_timestamp", says);
    }
    for (stamp, says, skew) in [
        ("1700000000", "looks like seconds", -1_699_998_300_000_000),
        ("1700000000000", "looks like milliseconds", -1_698_300_000_000_000),
        ("1699999968500000", "31.500 s behind the server's clock, allowed are 30 s", -31_500_000),
        ("1700000030000001", "30.000 s ahead of the server's clock", 30_000_001),
    ] {
        let error = refusal(&format!("{{\"request_timestamp\":{stamp}}}"));
        check(&error, "timestamp_outside_window", says);
        assert_eq!(error.skew_micros(), Some(skew));
    }
}

#[test]
fn wrong_options_and_keys_say_what_is_possible() {
    let built = |builder: cardseal::EnvelopeBuilder| builder.build().unwrap_err();
    check(&built(Envelope::builder()), "invalid_key", "no secret");
    check(&Envelope::new("short").unwrap_err(), "invalid_key", "at least 8");
    check(&Envelope::from_key(&[0; 31]).unwrap_err(), "invalid_key", "a raw key has 32");
    let five = (0..5).fold(Envelope::builder().secret("a secret"), |builder, _| builder.open_secret("another one"));
    check(&built(five), "invalid_option", "more than 4");
    check(&built(Envelope::builder().secret("a secret").open_key(&[0; 32])), "invalid_option", "mixed");
    check(&built(Envelope::builder().secret("a secret").max_bytes(0)), "invalid_option", "1 to 4294967295");
    check(&"Bare".parse::<Layout>().unwrap_err(), "invalid_option", "`versioned` or `bare`");
    check(&Window::from_seconds(31).unwrap_err(), "invalid_option", "1 to 30");
    check(&Timestamp::from_micros(u64::MAX).unwrap_err(), "invalid_timestamp", "2^63 - 1");
    check(&Timestamp::parse("x").unwrap_err(), "invalid_timestamp", "microseconds since 1970");
    check(&IdempotencyKey::derive("topup", "").unwrap_err(), "invalid_idempotency_key", "empty");
    check(&IdempotencyKey::parse("a key").unwrap_err(), "invalid_idempotency_key", "printable ASCII");
    check(&"none".parse::<Sent>().unwrap_err(), "invalid_option", "`no` `yes` `unknown`");
    check(&Payload::parse("{\"encrypted\":\"x\"}").unwrap_err(), "already_sealed", "seal it once");
    for (path, says) in [
        ("", "names no endpoint"),
        ("/a%20b", "`%`"),
        ("/a b", "not printable ASCII"),
        ("//a", "empty segment"),
        ("/a/../b", "dot segment"),
        ("/a%20b?token=4929", "the path `/a%20b` holds"),
        ("https://user:password@h/a%20b#4929", "the path `/a%20b` holds"),
        ("/?token=4929", "the path `/` names no endpoint"),
    ] {
        check(&cardseal::normalize_path(path).unwrap_err(), "invalid_path", says);
    }
    let small = Envelope::builder().secret("a secret").max_bytes(20).build().unwrap();
    check(&small.seal_json("{}").unwrap_err(), "too_large", "more than 20 bytes");
    assert_eq!(small.max_bytes(), 20);
    let numbers_as_names = std::collections::BTreeMap::from([(vec![1], 2)]);
    check(&envelope().seal(&numbers_as_names).unwrap_err(), "invalid_payload", "text as names");
}

#[test]
fn names_shared_by_all_languages_read_as_they_are_written() {
    macro_rules! round_trip {
        ($($type:ident: $($name:literal)*;)*) => {
            $($(assert_eq!($name.parse::<$type>().unwrap().to_string(), $name);)*)*
        };
    }
    round_trip! {
        EndpointKind: "read" "keyed" "unsafe";
        FailureClass: "never" "reseal" "transient" "later";
        Sent: "no" "yes" "unknown";
        RetryDecision: "retry_now" "retry_after_backoff" "stop" "outcome_unknown";
        Layout: "versioned" "bare";
    }
    let key = IdempotencyKey::generate().unwrap();
    assert_eq!((key.as_ref().len(), key.to_string()), (36, String::from(key.clone())));
    assert_ne!(key, IdempotencyKey::generate().unwrap());
    assert_eq!(cardseal::OrderStatus::Processing.to_string(), "processing");
    assert_eq!(Timestamp::MAX.to_string(), "9223372036854775807");
    assert_eq!(Window::default().as_micros(), 30_000_000);
    assert_eq!(cardseal::VERSION, env!("CARGO_PKG_VERSION"));
}

#[test]
fn an_api_error_shows_status_and_code_and_nothing_of_the_payload() {
    let answer = |status, body: &str| envelope().open_response_json(status, body, None).unwrap_err();
    let plain = answer(502, "<html>\u{7}Bad   gateway</html>");
    assert_eq!(plain.to_string(), "<html>Bad   gateway</html> (http status 502)");
    assert_eq!(plain.code(), None);
    let sealed = hazmat::seal_response_json(&envelope(), r#"{"error":"gone","pin":"8274"}"#, &[7; 24]).unwrap();
    let error = answer(404, &sealed);
    assert!(!format!("{error:?}").contains("8274"));
    assert_eq!((error.status(), error.failure_class()), (404, FailureClass::Never));
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "gone (http status 404)");
    let reflected = envelope().open_response_json(200, &sealed, Some(&sealed)).unwrap_err();
    let ResponseError::Envelope { error, .. } = &reflected else { panic!("{reflected}") };
    check(error, "reflected_response", "request's own envelope");
}

#[test]
fn a_slug_that_is_no_code_is_quoted() {
    let (longest, too_long) = ("a9_b".repeat(16), "a".repeat(65));
    let cut = format!("`{}…`", "a".repeat(40));
    let cases = [
        ("card_not_found", "card_not_found"),
        (&longest, &longest),
        (&too_long, &cut),
        ("Card", "`Card`"),
        ("a\nb\u{1b}[2J\u{202e}", "`a\\nb\\u{1b}[2J\\u{202e}`"),
    ];
    for (slug, shown) in cases {
        let sealed = envelope().seal_response(&serde_json::json!({"error_slug": slug, "error": "no"})).unwrap();
        let error = envelope().open_response_json(404, &sealed, None).unwrap_err();
        assert_eq!(error.code(), Some(slug));
        assert_eq!(error.to_string(), format!("no (http status 404, {shown})"));
    }
}
