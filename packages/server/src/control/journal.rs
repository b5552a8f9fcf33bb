//! What came in and what became of it, for whoever debugs an integration. Kept once somebody can ask for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::clock::iso;

/// A request and its verdict.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Entry {
    pub(crate) at: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// SHA-256 of the body as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body_sha256: Option<String>,
    /// What was in it, with card data masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idempotency_key: Option<String>,
    /// The HTTP status; none if the connection was dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// `ok`, a slug, or a code.
    pub(crate) verdict: String,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    /// The fault that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<super::faults::Fault>,
}

impl Entry {
    pub(crate) fn new(now: i64, method: &str, path: &str) -> Self {
        Self { at: iso(now), method: method.to_owned(), path: path.to_owned(), ..Self::default() }
    }
}

/// The last entries.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    is_kept: AtomicBool,
    entries: Mutex<VecDeque<Entry>>,
}

impl Journal {
    /// Writes down what comes from now on.
    pub(crate) fn keep(&self) {
        self.is_kept.store(true, Relaxed);
    }

    /// Whether requests are written down.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept.load(Relaxed)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn add(&self, entry: Entry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == MOST_ENTRIES {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

const MOST_ENTRIES: usize = 1_000;

/// A payload with what must not be kept about a card in asterisks.
pub(crate) fn masked(payload: &Value) -> Value {
    match payload {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| {
                    let is_secret = MASKED.iter().any(|masked| name.eq_ignore_ascii_case(masked));
                    let value = match value {
                        _ if is_secret => Value::from("***"),
                        stamp if name == "request_timestamp" => stamp.clone(), // 16 digits too
                        value => masked(value),
                    };
                    (name.clone(), value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(masked).collect()),
        // A number of a card may stand anywhere.
        Value::String(text) if looks_like_a_card_number(text) => Value::from("***"),
        Value::Number(number) if looks_like_a_card_number(&number.to_string()) => Value::from("***"),
        other => other.clone(),
    }
}

const MASKED: &[&str] = &[
    "card_number",
    "number",
    "pan",
    "cvv",
    "cvv2",
    "cvc",
    "security_code",
    "pin",
    "expiry",
    "expiry_date",
    "exp_month",
    "exp_year",
];

fn looks_like_a_card_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (13..=19).contains(&digits) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn card_data_is_masked_at_every_depth() {
        let payload = json!({
            "request_timestamp": 1_700_000_000_000_000_u64,
            "card_id": "card_1",
            "CVV": "123",
            "list": [{"pan": 1}, "4111 1111 1111 1111", 4_111_111_111_111_111_u64, "10.00", 42],
        });
        let shown = json!({
            "request_timestamp": 1_700_000_000_000_000_u64,
            "card_id": "card_1",
            "CVV": "***",
            "list": [{"pan": "***"}, "***", "***", "10.00", 42],
        });
        assert_eq!(masked(&payload), shown);
    }

    #[test]
    fn only_the_last_entries_are_kept() {
        let journal = Journal::default();
        for number in 0..MOST_ENTRIES + 5 {
            journal.add(Entry::new(0, "POST", &number.to_string()));
        }
        assert_eq!(journal.entries().len(), MOST_ENTRIES);
        assert_eq!(journal.entries()[0].path, "5");
    }
}
