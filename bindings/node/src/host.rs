//! Time and randomness from the operating system.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use cardseal::hazmat::{self, Nonce};
use cardseal::{Result, Timestamp};

use crate::values::{Doubles, Values};

/// The system, and the cell that holds the last stamp of any copy of the package in this realm.
pub(crate) struct Node<'v> {
    cell: ClockCell<'v>,
    /// What is to stand in the cell after the call.
    stamped: Cell<Option<[f64; 2]>>,
}

impl<'v> Node<'v> {
    pub(crate) const fn new(cell: ClockCell<'v>) -> Self {
        Self { cell, stamped: Cell::new(None) }
    }

    /// Writes the cell: only now, since a field of the call could be a view of the same memory.
    pub(crate) fn publish(self) {
        if let Some(pair) = self.stamped.get() {
            self.cell.set(pair);
        }
    }
}

/// Where the last stamp stands, and the wall clock's reading behind it.
pub(crate) enum ClockCell<'v> {
    /// In memory that this module lends to JavaScript: read and written without asking Node for its address.
    Own(&'static OwnCell),
    /// In the array of another copy of the package.
    Shared(Doubles<'v>),
    /// Nowhere.
    None,
}

impl<'v> ClockCell<'v> {
    /// The cell that a call hands over; `own` where it hands over none.
    pub(crate) fn of_call(values: &'v Values, index: usize, own: Option<&'static OwnCell>) -> Self {
        match (values.doubles(index), own) {
            (Some(shared), _) => Self::Shared(shared),
            (None, Some(own)) => Self::Own(own),
            (None, None) => Self::None,
        }
    }

    fn get(&self) -> Option<[f64; 2]> {
        match self {
            Self::Own(own) => Some(own.get()),
            Self::Shared(shared) => Some(shared.get()),
            Self::None => None,
        }
    }

    fn set(&self, pair: [f64; 2]) {
        match self {
            Self::Own(own) => own.set(pair),
            Self::Shared(shared) => shared.set(pair),
            Self::None => {}
        }
    }
}

/// The bits of two doubles. JavaScript has a view of them, which somebody could hand to another thread: hence atomic.
#[derive(Default)]
pub(crate) struct OwnCell([AtomicU64; 2]);

impl OwnCell {
    fn get(&self) -> [f64; 2] {
        self.0.each_ref().map(|bits| f64::from_bits(bits.load(Ordering::Relaxed)))
    }

    fn set(&self, pair: [f64; 2]) {
        for (slot, number) in self.0.iter().zip(pair) {
            slot.store(number.to_bits(), Ordering::Relaxed);
        }
    }
}

impl hazmat::Host for Node<'_> {
    fn stamp(&self) -> Result<Timestamp> {
        let Some(mut pair) = self.cell.get() else { return Timestamp::now() };
        let stamp = Timestamp::now_shared(&mut pair)?;
        self.stamped.set(Some(pair));
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

    fn correct_clock(&self, offset_micros: i64) {
        Timestamp::correct_clock(offset_micros);
    }

    fn random(&self) -> Result<[u8; 16]> {
        let nonce = hazmat::system_nonce()?;
        Ok(nonce.first_chunk().copied().unwrap_or_default())
    }
}
