//! The candidates. Each does the whole job: JSON text to HTTP body, HTTP body to payload.

mod cardseal;
mod lean;
mod libsodium;
mod naive;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::PAD;
use serde_json::Value;

pub use self::cardseal::Cardseal;
pub use self::lean::Lean;
pub use self::libsodium::Libsodium;
pub use self::naive::Naive;
use crate::Result;
use crate::payloads::{Card, Payload};

/// One way to seal and open.
pub trait Peer {
    /// Seals a JSON object, stamped with the time, into an HTTP body.
    ///
    /// # Errors
    /// Whatever is wrong with the text.
    fn seal(&mut self, json: &str) -> Result<String>;

    /// Opens an HTTP body and checks that its stamp lies within 30 seconds of `now_micros`.
    ///
    /// `now_micros` is an argument because a body is opened again and again for longer than that.
    ///
    /// # Errors
    /// Whatever is wrong with the body.
    fn open(&mut self, body: &str, now_micros: u64) -> Result<Opened>;
}

/// One way to seal and open a struct.
pub trait TypedPeer {
    /// Seals a card, stamped with the time, into an HTTP body. Who has no stamps of its own puts it into the card.
    ///
    /// # Errors
    /// Whatever is wrong with the card.
    fn seal(&mut self, card: &mut Card) -> Result<String>;

    /// Opens an HTTP body; its stamp is not looked at.
    ///
    /// # Errors
    /// Whatever is wrong with the body.
    fn open(&mut self, body: &str) -> Result<Card>;
}

/// What a peer makes of a body: the form it arrives at by its own way of working.
#[derive(Debug)]
pub enum Opened {
    /// Checked JSON text, wiped when dropped.
    Request(::cardseal::Request),
    /// JSON text.
    Text(String),
    /// A tree.
    Value(Value),
}

impl Opened {
    /// The payload as a tree, which has to be made of text first.
    ///
    /// # Errors
    /// When the text is no JSON.
    pub fn into_value(self) -> Result<Value> {
        match self {
            Self::Request(request) => Ok(serde_json::from_str(&request.payload)?),
            Self::Text(text) => Ok(serde_json::from_str(&text)?),
            Self::Value(value) => Ok(value),
        }
    }
}

/// The candidates, the one that the others are compared with first.
///
/// # Errors
/// When libsodium does not start.
pub fn all() -> Result<Vec<(&'static str, Box<dyn Peer>)>> {
    Ok(vec![
        ("cardseal", Box::new(Cardseal::new()?)),
        (NAIVE, Box::new(Naive::new())),
        (LIBSODIUM, Box::new(Libsodium::new()?)),
        ("text + libsodium + base64 Simd", Box::new(Lean::new()?)),
    ])
}

/// Those for structs.
///
/// # Errors
/// When libsodium does not start.
pub fn typed() -> Result<Vec<(&'static str, Box<dyn TypedPeer>)>> {
    Ok(vec![
        ("cardseal", Box::new(Cardseal::new()?)),
        (NAIVE, Box::new(Naive::new())),
        (LIBSODIUM, Box::new(Libsodium::new()?)),
    ])
}

const NAIVE: &str = "serde_json + crypto_secretbox + base64";
const LIBSODIUM: &str = "serde_json + libsodium + base64 Simd";

