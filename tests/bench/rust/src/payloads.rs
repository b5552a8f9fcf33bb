//! The JSON texts that are sealed and read, each of an exact size.

/// A JSON text and what to call it.
#[derive(Debug)]
pub struct Payload {
    /// Size and shape.
    pub name: &'static str,
    /// An object, without a timestamp.
    pub text: String,
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// What is sealed and opened.
pub fn requests() -> Vec<Payload> {
    vec![
        Payload { name: "64 B", text: fields(64) },
        Payload { name: "256 B", text: fields(256) },
        Payload { name: "1 KiB", text: fields(KIB) },
        Payload { name: "16 KiB", text: fields(16 * KIB) },
        Payload { name: "1 MiB blob", text: blob(MIB) },
        Payload { name: "1 MiB fields", text: fields(MIB) },
    ]
}

/// What the JSON readers read.
pub fn texts() -> Vec<Payload> {
    vec![
        Payload { name: "256 B", text: fields(256) },
        Payload { name: "1 KiB", text: fields(KIB) },
        Payload { name: "16 KiB", text: fields(16 * KIB) },
        Payload { name: "1 MiB blob", text: blob(MIB) },
        Payload { name: "1 MiB fields", text: fields(MIB) },
        Payload { name: "1 MiB, 40,000 members", text: members(MIB, 40_000) },
    ]
}

/// A card and its transactions: as many small objects as fit, of every kind of value.
pub fn fields(size: usize) -> String {
    let mut text = String::from(r#"{"card_id":"card_abc123","amount":"10.00""#);
    let mut records = String::new();
    for number in 0.. {
        let before = records.len();
        records.push_str(&format!(
            r#"{}{{"id":"txn_{number:06}","amount":"{}.{:02}","currency":"USD","merchant":"Café № {number}","mcc":{},"#,
            if number == 0 { "" } else { "," },
            number % 997,
            number % 100,
            4000 + number % 2000,
        ));
        records.push_str(r#""settled":true,"fee":-0.25,"memo":"first line\nsecond \"line\"","reversal":null}"#);
        if text.len() + LIST_START.len() + records.len() + LIST_END.len() + PADDING_START.len() + 2 > size {
            records.truncate(before);
            break;
        }
    }
    if !records.is_empty() {
        text.push_str(LIST_START);
        text.push_str(&records);
        text.push_str(LIST_END);
    }
    padded(text, PADDING_START, size)
}

const LIST_START: &str = r#","transactions":["#;
const LIST_END: &str = "]";
const PADDING_START: &str = r#","note":""#;

/// One long string, as a document in base64 would be.
fn blob(size: usize) -> String {
    padded(String::new(), r#"{"document":""#, size)
}

/// One object with very many members.
fn members(size: usize, count: usize) -> String {
    let mut text = String::from("{");
    for number in 1..count {
        text.push_str(&format!(r#""member_{number:05}":"{:08}","#, number * 2_503 % 100_000_000));
    }
    padded(text, r#""member_00000":""#, size)
}

/// `text`, then a last member that brings it to `size`, then the end.
fn padded(mut text: String, last_member: &str, size: usize) -> String {
    text.push_str(last_member);
    let missing = size - text.len() - 2;
    text.extend(BASE64.chars().cycle().take(missing));
    text.push_str("\"}");
    text
}

const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_an_object_of_its_size() {
        let sizes = [64, 256, KIB, 16 * KIB, MIB, MIB];
        assert!(requests().iter().map(|payload| payload.text.len()).eq(sizes));
        assert!(texts().iter().map(|payload| payload.text.len()).eq([256, KIB, 16 * KIB, MIB, MIB, MIB]));
        for Payload { name, text } in requests().into_iter().chain(texts()) {
            assert_eq!(cardseal::Payload::parse(&text).map(|payload| payload.timestamp()), Ok(None), "{name}");
        }
        let many: serde_json::Value = serde_json::from_str(&members(MIB, 40_000)).unwrap_or_default();
        assert_eq!(many.as_object().map(serde_json::Map::len), Some(40_000));
    }
}
