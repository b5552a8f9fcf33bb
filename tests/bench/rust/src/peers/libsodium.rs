//! What a careful version looks like: libsodium in place, one buffer kept from call to call, the quickest base64, and a
//! tree of values for the payload.

use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    BODY_END, BODY_START, Base64, HEADER_BYTES, KEY, NONCE_BYTES, Opened, Peer, TAG_BYTES, TypedPeer, VERSION,
    base64_engine, check_window, encode, now_micros, random_nonce,
};
use crate::Result;
use crate::payloads::Card;
use crate::sodium::Sodium;

/// Envelopes by libsodium, `serde_json` and vector base64.
#[derive(Debug)]
pub struct Libsodium {
    boxes: Boxes,
}

impl Libsodium {
    /// With the key that all candidates share.
    ///
    /// # Errors
    /// When libsodium does not start.
    pub fn new() -> Result<Self> {
        Ok(Self { boxes: Boxes::new()? })
    }
}

impl Peer for Libsodium {
    fn seal(&mut self, json: &str) -> Result<String> {
        let mut payload: Map<String, Value> = serde_json::from_str(json)?;
        payload.insert("request_timestamp".to_owned(), now_micros()?.into());
        self.boxes.seal(|message| Ok(serde_json::to_writer(message, &payload)?))
    }

    fn open(&mut self, body: &str, now_micros: u64) -> Result<Opened> {
        let payload: Value = serde_json::from_slice(self.boxes.open(body)?)?;
        check_window(payload["request_timestamp"].as_u64(), now_micros)?;
        Ok(Opened::Value(payload))
    }
}

impl TypedPeer for Libsodium {
    fn seal(&mut self, card: &mut Card) -> Result<String> {
        card.request_timestamp = Some(now_micros()?);
        self.boxes.seal(|message| Ok(serde_json::to_writer(message, card)?))
    }

    fn open(&mut self, body: &str) -> Result<Card> {
        Ok(serde_json::from_slice(self.boxes.open(body)?)?)
    }
}

/// What lies around the payload.
#[derive(Debug)]
pub(super) struct Boxes {
    sodium: Sodium,
    base64: Base64,
    working: Vec<u8>,
}

impl Boxes {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { sodium: Sodium::new()?, base64: base64_engine(), working: Vec::new() })
    }

    /// Lets `write` put the message behind the header, and seals it there.
    pub(super) fn seal(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<String> {
        let Self { sodium, base64, working } = self;
        let nonce = random_nonce()?;
        working.clear();
        working.push(VERSION);
        working.extend_from_slice(&nonce);
        working.extend_from_slice(&[0; TAG_BYTES]);
        write(working)?;
        let (header, message) = working.split_at_mut(HEADER_BYTES);
        let tag = sodium.seal_in_place(message, &nonce, &KEY);
        header[1 + NONCE_BYTES..].copy_from_slice(&tag);
        encode(base64, BODY_START, working, BODY_END)
    }

    /// The message, in the buffer that it was decrypted in.
    pub(super) fn open(&mut self, body: &str) -> Result<&[u8]> {
        let Self { sodium, base64, working } = self;
        let Body { encrypted } = serde_json::from_str(body)?;
        working.resize(encrypted.len() / 4 * 3, 0);
        let length = base64.decode_slice(encrypted, working)?;
        let [VERSION, bytes @ ..] = &mut working[..length] else { return Err("another version".into()) };
        let (nonce, bytes) = bytes.split_first_chunk_mut::<NONCE_BYTES>().ok_or("too short")?;
        let (tag, message) = bytes.split_first_chunk_mut::<TAG_BYTES>().ok_or("too short")?;
        if sodium.open_in_place(message, tag, nonce, &KEY) { Ok(message) } else { Err("does not decrypt".into()) }
    }
}

#[derive(Deserialize)]
struct Body<'b> {
    encrypted: &'b str,
}