/// Makes sure that everybody opens what everybody sealed, and finds the payload in it, and a stamp.
///
/// # Errors
/// When somebody does not.
pub fn check(payloads: &[Payload]) -> Result<()> {
    for payload in payloads {
        let Payload { text, card, .. } = payload;
        let differs = |opener: &str, sealer: &str| {
            Err(format!("{opener} reads another payload of {} than {sealer} sealed", payload.name()).into())
        };
        let expected: Value = serde_json::from_str(text)?;
        for (sealer, peer) in &mut all()? {
            let body = peer.seal(text)?;
            for (opener, peer) in &mut all()? {
                let mut opened = peer.open(&body, now_micros()?)?.into_value()?;
                let stamp = opened.as_object_mut().and_then(|members| members.remove("request_timestamp"));
                if opened != expected || !stamp.is_some_and(|stamp| stamp.is_u64()) {
                    return differs(opener, sealer);
                }
            }
        }
        for (sealer, peer) in &mut typed()? {
            let body = peer.seal(&mut card.clone())?;
            for (opener, peer) in &mut typed()? {
                let mut opened = peer.open(&body)?;
                if opened.request_timestamp.take().is_none() || opened != *card {
                    return differs(opener, sealer);
                }
            }
        }
    }
    Ok(())
}

/// The key of every candidate.
pub const KEY: [u8; 32] = *b"0123456789abcdef0123456789abcdef";

/// The clock of those candidates that have none of their own.
///
/// # Errors
/// Before 1970.
pub fn now_micros() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros().try_into()?)
}

fn random_nonce() -> Result<[u8; NONCE_BYTES]> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce)?;
    Ok(nonce)
}

fn check_window(stamp: Option<u64>, now_micros: u64) -> Result<()> {
    match stamp {
        Some(stamp) if stamp.abs_diff(now_micros) <= WINDOW_MICROS => Ok(()),
        Some(_) => Err("the stamp is outside of the window".into()),
        None => Err("there is no stamp".into()),
    }
}

const WINDOW_MICROS: u64 = 30_000_000;

pub(crate) const VERSION: u8 = 0x02;
pub(crate) const NONCE_BYTES: usize = 24;
pub(crate) const TAG_BYTES: usize = 16;
pub(crate) const HEADER_BYTES: usize = 1 + NONCE_BYTES + TAG_BYTES;

/// The quickest base64 to be had: libsodium's own is made to run in constant time, see the benchmark `secretbox`.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub type Base64 = base64::engine::Simd;
/// The quickest base64 to be had.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub type Base64 = base64::engine::GeneralPurpose;

/// Makes one, which looks at the processor once.
pub fn base64_engine() -> Base64 {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Base64::standard(PAD);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Base64::new(&base64::alphabet::STANDARD, PAD);
}

/// Writes `start` ‖ base64 ‖ `end` in one allocation.
pub(crate) fn encode(base64: &Base64, start: &str, bytes: &[u8], end: &str) -> Result<String> {
    let encoded = bytes.len().div_ceil(3) * 4;
    let mut text = Vec::with_capacity(start.len() + encoded + end.len());
    text.extend_from_slice(start.as_bytes());
    text.resize(start.len() + encoded, 0);
    base64.encode_slice(bytes, &mut text[start.len()..])?;
    text.extend_from_slice(end.as_bytes());
    Ok(String::from_utf8(text)?)
}

const BODY_START: &str = r#"{"encrypted":""#;
const BODY_END: &str = r#""}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_opens_what_everybody_sealed() -> Result<()> {
        let mut payloads = crate::payloads::requests()?;
        payloads.retain(|payload| payload.bytes < 1 << 20); // the large ones wait for an optimised build
        check(&payloads)
    }

    #[test]
    fn everybody_refuses_a_body_that_was_altered_or_is_late() -> Result<()> {
        for (name, peer) in &mut all()? {
            let body = peer.seal(r#"{"card_id":"card_abc123"}"#)?;
            let now = now_micros()?;
            assert!(peer.open(&body, now).is_ok(), "{name}");
            assert!(peer.open(&body, now + WINDOW_MICROS + 1_000_000).is_err(), "{name}");
            let at = body.len() - 8;
            let other = if body.as_bytes()[at] == b'A' { "B" } else { "A" };
            let altered = format!("{}{other}{}", &body[..at], &body[at + 1..]);
            assert!(peer.open(&altered, now).is_err(), "{name}");
        }
        Ok(())
    }
}
