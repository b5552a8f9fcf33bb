//! One buffer a thread for payloads to be written and encrypted in.
//!
//! What it buys: no growing step by step, no zeroing, no trip to the allocator, together a tenth of sealing a kilobyte.

use std::cell::Cell;

use cardseal::binding::Encrypted;
use cardseal::json::Writer;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A writer over this thread's buffer.
pub(crate) fn writer() -> Writer {
    let buffer = BUFFER.take();
    if buffer.is_empty() { Writer::with_capacity(FIRST_BYTES) } else { Writer::with_buffer(buffer) }
}

/// Keeps the buffer for the next payload, with ciphertext alone in it.
pub(crate) fn keep(encrypted: Encrypted) {
    let (kept, buffer) = (BUFFER.take(), encrypted.into_buffer());
    BUFFER.set(if (kept.len() + 1..=MOST_BYTES).contains(&buffer.len()) { buffer } else { kept });
}

/// Enough for most payloads.
const FIRST_BYTES: usize = 4 * 1024;

/// More than this is given back rather than kept for as long as the thread lives.
const MOST_BYTES: usize = 64 * 1024;
