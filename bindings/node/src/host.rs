//! Time and randomness from the operating system.

use std::cell::Cell;

use cardseal::hazmat::{self, Nonce};
use cardseal::{Result, Timestamp};
use napi_sys as sys;

use crate::values::Values;

/// The system, and the cell that holds the last stamp of any copy of the package in this realm.
pub(crate) struct Node<'v> {
    values: &'v Values,
    clock: sys::napi_value,
    /// What is to stand in the cell after the call.
    stamped: Cell<Option<[f64; 2]>>,
}

impl<'v> Node<'v> {
    pub(crate) fn new(values: &'v Values, clock: sys::napi_value) -> Self {
        Self { values, clock, stamped: Cell::new(None) }
    }

    /// Writes the cell: only now, since a field of the call could be a view of the same memory.
    pub(crate) fn publish(self) {
        if let Some(cell) = self.stamped.get() {
            self.values.set_doubles(self.clock, cell);
        }
    }
}

impl hazmat::Host for Node<'_> {
    fn stamp(&self) -> Result<Timestamp> {
        let Some(mut cell) = self.values.doubles(self.clock) else { return Timestamp::now() };
        let stamp = Timestamp::now_shared(&mut cell)?;
        self.stamped.set(Some(cell));
        Ok(stamp)
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
