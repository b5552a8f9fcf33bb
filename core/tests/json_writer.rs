//! What the bindings' writer puts together is sealed exactly as the same text is when a caller hands it in.

#![cfg(all(feature = "std", feature = "serde", feature = "writer"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use cardseal::binding::{self, JsonText, RequestHead};
use cardseal::json::{FaultKind, NameLiteral, Writer, check};
use cardseal::{Envelope, RequestOptions};
use proptest::collection::vec as vec_of;
use proptest::prelude::*;
use serde_json::{Map, Number, Value, json};

fn envelope() -> Envelope {
    Envelope::new("a secret of mine").unwrap()
}

fn head() -> RequestHead {
    RequestHead::new("/cards/get", &RequestOptions::new("key_1")).unwrap()
}

fn write(value: &Value, writer: &mut Writer, write_name: fn(&mut Writer, &str)) {
    match value {
        Value::Null => writer.null(),
        Value::Bool(value) => writer.boolean(*value),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => writer.integer(integer),
            None => writer.number(&number.to_string()).unwrap(),
        },
        Value::String(value) => writer.string(value),
        Value::Array(values) => {
            writer.begin_array().unwrap();
            for value in values {
                write(value, writer, write_name);
            }
            writer.end_array();
        }
        Value::Object(members) => {
            writer.begin_object().unwrap();
            for (name, value) in members {
                write_name(writer, name);
                write(value, writer, write_name);
            }
            writer.end_object();
        }
    }
}

fn written(value: &Value) -> Writer {
    let mut writer = Writer::with_capacity(0);
    write(value, &mut writer, Writer::name);
    writer
}

/// The same by literals of the names, where there are any.
fn written_again(value: &Value) -> Writer {
    let mut writer = Writer::with_capacity(0);
    write(value, &mut writer, |writer, name| match NameLiteral::new(name) {
        Some(literal) => writer.name_again(&literal),
        None => writer.name(name),
    });
    writer
}

/// The code of every operation, or its plaintext with the digits of a new stamp left out.
fn outcomes<'j>(json: impl Fn() -> JsonText<'j>) -> [Result<String, &'static str>; 4] {
    let envelope = envelope();
    let plaintext = |body: String| envelope.open_json(&body).unwrap().into_string();
    let seal = binding::seal(&envelope, json());
    let request = binding::seal_request(&envelope, head(), json());
    let response = binding::seal_response(&envelope, json());
    let webhook = binding::seal_webhook(&envelope, json());
    let sealed = |outcome: cardseal::Result<binding::Encrypted>| {
        outcome.map(|encrypted| plaintext(encrypted.into_body())).map_err(|error| error.code())
    };
    [
        sealed(seal).map(|text| without_recent_stamp(&text)),
        request
            .map(|request| {
                plaintext(request.body.into_body()).replacen(&format!(":{}", request.timestamp), ":<stamp>", 1)
            })
            .map_err(|error| error.code()),
        sealed(response),
        sealed(webhook),
    ]
}

/// `{"request_timestamp":<digits>…` where the digits are this century's: those in the test values are none.
fn without_recent_stamp(text: &str) -> String {
    match text.strip_prefix("{\"request_timestamp\":").and_then(|rest| Some((rest.get(..16)?, rest.get(16..)?))) {
        Some((digits, rest)) if digits.starts_with('1') && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            format!("{{\"request_timestamp\":<stamp>{rest}")
        }
        _ => text.to_owned(),
    }
}

fn assert_same(value: &Value) {
    let text = written(value).as_str().to_owned();
    check(&text).unwrap();
    assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), value, "{text}");
    let given = outcomes(|| JsonText::Given(&text));
    assert_eq!(outcomes(|| written(value).into()), given, "{text}");
    assert_eq!(written_again(value).as_str(), text);
    assert_eq!(outcomes(|| written_again(value).into()), given, "{text}");
    let distrusted = || {
        let mut writer = written(value);
        writer.distrust_names();
        writer.into()
    };
    assert_eq!(outcomes(distrusted), given, "{text}");
}

