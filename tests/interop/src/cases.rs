//! What drivers are asked. Everything is made from fixed numbers, so that each run asks the same.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cardseal::{Envelope, hazmat};
use serde_json::{Value, json};

use crate::{LAYOUTS, SECRET};

/// A line for a driver, without its id.
#[derive(Clone)]
pub(crate) struct Question(Value);

impl Question {
    pub(crate) fn seal(secret: &str, layout: &str, payload: &str) -> Self {
        Self(json!({"operation": "seal", "secret": secret, "layout": layout, "payload": payload}))
    }

    pub(crate) fn open(secret: &str, layout: &str, body: &str) -> Self {
        Self(json!({"operation": "open", "secret": secret, "layout": layout, "body": body}))
    }

    fn open_request(layout: &str, body: &str) -> Self {
        Self(
            json!({"operation": "open_request", "secret": SECRET, "layout": layout, "body": body, "now_micros": NOW_MICROS}),
        )
    }

    pub(crate) fn line(&self, id: usize) -> String {
        let mut line = self.0.clone();
        line["id"] = id.into();
        line.to_string()
    }
}

const NOW_MICROS: u64 = 1_700_000_000_000_000;

/// The same numbers in every run: Steele, Lea and Flood's SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

const TEXTS: &[&str] = &[
    "",
    "card_abc123",
    "10.00",
    "Zoë \u{1f4b3}",
    "\u{0}\u{1f}\u{7f}\u{2028}",
    "\"\\/",
    "日本語",
    "e\u{301}",
    "\u{10ffff}",
    " \t\r\n",
];

/// Objects that differ: empty, with every kind of text, deep, large. Whole numbers alone, which every language reads alike.
pub(crate) fn payloads() -> Vec<String> {
    let mut numbers = Numbers(1);
    let mut payloads = vec!["{}".to_owned(), format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100))];
    payloads.push(json!({"blob": "x".repeat(100_000)}).to_string());
    payloads.push(Value::Object((0..2_000).map(|n| (format!("field_{n}"), n.into())).collect()).to_string());
    while payloads.len() < 200 {
        let members = 1 + numbers.below(8);
        let object = (0..members)
            .map(|_| (numbers.pick(TEXTS).to_string() + &numbers.below(99).to_string(), value(&mut numbers, 3)));
        payloads.push(Value::Object(object.collect()).to_string());
    }
    payloads
}

fn value(numbers: &mut Numbers, depth: usize) -> Value {
    match numbers.below(if depth == 0 { 4 } else { 6 }) {
        0 => json!(numbers.next() >> 12),
        1 => json!(numbers.pick(&[true, false])),
        2 => Value::Null,
        3 => json!(numbers.pick(TEXTS)),
        4 => (0..numbers.below(4)).map(|_| value(numbers, depth - 1)).collect(),
        _ => Value::Object(
            (0..numbers.below(4)).map(|n| (format!("{}{n}", numbers.pick(TEXTS)), value(numbers, depth - 1))).collect(),
        ),
    }
}

/// Every fourth body with one bit of its envelope changed, so that nobody may open it.
pub(crate) fn tampered(bodies: &[String]) -> Vec<String> {
    let mut numbers = Numbers(2);
    let change = |body: &String| {
        let mut bytes = envelope_bytes(body);
        let at = numbers.below(bytes.len());
        bytes[at] ^= 1 << numbers.below(8);
        wrap(&STANDARD.encode(bytes))
    };
    bodies.iter().step_by(4).map(change).collect()
}

fn envelope_bytes(body: &str) -> Vec<u8> {
    let body: Value = serde_json::from_str(body).unwrap();
    STANDARD.decode(body["encrypted"].as_str().unwrap()).unwrap()
}

