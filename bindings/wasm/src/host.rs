//! Time and randomness from the JavaScript side, asked for only when something is sealed.

use core::cell::RefCell;

use cardseal::hazmat::{self, Nonce, NoncePool};
use cardseal::{Clock, Error, ErrorCode, Result, Timestamp};

/// The host of an instance: a clock that shares its last stamp with other copies of the package, and a pool of random
/// bytes of its own.
#[derive(Default)]
pub(crate) struct JavaScript {
    clock: RefCell<Clock>,
    pool: RefCell<NoncePool>,
}

impl hazmat::Host for JavaScript {
    fn stamp(&self) -> Result<Timestamp> {
        let mut cell = [clock_cell(0), clock_cell(1)];
        let stamp = self.clock.borrow_mut().next_shared(&mut cell, now())?;
        let [last_stamp, last_wall] = cell;
        set_clock_cell(last_stamp, last_wall);
        Ok(stamp)
    }

    fn nonce(&self) -> Result<Nonce> {
        let mut pool = self.pool.borrow_mut();
        if pool.is_empty() {
            let mut fresh = [0; REFILL_BYTES];
            // SAFETY: that many bytes may be written there.
            #[expect(unsafe_code, reason = "the host writes into memory")]
            let filled = unsafe { random(fresh.as_mut_ptr(), REFILL_BYTES) };
            if !filled {
                return Err(Error::new(
                    ErrorCode::EntropyUnavailable,
                    "the host has no `crypto.getRandomValues`, or it failed: nothing was sealed",
                ));
            }
            if pool.last_refill().is_none() {
                *pool = NoncePool::after(kept_refill());
            }
            let refilled = pool.refill(&mut fresh);
            pool.last_refill().iter().for_each(keep_refill);
            refilled?;
        }
        pool.take()
    }
}

impl cardseal_calls::Host for JavaScript {
    fn wall_clock(&self) -> Result<Timestamp> {
        Clock::new().next(now())
    }

    fn correct_clock(&self, offset_micros: i64) {
        *self.clock.borrow_mut() = Clock::with_offset_micros(offset_micros);
    }

    fn random(&self) -> Result<[u8; 16]> {
        let nonce = hazmat::Host::nonce(self)?;
        Ok(nonce.first_chunk().copied().unwrap_or_default())
    }
}

/// `Date.now()` in the nearest microsecond, for hosts whose milliseconds have fractions; what is no number becomes 0, which
/// the clock refuses.
fn now() -> i64 {
    (now_millis() * 1_000.0 + 0.5) as i64
}

/// The digest of the last refill of the instance before this one.
fn kept_refill() -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    // SAFETY: 32 bytes may be written there.
    #[expect(unsafe_code, reason = "the host writes into memory")]
    let is_kept = unsafe { recall(digest.as_mut_ptr()) };
    is_kept.then_some(digest)
}

/// Gives it to the host, which outlives this instance.
fn keep_refill(digest: &[u8; 32]) {
    // SAFETY: 32 bytes can be read there.
    #[expect(unsafe_code, reason = "the host reads from memory")]
    unsafe {
        keep(digest.as_ptr());
    }
}

/// One kibibyte, in whole nonces.
const REFILL_BYTES: usize = 1_024 / size_of::<Nonce>() * size_of::<Nonce>();

// SAFETY: the types are those of the JavaScript side; only those with an address touch memory.
#[expect(unsafe_code, reason = "imports")]
#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// `Date.now()`.
    safe fn now_millis() -> f64;

    /// Writes `bytes` random bytes at `to`; false if there are none.
    fn random(to: *mut u8, bytes: usize) -> bool;

    /// Keeps 32 bytes for the instance that may come after this one.
    fn keep(from: *const u8);

    /// Writes what was kept; false if there is nothing.
    fn recall(to: *mut u8) -> bool;

    /// Says that memory has run out: the trap that follows is not a defect.
    pub(crate) safe fn out_of_memory();

    /// The last stamp (0) or the wall reading behind it (1) of any copy of the package; 0 or NaN for none.
    safe fn clock_cell(index: u32) -> f64;

    /// Writes both.
    safe fn set_clock_cell(stamp: f64, wall: f64);
}