/// Names and values that the rules look at, more often than chance would have them.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |number| Number::from_f64(number).map(Value::from)),
        ".*".prop_map(Value::from),
        "[a\u{e9}\u{1f600}]{0,80}[\u{0}-\u{1f}\"\\\\]?[a-z]{0,80}".prop_map(Value::from),
        Just(json!("1234")),
        Just(json!("01")),
    ];
    let name = prop_oneof!["request_timestamp", "encrypted", "[a-c\"\\\\\n\u{e9}]{0,3}", ".{0,40}"];
    leaf.prop_recursive(4, 64, 6, move |inner| {
        let members = vec_of((name.clone(), inner.clone()), 0..6);
        prop_oneof![
            vec_of(inner, 0..6).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_is_sealed_as_its_text_is(value in values()) {
        assert_same(&value);
    }
}

#[test]
fn what_the_rules_look_at_is_found() {
    for value in [
        json!({}),
        json!({"encrypted": "AAAA"}),
        json!({"encrypted": 1}),
        json!({"encrypted": "AAAA", "a": 1}),
        json!({"a": {"encrypted": "AAAA", "request_timestamp": 5}}),
        json!({"request_timestamp": 5}),
        json!({"a": 1, "request_timestamp": "5", "b": [1, 2]}),
        json!({"request_timestamp": null}),
        json!({"a": 1, "request_timestamp": {"deep": ["er", {"a": 1}]}, "b": 2}),
        json!({"a": "before", "request_timestamp": "far longer than any stamp could be, by more than a header's length"}),
        json!([{"request_timestamp": 5}]),
        json!("text"),
        json!(null),
    ] {
        assert_same(&value);
    }
}

#[test]
fn a_name_that_stands_twice_is_found_where_the_names_are_distrusted() {
    let mut writer = Writer::with_capacity(0);
    writer.begin_object().unwrap();
    for _ in 0..2 {
        writer.name("a");
        writer.null();
    }
    writer.end_object();
    writer.distrust_names();
    assert_eq!(binding::seal(&envelope(), writer.into()).unwrap_err().code(), "invalid_payload");
}

#[test]
fn what_is_not_one_whole_value_is_refused() {
    let refused = |act: fn(&mut Writer)| {
        let mut writer = Writer::with_capacity(0);
        act(&mut writer);
        assert_eq!(binding::seal_response(&envelope(), writer.into()).unwrap_err().code(), "invalid_payload");
    };
    refused(|_| {});
    refused(|writer| writer.begin_object().unwrap());
    refused(|writer| writer.begin_array().unwrap());
    refused(|writer| {
        writer.null();
        writer.null();
    });
}

#[test]
fn a_buffer_serves_again() {
    let envelope = envelope();
    let mut buffer = Vec::new();
    for length in [0, 100, 3, 5_000, 40, 4_999] {
        let mut writer = Writer::with_buffer(buffer);
        writer.string(&"x".repeat(length));
        let encrypted = binding::seal_response(&envelope, writer.into()).unwrap();
        let mut body = Vec::new();
        encrypted.body_pieces(|piece| body.extend_from_slice(piece));
        assert_eq!(envelope.open::<String>(&body).unwrap(), "x".repeat(length));
        buffer = encrypted.into_buffer();
        assert!(!buffer.windows(3).any(|window| window == b"xxx"), "only ciphertext is left");
    }
}

#[test]
fn a_name_that_is_short_and_plain_has_a_literal() {
    for name in ["", "a", "é", "request_timestamp", &"x".repeat(29), "\u{7f}/'"] {
        let literal = NameLiteral::new(name).unwrap();
        let mut writer = Writer::with_capacity(0);
        writer.begin_object().unwrap();
        for value in 0..100 {
            writer.name_again(&literal); // the buffer grows meanwhile
            writer.integer(value);
        }
        writer.end_object();
        let members: Vec<String> = (0..100).map(|value| format!("\"{name}\":{value}")).collect();
        assert_eq!(writer.as_str(), format!("{{{}}}", members.join(",")));
        assert_eq!(format!("{literal:?}"), "NameLiteral");
    }
    for name in ["\"", "a\\", "\n", "long enough for a chunk\u{1f}", &"x".repeat(30), &"é".repeat(15)] {
        assert!(NameLiteral::new(name).is_none(), "{name}");
    }
}

#[test]
fn hundredths_are_their_decimals() {
    let edges = [i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1, 999_999_999_999_999];
    for value in (-1_200..1_200).chain((0..18).map(|digits| 10_i64.pow(digits) - 1)).chain(edges) {
        let text = |write: &dyn Fn(&mut Writer)| {
            let mut writer = Writer::with_capacity(0);
            write(&mut writer);
            check(writer.as_str()).unwrap();
            writer.as_str().to_owned()
        };
        let magnitude = value.unsigned_abs();
        let sign = if value < 0 { "-" } else { "" };
        let decimal = format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100);
        let expected = decimal.strip_suffix('0').unwrap_or(&decimal);
        assert_eq!(text(&|writer| writer.hundredths(value)), expected);
        let stamped = text(&|writer| {
            writer.begin_object().unwrap();
            writer.name("request_timestamp");
            writer.hundredths(value);
            writer.end_object();
        });
        assert_eq!(stamped, format!("{{\"request_timestamp\":{expected}}}"));
    }
    let mut writer = Writer::with_capacity(0);
    writer.begin_object().unwrap();
    writer.name("request_timestamp");
    writer.hundredths(170_000_000_000_000_000);
    writer.end_object();
    assert_eq!(binding::seal(&envelope(), writer.into()).unwrap_err().code(), "invalid_timestamp");
}

#[test]
fn levels_are_counted() {
    let mut writer = Writer::with_capacity(0);
    for _ in 0..64 {
        writer.begin_array().unwrap();
        writer.begin_object().unwrap();
        writer.name("a");
    }
    assert_eq!(writer.begin_array().unwrap_err().kind(), FaultKind::Depth);
    assert_eq!(writer.begin_object().unwrap_err().kind(), FaultKind::Depth);
    writer.integer(0);
    for _ in 0..64 {
        writer.end_object();
        writer.end_array();
    }
    assert!(binding::seal_response(&envelope(), writer.into()).is_ok());
}

#[test]
fn only_number_tokens_are_numbers() {
    for token in
        ["0", "-0", "1e5", "-12.5E-3", "18446744073709551616", &"9".repeat(308), &format!("0.{}", "1".repeat(1_000))]
    {
        let mut writer = Writer::with_capacity(0);
        writer.number(token).unwrap();
        assert_eq!(writer.as_str(), token);
    }
    for token in [
        "",
        " 1",
        "1 ",
        "1,2",
        "[1]",
        "null",
        "\"1\"",
        "1.",
        "+1",
        "NaN",
        "Infinity",
        "1e309",
        &"9".repeat(309),
        &format!("0.{}", "1".repeat(1_023)),
    ] {
        assert!(Writer::with_capacity(0).number(token).is_err(), "{token}");
    }
}

#[test]
fn bodies_are_the_same_wherever_they_are_written() {
    let envelope = envelope();
    for bytes in (0..800).chain([6_103, 6_104, 6_143, 6_144, 6_145, 100_000]) {
        let encrypted = || binding::encrypt(&envelope, &vec![b'x'; bytes]).unwrap();
        let sealed = encrypted();
        let (mut field, mut body) = (Vec::new(), Vec::new());
        sealed.field_pieces(|piece| field.extend_from_slice(piece));
        sealed.body_pieces(|piece| body.extend_from_slice(piece));
        assert_eq!((field.len(), body.len()), (sealed.field_bytes(), sealed.body_bytes()));
        assert_eq!(body, [b"{\"encrypted\":\"", &field[..], b"\"}"].concat());
        assert_eq!(envelope.decrypt(std::str::from_utf8(&field).unwrap()).unwrap(), vec![b'x'; bytes]);
        assert_eq!(sealed.into_body().as_bytes(), body);
        assert_eq!(envelope.decrypt(&encrypted().into_field()).unwrap(), vec![b'x'; bytes]);
    }
}
