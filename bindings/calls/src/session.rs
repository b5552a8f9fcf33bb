//! The envelopes that a host holds by number.

use alloc::vec::Vec;

use cardseal::{Envelope, Error, ErrorCode, Result};

/// The envelopes of one JavaScript realm. A number is given out again once its envelope was released.
#[derive(Debug, Default)]
pub struct Session {
    envelopes: Vec<Option<Envelope>>,
}

impl Session {
    /// A session without envelopes.
    pub const fn new() -> Self {
        Self { envelopes: Vec::new() }
    }

    pub(crate) fn add(&mut self, envelope: Envelope) -> usize {
        let free = self.envelopes.iter().position(Option::is_none);
        let handle = free.unwrap_or(self.envelopes.len());
        match self.envelopes.get_mut(handle) {
            Some(slot) => *slot = Some(envelope),
            None => self.envelopes.push(Some(envelope)),
        }
        handle
    }

    /// Drops an envelope, which wipes its keys.
    pub(crate) fn release(&mut self, handle: usize) {
        if let Some(slot) = self.envelopes.get_mut(handle) {
            *slot = None;
        }
    }

    pub(crate) fn envelope(&self, handle: usize) -> Result<&Envelope> {
        let envelope = self.envelopes.get(handle).and_then(Option::as_ref);
        envelope.ok_or_else(|| Error::new(ErrorCode::InvalidKey, "this envelope was released: make a new one"))
    }
}
