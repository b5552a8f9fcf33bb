//! What `batch` answers and `--print json` prints: objects that hold a result with everything around it.
//!
//! A payload is a JSON string that holds the payload's text, so that not one byte of it changes on the way.

use cardseal::{Request, SealedRequest, Timestamp, Webhook};
use serde_json::{Map, Value};

/// The members of one answer.
pub(crate) type Answer = Map<String, Value>;

/// An answer of one member.
pub(crate) fn one(name: &str, value: impl Into<Value>) -> Answer {
    many([(name, value.into())])
}

/// An answer of several members.
pub(crate) fn many<const N: usize>(members: [(&str, Value); N]) -> Answer {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(crate) fn sealed_request(request: SealedRequest) -> Answer {
    let SealedRequest { headers, body, path, timestamp, nonce, idempotency_key, .. } = request;
    let headers: Vec<Value> = headers.into_iter().map(|(name, value)| Value::from(vec![name.into(), value])).collect();
    many([
        ("path", path.into()),
        ("headers", headers.into()),
        ("body", body.into()),
        ("timestamp_micros", micros(timestamp)),
        ("nonce", hex(&nonce).into()),
        ("idempotency_key", idempotency_key.map(String::from).into()),
    ])
}

pub(crate) fn request(request: Request) -> Answer {
    let Request { payload, timestamp, nonce, key_index, .. } = request;
    many([
        ("payload", payload.into_string().into()),
        ("timestamp_micros", micros(timestamp)),
        ("nonce", hex(&nonce).into()),
        ("key_index", key_index.into()),
    ])
}

pub(crate) fn webhook(webhook: Webhook) -> Answer {
    let Webhook { payload, event_type, timestamp, delivery_id, dedupe_key, key_index, .. } = webhook;
    many([
        ("payload", payload.into_string().into()),
        ("type", event_type.into()),
        ("timestamp", timestamp.into()),
        ("delivery_id", delivery_id.into()),
        ("dedupe_key", dedupe_key.into()),
        ("key_index", key_index.into()),
    ])
}

pub(crate) fn micros(timestamp: Timestamp) -> Value {
    timestamp.as_micros().into()
}

/// Lowercase hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a hexadecimal text of either case.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok());
    if rest.is_empty() { bytes.collect() } else { None }
}
