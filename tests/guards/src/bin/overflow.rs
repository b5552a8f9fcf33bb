//! Reads one byte behind a block of the heap: what AddressSanitizer has to catch if it is on.

#![expect(unsafe_code, reason = "the mistake is the purpose")]

use std::hint::black_box;

fn main() {
    let block = black_box(vec![0_u8; 32]);
    // SAFETY: there is none. The read ends the program where the sanitizer is on, and is not acted upon where it is not.
    black_box(unsafe { block.as_ptr().add(block.len()).read() });
}
