//! What holds for every input.

#![expect(clippy::unwrap_used, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cardseal::{Body, Envelope, Layout, Payload, Timestamp, Window, hazmat};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

mod effort;

fn envelope(layout: Layout) -> Envelope {
    Envelope::builder().secret("a secret of mine").open_secret("an older one").layout(layout).build().unwrap()
}

fn layouts() -> impl Strategy<Value = Layout> {
    prop_oneof![Just(Layout::Versioned), Just(Layout::Bare)]
}

fn stamp() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000).unwrap()
}

/// JSON values, names that need escapes among them.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::hash_map("[a-c\"\\\\\n\u{e9}\u{1f600}]{0,3}", inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Texts that are nearly JSON: a JSON text with some bytes changed, cut out or doubled.
fn near_json() -> impl Strategy<Value = Vec<u8>> {
    (values(), vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3_u8), 0..4)).prop_map(|(value, changes)| {
        let mut text = value.to_string().into_bytes();
        for (index, byte, kind) in changes {
            if text.is_empty() {
                break;
            }
            let at = index.index(text.len());
            match kind {
                0 => text[at] = byte,
                1 => drop(text.remove(at)),
                _ => text.insert(at, b"\"\\{}[],:0e-. "[usize::from(byte) % 13]),
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: effort::cases(512), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encrypted_decrypts_to_itself(message in vec(any::<u8>(), 0..2_000), nonce: [u8; 24], layout in layouts()) {
        let envelope = envelope(layout);
        let field = hazmat::encrypt(&envelope, &message, &nonce).unwrap();
        prop_assert_eq!(envelope.decrypt(&field).unwrap(), message);
        prop_assert_eq!(STANDARD.encode(STANDARD.decode(&field).unwrap()), field);
    }

    #[test]
    fn any_flipped_bit_and_any_cut_fails(
        message in vec(any::<u8>(), 0..300), nonce: [u8; 24], layout in layouts(),
        at in any::<proptest::sample::Index>(), bit in 0..8_u8,
    ) {
        let envelope = envelope(layout);
        let sealed = STANDARD.decode(hazmat::encrypt(&envelope, &message, &nonce).unwrap()).unwrap();
        let mut flipped = sealed.clone();
        flipped[at.index(sealed.len())] ^= 1 << bit;
        let code = envelope.decrypt(&STANDARD.encode(&flipped)).unwrap_err().code();
        let is_version = layout == Layout::Versioned && at.index(sealed.len()) == 0;
        prop_assert_eq!(code, if is_version { "unsupported_version" } else { "decryption_failed" });

        let cut = &sealed[..at.index(sealed.len())];
        let code = envelope.decrypt(&STANDARD.encode(cut)).unwrap_err().code();
        let header = if layout == Layout::Versioned { 41 } else { 40 };
        prop_assert_eq!(code, if cut.len() < header { "invalid_envelope" } else { "decryption_failed" });
    }

    #[test]
    fn a_field_that_opens_is_the_only_spelling_of_its_bytes(
        message in vec(any::<u8>(), 0..100), nonce: [u8; 24],
        at in any::<proptest::sample::Index>(), byte in 0x20..0x7f_u8,
    ) {
        let envelope = envelope(Layout::Versioned);
        let field = hazmat::encrypt(&envelope, &message, &nonce).unwrap();
        let mut other = field.clone().into_bytes();
        other[at.index(field.len())] = byte;
        let other = String::from_utf8(other).unwrap();
        prop_assert_eq!(envelope.decrypt(&other).is_ok(), other == field);
    }

    #[test]
    fn every_json_value_comes_back_to_the_letter(value in values(), nonce: [u8; 24]) {
        let envelope = envelope(Layout::Versioned);
        let text = value.to_string();
        let body = hazmat::seal_response_json(&envelope, &text, &nonce);
        let sealed_already = value.as_object().is_some_and(|it| it.len() == 1 && it.get("encrypted").is_some_and(Value::is_string));
        prop_assert_eq!(body.is_err(), sealed_already);
        if let Ok(body) = body {
            let opened = envelope.open_json(&body).unwrap();
            prop_assert_eq!(opened.as_str(), text);
            let response = envelope.open_response_json(200, &body, None);
            prop_assert_eq!(response.is_err(), value.get("success") == Some(&Value::Bool(false)));
        }
    }

    #[test]
    fn a_sealed_object_opens_as_a_request_with_its_stamp(members in proptest::collection::hash_map("[a-z]{1,8}", values(), 0..6), nonce: [u8; 24]) {
        prop_assume!(!(members.len() == 1 && members.contains_key("encrypted")));
        let envelope = envelope(Layout::Versioned);
        let object = Value::Object(members.into_iter().collect());
        let body = hazmat::seal_json(&envelope, &object.to_string(), stamp(), &nonce).unwrap();
        let request = envelope.open_request(&body, stamp(), Window::MAX).unwrap();
        prop_assert_eq!((request.timestamp, request.nonce), (stamp(), nonce));
        let mut opened: Value = serde_json::from_str(&request.payload).unwrap();
        prop_assert_eq!(opened["request_timestamp"].take(), 1_700_000_000_000_000_u64);
        opened.as_object_mut().unwrap().remove("request_timestamp");
        prop_assert_eq!(opened, object);
    }

    #[test]
    fn the_reader_agrees_with_serde_json(text in near_json()) {
        let accepted = std::str::from_utf8(&text).is_ok_and(|text| cardseal::json::check(text).is_ok());
        // serde_json lets names repeat and stops at 128 levels too; what it takes and we refuse has a repeated name.
        match serde_json::from_slice::<Value>(&text) {
            Ok(value) if !accepted => {
                let members = |value: &Value| count_members(value);
                let names = String::from_utf8(text.clone()).unwrap();
                prop_assert!(members(&value) < count_colons(&names), "{names}");
            }
            Ok(_) => {}
            Err(error) => prop_assert!(!accepted, "{}: {error}", String::from_utf8_lossy(&text)),
        }
    }

    #[test]
    fn the_canonical_form_says_the_same_and_is_a_fixed_point(value in values()) {
        let value = if value.is_object() { value } else { serde_json::json!({"z": value, "request_timestamp": 5, "a": 1.0}) };
        let canonical = cardseal::canonical_json(&value.to_string()).unwrap();
        let mut expected = value.clone();
        if let Some(members) = expected.as_object_mut() {
            members.remove("request_timestamp");
        }
        prop_assert_eq!(serde_json::from_str::<Value>(&canonical).unwrap(), expected);
        prop_assert_eq!(cardseal::canonical_json(&canonical).unwrap(), canonical.clone());
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(cardseal::canonical_json(&pretty).unwrap(), canonical);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400), status: u16) {
        everything(&bytes, status);
    }

    #[test]
    fn nearly_json_never_panics(text in near_json(), status: u16) {
        everything(&text, status);
        let envelope = envelope(Layout::Versioned);
        let field = hazmat::encrypt(&envelope, &text, &[7; 24]).unwrap();
        everything(format!("{{\"encrypted\":\"{field}\"}}").as_bytes(), status);
    }

    #[test]
    fn a_normalised_path_is_normal(path in "[/.a-z?#%:]{0,12}(api/v[0-9x]{0,2})?[/.a-z?#%]{0,12}") {
        if let Ok(normal) = cardseal::normalize_path(&path) {
            prop_assert!(normal.starts_with("/api/v"));
            prop_assert_eq!(cardseal::normalize_path(&normal).unwrap(), normal.clone());
            prop_assert_eq!(cardseal::normalize_path(&format!("https://host{normal}/?q#f")).unwrap(), normal);
        }
    }
}

/// Every call that takes input from outside.
fn everything(bytes: &[u8], status: u16) {
    let envelope = envelope(Layout::Versioned);
    let _ = envelope.open_json(bytes);
    let _ = envelope.open_request(bytes, stamp(), Window::MAX);
    let _ = envelope.open_webhook(bytes);
    let request = hazmat::seal_json(&envelope, "{}", stamp(), &[7; 24]).unwrap();
    let _ = envelope.open_response_json(status, bytes, Some(&request));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = envelope.open_json(Body::Field(text));
        let _ = envelope.open_response_json(status, request.as_str(), Some(text));
        let _ = envelope.decrypt(text);
        let _ = Payload::parse(text);
        let _ = hazmat::seal_json(&envelope, text, stamp(), &[7; 24]);
        let _ = cardseal::canonical_json(text);
        let _ = cardseal::fingerprint(text, text);
        let _ = Envelope::new(text);
    }
}

fn count_members(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.len() + members.values().map(count_members).sum::<usize>(),
        Value::Array(items) => items.iter().map(count_members).sum(),
        _ => 0,
    }
}

