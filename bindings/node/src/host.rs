//! Time and randomness from the operating system.

use cardseal::hazmat::{self, Nonce};
use cardseal::{Result, Timestamp};
use napi_sys as sys;

use crate::values::Values;

/// The system, and the cell that holds the last stamp of any copy of the package in this realm.
pub(crate) struct Node<'v> {
    values: &'v Values,
    clock: sys::napi_value,
}

impl<'v> Node<'v> {
    pub(crate) fn new(values: &'v Values, clock: sys::napi_value) -> Self {
        Self { values, clock }
    }
}

impl hazmat::Host for Node<'_> {
    fn stamp(&self) -> Result<Timestamp> {
        match self.values.doubles(self.clock) {
            Some(cell) => {
                let mut copy = cell.get();
                let stamp = Timestamp::now_shared(&mut copy)?;
                cell.set(copy);
                Ok(stamp)
            }
            None => Timestamp::now(),
        }
    }

    fn nonce(&self) -> Result<Nonce> {
        hazmat::system_nonce()
    }
}

impl cardseal_calls::Host for Node<'_> {
    fn wall_clock(&self) -> Result<Timestamp> {
        Timestamp::wall_clock()
    }

    fn random(&self) -> Result<[u8; 16]> {
        let nonce = hazmat::system_nonce()?;
        Ok(nonce.first_chunk().copied().unwrap_or_default())
    }
}
