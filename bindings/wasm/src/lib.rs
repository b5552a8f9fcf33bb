//! The core as a WebAssembly module.
//!
//! The host writes fields into memory that it has reserved, calls, and reads the reply:
//!
//! ```text
//! fields   kind (0 none, 1 text, 2 bytes) │ length, 4 bytes, little-endian │ the field │ the next one …
//! reply    length of all that follows, 4 bytes │ verdict, 1 byte │ fields
//! ```
//!
//! Written without wasm-bindgen: its glue keeps one instance for good, whereas one that trapped has to be replaced, and its
//! strings take twice the time of `TextEncoder.encodeInto`. What would be left of it is the names of four functions.

#![cfg(target_arch = "wasm32")]
#![no_std]

extern crate alloc;

mod host;
mod memory;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::RefCell;

use cardseal_calls::{Arguments, Session, perform};
use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

use host::JavaScript;
use memory::{Fields, Input, Output};

/// Makes room for the fields of the next call, and says where.
#[expect(unsafe_code, reason = "an export has to keep its name")]
#[unsafe(no_mangle)]
pub extern "C" fn reserve(bytes: usize) -> *mut u8 {
    STATE.0.borrow_mut().get_or_insert_default().input.reserve(bytes)
}

/// Performs an operation on the fields in the first `bytes` of what was reserved, and says where the reply is.
///
/// The reply stays there until the next call; the fields are wiped.
#[expect(unsafe_code, reason = "an export has to keep its name")]
#[unsafe(no_mangle)]
pub extern "C" fn call(operation: usize, handle: usize, bytes: usize) -> *const u8 {
    let mut state = STATE.0.borrow_mut();
    let State { session, host, input, output } = state.get_or_insert_default();
    output.clear();
    let fields = Fields::read(input.written(bytes));
    let verdict = perform(session, host, operation, handle, Arguments::new(fields.as_slice()), output);
    input.wipe(bytes);
    output.finish(verdict)
}

#[derive(Default)]
struct State {
    session: Session,
    host: JavaScript,
    input: Input,
    output: Output,
}

/// What one thread alone can reach. A host function that calls back in finds it borrowed: that is a trap, after which the
/// host makes a new instance.
struct OneThread(RefCell<Option<State>>);

// SAFETY: the module is built without threads and without shared memory.
#[expect(unsafe_code, reason = "a static has to be `Sync`, and core has no cell for targets without threads")]
unsafe impl Sync for OneThread {}

static STATE: OneThread = OneThread(RefCell::new(None));

#[global_allocator]
static HEAP: Heap = Heap(new_wasm_dynamic_allocator());

/// Tells the host when memory has run out, which the trap alone does not.
struct Heap(WasmDynamicTalc);

impl Heap {
    fn told(at: *mut u8) -> *mut u8 {
        if at.is_null() {
            host::out_of_memory();
        }
        at
    }
}

// SAFETY: every call is handed on as it is.
#[expect(unsafe_code, reason = "the interface of an allocator")]
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's word.
        Self::told(unsafe { self.0.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        Self::told(unsafe { self.0.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as above.
        Self::told(unsafe { self.0.realloc(at, layout, bytes) })
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { self.0.dealloc(at, layout) }
    }
}

/// A trap. Without a message: the code that would write it is as large as the cipher.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
