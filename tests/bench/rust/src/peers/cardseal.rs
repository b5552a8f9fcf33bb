//! This project: one call each way, every rule of the protocol included.

use cardseal::{Envelope, Timestamp, Window};

use super::{KEY, Opened, Peer, TypedPeer};
use crate::Result;
use crate::payloads::Card;

/// Envelopes by `cardseal`.
#[derive(Debug)]
pub struct Cardseal {
    envelope: Envelope,
}

impl Cardseal {
    /// With the key that all candidates share.
    ///
    /// # Errors
    /// None, in truth: the key has the right length.
    pub fn new() -> Result<Self> {
        Ok(Self { envelope: Envelope::from_key(&KEY)? })
    }
}

impl Peer for Cardseal {
    fn seal(&mut self, json: &str) -> Result<String> {
        Ok(self.envelope.seal_json(json)?)
    }

    fn open(&mut self, body: &str, now_micros: u64) -> Result<Opened> {
        let now = Timestamp::from_micros(now_micros)?;
        Ok(Opened::Request(self.envelope.open_request(body, now, Window::MAX)?))
    }
}

impl TypedPeer for Cardseal {
    fn seal(&mut self, card: &mut Card) -> Result<String> {
        Ok(self.envelope.seal(card)?)
    }

    fn open(&mut self, body: &str) -> Result<Card> {
        Ok(self.envelope.open(body)?)
    }
}
