//! The core as a Node-API module: one function, `call(operation, handle, clock, ...fields)`, and a cell, `cell`.
//!
//! It returns the field, or the array of fields, that the operation gives; otherwise an array whose first element is the
//! number of the verdict. `clock` is the cell that all copies of the package share, a `Float64Array` of two; nothing where
//! that is `cell`, whose address is known here. Where Node takes no memory of others, as in Electron, there is no `cell`.

mod host;
mod lent;
mod text;
mod values;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Once;

use cardseal_calls::{Session, perform, seals};
use napi_sys as sys;

use host::{ClockCell, Node};
use values::{Fields, Values};

/// Node calls this when it loads the module.
///
/// # Safety
/// `env` and `exports` are Node's, and alive during the call.
#[expect(unsafe_code, reason = "the name and form that Node looks for")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn napi_register_module_v1(env: sys::napi_env, exports: sys::napi_value) -> sys::napi_value {
    // Without the function the package takes WebAssembly; a panic would end the process.
    let _ = catch_unwind(|| {
        // SAFETY: `setup` finds Node's functions in the process, and writes down where they are: once, since other threads
        // may be calling them. What it gives has to stay.
        SETUP.call_once(|| std::mem::forget(unsafe { sys::setup() }));
        // SAFETY: by this function's contract, and after the setup.
        unsafe {
            let own =
                values::lend_cell(env, exports).map_or(ptr::null_mut(), |own| ptr::from_ref(own).cast_mut().cast());
            let mut function = ptr::null_mut();
            let name = "call";
            sys::napi_create_function(env, name.as_ptr().cast(), name.len() as isize, Some(call), own, &mut function);
            sys::napi_set_named_property(env, exports, c"call".as_ptr(), function);
        }
    });
    exports
}

static SETUP: Once = Once::new();

thread_local! {
    /// A thread of Node's is a realm with envelopes of its own.
    static SESSION: RefCell<Session> = const { RefCell::new(Session::new()) };
}

#[expect(unsafe_code, reason = "the form that Node calls")]
unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // No panic may cross into Node: there it would end the process.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `env` and `info` are those of the call that runs now.
        let (values, own) = unsafe { Values::of_call(env, info) };
        let (operation, handle) = (values.number(0), values.number(1));
        let mut reply = values.reply();
        let host = Node::new(ClockCell::of_call(&values, 2, own));
        let verdict = Fields::with(&values, FIRST_FIELD, seals(operation), |fields| {
            SESSION.with_borrow_mut(|session| perform(session, &host, operation, handle, fields, &mut reply))
        });
        host.publish();
        reply.finish(verdict)
    }));
    outcome.unwrap_or_else(|_| values::throw(env, c"cardseal failed inside: please report how"))
}

const FIRST_FIELD: usize = 3;
