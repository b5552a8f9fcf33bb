//! What a first version looks like: popular crates, a tree of values, a fresh buffer at each step.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crypto_secretbox::XSalsa20Poly1305;
use crypto_secretbox::aead::{Aead, KeyInit};
use serde_json::Value;

use super::{KEY, NONCE_BYTES, Opened, Peer, TypedPeer, VERSION, check_window, now_micros, random_nonce};
use crate::Result;
use crate::payloads::Card;

/// Envelopes by `serde_json`, `crypto_secretbox` and `base64`.
pub struct Naive {
    cipher: XSalsa20Poly1305,
}

impl Naive {
    /// With the key that all candidates share.
    pub fn new() -> Self {
        Self { cipher: XSalsa20Poly1305::new(&KEY.into()) }
    }
}

impl Default for Naive {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Naive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Naive")
    }
}

impl Naive {
    fn encrypt(&self, message: &str) -> Result<String> {
        let nonce = random_nonce()?;
        let sealed = self.cipher.encrypt(&nonce.into(), message.as_bytes()).map_err(|_| "does not encrypt")?;
        let mut bytes = vec![VERSION];
        bytes.extend(nonce);
        bytes.extend(sealed);
        let encrypted = BASE64_STANDARD.encode(bytes);
        Ok(format!(r#"{{"encrypted":"{encrypted}"}}"#))
    }

    fn decrypt(&self, body: &str) -> Result<Vec<u8>> {
        let body: Value = serde_json::from_str(body)?;
        let encrypted = body["encrypted"].as_str().ok_or("no `encrypted`")?;
        let bytes = BASE64_STANDARD.decode(encrypted)?;
        let [VERSION, bytes @ ..] = &bytes[..] else { return Err("another version".into()) };
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or("too short")?;
        Ok(self.cipher.decrypt(nonce.into(), sealed).map_err(|_| "does not decrypt")?)
    }
}

impl Peer for Naive {
    fn seal(&mut self, json: &str) -> Result<String> {
        let mut payload: Value = serde_json::from_str(json)?;
        let members = payload.as_object_mut().ok_or("no object")?;
        members.insert("request_timestamp".to_owned(), now_micros()?.into());
        self.encrypt(&payload.to_string())
    }

    fn open(&mut self, body: &str, now_micros: u64) -> Result<Opened> {
        let payload: Value = serde_json::from_slice(&self.decrypt(body)?)?;
        check_window(payload["request_timestamp"].as_u64(), now_micros)?;
        Ok(Opened::Value(payload))
    }
}

impl TypedPeer for Naive {
    fn seal(&mut self, card: &mut Card) -> Result<String> {
        card.request_timestamp = Some(now_micros()?);
        self.encrypt(&serde_json::to_string(card)?)
    }

    fn open(&mut self, body: &str) -> Result<Card> {
        Ok(serde_json::from_slice(&self.decrypt(body)?)?)
    }
}