/// Colons outside of strings: the members as they are written.
fn count_colons(text: &str) -> usize {
    let (mut count, mut inside, mut escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = inside,
            b'"' => inside = !inside,
            b':' if !inside => count += 1,
            _ => {}
        }
    }
    count
}

#[test]
fn hostile_texts_are_refused_or_read_in_reasonable_time() {
    // Quadratic work on any of these would not end within minutes.
    let prefix = "p".repeat(80);
    let names = |count: usize, suffix: &str| {
        let members: Vec<_> = (0..count).map(|index| format!("\"{prefix}{index}{suffix}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    let cases = [
        (names(100_000, ""), true),
        (names(100_000, "\\n"), true),
        (format!("{{{}\"a\":0}}", "\"a\":0,".repeat(1_000_000)), false),
        ("[".repeat(10 << 20), false),
        ("\"\\u".repeat((10 << 20) / 3), false),
        (format!("{{\"b\":\"{}\",\"a\":0}}", "\\u00e9".repeat((10 << 20) / 6)), true),
        (format!("[{}1]", "1.7976931348623158079e308,".repeat(400_000)), true),
        (format!("\"{}\"", "\\\\".repeat(5 << 20)), true),
    ];
    for (text, accepted) in &cases {
        let start = text.chars().take(20).collect::<String>();
        assert_eq!(cardseal::json::check(text).is_ok(), *accepted, "{start}");
        assert_eq!(cardseal::canonical_json(text).is_ok(), *accepted && text.starts_with('{'), "{start}");
    }
}
