//! What is sealed and read: the payloads of `tests/bench/payloads.json`, of exactly the size in their names as JSON text.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::Result;

/// One payload, as a struct and as JSON text.
#[derive(Debug)]
pub struct Payload {
    /// `16 KiB`, for example.
    pub size: String,
    /// Bytes of the text.
    pub bytes: usize,
    /// Many small members, or one long string.
    pub shape: String,
    /// What the texts in it are like.
    pub variant: &'static str,
    /// Without a timestamp.
    pub card: Card,
    /// The same as JSON.
    pub text: String,
}

impl Payload {
    /// Size, shape and variant.
    pub fn name(&self) -> String {
        let Self { size, shape, variant, .. } = self;
        format!("{size} {shape}, {variant}")
    }
}

/// A card with many small objects, or one long string.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Card {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_timestamp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactions: Option<Vec<Transaction>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// Every kind of value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Transaction {
    pub id: String,
    pub amount: String,
    pub currency: String,
    pub merchant: String,
    pub mcc: u32,
    pub settled: bool,
    pub fee: f64,
    pub memo: String,
    pub reversal: Option<String>,
}

/// What is sealed and opened: every size in every variant.
///
/// # Errors
/// When `payloads.json` is not what this module reads.
pub fn requests() -> Result<Vec<Payload>> {
    let plan: Plan = serde_json::from_str(PLAN)?;
    let mut payloads = Vec::new();
    for Size { name, bytes, shape } in &plan.sizes {
        let Variants { ascii, unicode, escapes } = &plan.variants;
        for (variant, texts) in [("ascii", ascii), ("unicode", unicode), ("escapes", escapes)] {
            let card = if shape == "blob" { blob(*bytes, texts)? } else { fields(*bytes, texts)? };
            let text = serde_json::to_string(&card)?;
            payloads.push(Payload { size: name.clone(), bytes: *bytes, shape: shape.clone(), variant, card, text });
        }
    }
    Ok(payloads)
}

/// One object with very many members, for the readers.
pub fn members(size: usize, count: usize) -> String {
    let mut text = String::from("{");
    for number in 1..count {
        let _ = write!(text, r#""member_{number:05}":"{:08}","#, number * 2_503 % 100_000_000); // a String takes all
    }
    text.push_str(r#""member_00000":""#);
    text.extend(std::iter::repeat_n('x', size - text.len() - 2));
    text + "\"}"
}

/// A card and its transactions: as many small objects as fit.
fn fields(size: usize, texts: &Texts) -> Result<Card> {
    let mut card =
        Card { card_id: Some("card_abc123".to_owned()), amount: Some("10.00".to_owned()), ..Card::default() };
    let mut taken = length(&card)? + r#","transactions":[],"note":"""#.len();
    let mut transactions = Vec::new();
    for number in 0.. {
        let transaction = Transaction {
            id: format!("txn_{number:06}"),
            amount: format!("{}.{:02}", number % 997, number % 100),
            currency: "USD".to_owned(),
            merchant: format!("{} {number}", texts.merchant),
            mcc: 4000 + number % 2000,
            settled: true,
            fee: -0.25,
            memo: texts.memo.clone(),
            reversal: None,
        };
        taken += length(&transaction)? + ",".len();
        if taken > size {
            break;
        }
        transactions.push(transaction);
    }
    card.transactions = (!transactions.is_empty()).then_some(transactions);
    card.note = Some(filled(size - length(&card)? - r#","note":"""#.len(), texts)?);
    Ok(card)
}

/// One long string.
fn blob(size: usize, texts: &Texts) -> Result<Card> {
    Ok(Card { document: Some(filled(size - r#"{"document":""}"#.len(), texts)?), ..Card::default() })
}

/// A text again and again until it takes so many bytes of JSON; what is left over is filled with less.
fn filled(mut size: usize, texts: &Texts) -> Result<String> {
    let mut value = String::new();
    for part in [&*texts.memo, &*texts.filler, "x"] {
        let one = length(part)? - r#""""#.len();
        value += &part.repeat(size / one);
        size %= one;
    }
    Ok(value)
}

fn length<T: Serialize + ?Sized>(value: &T) -> Result<usize> {
    Ok(serde_json::to_string(value)?.len())
}

#[derive(Deserialize)]
struct Plan {
    sizes: Vec<Size>,
    variants: Variants,
    #[cfg(test)]
    sha256: String,
}

#[derive(Deserialize)]
struct Size {
    name: String,
    bytes: usize,
    shape: String,
}

#[derive(Deserialize)]
struct Variants {
    ascii: Texts,
    unicode: Texts,
    escapes: Texts,
}

#[derive(Deserialize)]
struct Texts {
    merchant: String,
    memo: String,
    filler: String,
}

const PLAN: &str = include_str!("../../payloads.json");

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn all_languages_seal_the_same_texts() -> Result<()> {
        let mut digest = Sha256::new();
        for Payload { text, .. } in requests()? {
            digest.update(text + "\n");
        }
        let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, serde_json::from_str::<Plan>(PLAN)?.sha256);
        Ok(())
    }

    #[test]
    fn every_text_is_an_object_of_its_size() -> Result<()> {
        for payload in requests()? {
            assert_eq!(payload.text.len(), payload.bytes, "{}", payload.name());
            let parsed = cardseal::Payload::parse(&payload.text).map(|payload| payload.timestamp());
            assert_eq!(parsed, Ok(None), "{}", payload.name());
        }
        let many = members(1 << 20, 40_000);
        let parsed: serde_json::Value = serde_json::from_str(&many)?;
        assert_eq!((many.len(), parsed.as_object().map(serde_json::Map::len)), (1 << 20, Some(40_000)));
        Ok(())
    }
}