fn wrap(field: &str) -> String {
    format!(r#"{{"encrypted":"{field}"}}"#)
}

/// The failing vectors of bodies that are given as text under one secret; each language's own tests run all vectors.
pub(crate) fn vectors() -> Vec<(Question, Option<String>)> {
    let mut questions = Vec::new();
    for family in ["open", "request", "precedence"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../vectors/{family}.json"));
        let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let known = [
                "name",
                "rules",
                "expect",
                "operation",
                "secret",
                "layout",
                "body",
                "now_micros",
                "faults",
                "skew_micros",
            ];
            let is_simple = case.as_object().unwrap().keys().all(|field| known.contains(&&**field));
            let (Some(secret), Some(body), true) = (case["secret"].as_str(), case["body"].as_str(), is_simple) else {
                continue;
            };
            let expect = case["expect"].as_str().unwrap();
            if expect == "ok" {
                continue;
            }
            let operation = if family == "open" { "open" } else { "open_request" };
            let layout = case["layout"].as_str().unwrap_or("versioned");
            let mut question = json!({"operation": operation, "secret": secret, "layout": layout, "body": body});
            if let Some(now) = case["now_micros"].as_u64() {
                question["now_micros"] = now.into();
            }
            questions.push((Question(question), Some(expect.to_owned())));
        }
    }
    assert!(questions.len() >= 60, "{} simple failing vectors", questions.len());
    questions
}

/// Bodies with something changed: three of ten inside the plaintext, and sealed again.
pub(crate) fn mutations(count: usize) -> Vec<(Question, Option<String>)> {
    let mut numbers = Numbers(3);
    let envelopes = LAYOUTS
        .map(|layout| (layout, Envelope::builder().secret(SECRET).layout(layout.parse().unwrap()).build().unwrap()));
    let payloads: Vec<String> = payloads().into_iter().filter(|payload| payload.len() < 2_000).collect();
    let questions = (0..count).map(|number| {
        let (layout, envelope) = &envelopes[number % 2];
        let payload = numbers.pick(&payloads);
        let comma = if payload == "{}" { "" } else { "," };
        let mut text = format!(r#"{{"request_timestamp":{NOW_MICROS}{comma}{}"#, &payload[1..]).into_bytes();
        if number % 10 < 3 {
            change(&mut text, &mut numbers);
        }
        let nonce = std::array::from_fn(|_| numbers.next() as u8);
        let mut field = hazmat::encrypt(envelope, &text, &nonce).unwrap();
        match number % 10 {
            0..=2 => {}
            3..=4 => {
                let mut bytes = STANDARD.decode(&field).unwrap();
                change(&mut bytes, &mut numbers);
                field = STANDARD.encode(bytes);
            }
            _ => {
                let mut letters = field.into_bytes();
                if number % 10 < 8 {
                    change_text(&mut letters, &mut numbers);
                }
                field = String::from_utf8(letters).unwrap();
            }
        }
        let mut body = wrap(&field).into_bytes();
        if number % 10 >= 8 {
            change_text(&mut body, &mut numbers);
        }
        let body = String::from_utf8(body).unwrap();
        let question = if numbers.below(2) == 0 {
            Question::open(SECRET, layout, &body)
        } else {
            Question::open_request(layout, &body)
        };
        (question, None)
    });
    questions.collect()
}

/// One change to bytes: a bit, a byte more or less, or a piece taken out.
fn change(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(bytes.len());
    match numbers.below(5) {
        0 | 1 => bytes[at] ^= 1 << numbers.below(8),
        2 => bytes.insert(at, *numbers.pick(b"\"\\{}[]:,0-.eE \x00\x80\xff")),
        3 => drop(bytes.remove(at)),
        _ => drop(bytes.drain(at..(at + 1 + numbers.below(20)).min(bytes.len()))),
    }
}

/// The same to a text, which stays one in ASCII.
fn change_text(text: &mut Vec<u8>, numbers: &mut Numbers) {
    change(text, numbers);
    text.iter_mut().for_each(|byte| *byte &= 0x7f);
}
