//! The core as a Node-API module: `call(operation, handle, clock, ...fields)`, and a cell, `cell`.
//!
//! It returns the field, or the array of fields, that the operation gives; otherwise an array whose first element is the
//! number of the verdict. `clock` is the cell that all copies of the package share, a `Float64Array` of two; nothing where
//! that is `cell`, whose address is known here. Where Node takes no memory of others, as in Electron, there is no `cell`.
//!
//! `seal(operation, handle, clock, tape, long, texts, ...fields)` is the same for an operation that seals, with its first
//! field as a tape (`cardseal_calls::Written`): an `Int32Array`, an array of long texts, and the short ones.
//! `write(tape, long, texts)` takes the beginning of a tape that goes on. Both return nothing for a tape that has no strict
//! form, or none that they see.

mod host;
mod lent;
mod tape;
mod text;
mod values;

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Once;

use cardseal::binding::JsonText;
use cardseal_calls::{Session, Written, perform, seals};
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
            for (name, entry) in [(c"call", call as Entry), (c"seal", seal), (c"write", write)] {
                let mut function = ptr::null_mut();
                sys::napi_create_function(
                    env,
                    name.as_ptr(),
                    name.count_bytes() as isize,
                    Some(entry),
                    own,
                    &mut function,
                );
                sys::napi_set_named_property(env, exports, name.as_ptr(), function);
            }
        }
    });
    exports
}

static SETUP: Once = Once::new();

type Entry = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

thread_local! {
    /// A thread of Node's is a realm with envelopes of its own.
    static SESSION: RefCell<Session> = const { RefCell::new(Session::new()) };
    /// The beginning of a payload whose tape goes on. Whoever gives it up calls with something else, which wipes it.
    static WRITTEN: Cell<Option<Box<Written>>> = const { Cell::new(None) };
}

#[expect(unsafe_code, reason = "the form that Node calls")]
unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: `env` and `info` are those of the call that runs now.
    unsafe {
        answer(env, info, |values, own| {
            drop(WRITTEN.take());
            let seals = seals(values.number(0));
            perform_with(values, own, FIRST_FIELD, |index| if seals { values.placed(index) } else { None })
        })
    }
}

#[expect(unsafe_code, reason = "the form that Node calls")]
unsafe extern "C" fn seal(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: `env` and `info` are those of the call that runs now.
    unsafe {
        answer(env, info, |values, own| match written(values, FIRST_FIELD) {
            Some(written) => {
                let mut json = Some(written.into_writer().into());
                perform_with(values, own, FIRST_FIELD + TAPE_VALUES - 1, |_| json.take())
            }
            None => values.undefined(),
        })
    }
}

#[expect(unsafe_code, reason = "the form that Node calls")]
unsafe extern "C" fn write(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: `env` and `info` are those of the call that runs now.
    unsafe {
        answer(env, info, |values, _| match written(values, 0) {
            Some(written) => {
                WRITTEN.set(Some(Box::new(written)));
                values.truth()
            }
            None => values.undefined(),
        })
    }
}

/// Answers a call; no panic may cross into Node, where it would end the process.
///
/// # Safety
/// `env` and `info` are those of the call that runs now.
#[expect(unsafe_code, reason = "Node-API is a C interface")]
unsafe fn answer(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    call: impl FnOnce(&Values, Option<&'static host::OwnCell>) -> sys::napi_value,
) -> sys::napi_value {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: by the contract above.
        let (values, own) = unsafe { Values::of_call(env, info) };
        call(&values, own)
    }));
    outcome.unwrap_or_else(|_| values::throw(env, c"cardseal failed inside: please report how"))
}

/// Performs an operation on the fields from `first` on; `json` may say what the first one is.
fn perform_with<'v>(
    values: &'v Values,
    own: Option<&'static host::OwnCell>,
    first: usize,
    json: impl FnOnce(usize) -> Option<JsonText<'v>>,
) -> sys::napi_value {
    let (operation, handle) = (values.number(0), values.number(1));
    let mut reply = values.reply();
    let host = Node::new(ClockCell::of_call(values, 2, own));
    let verdict = Fields::with(values, first, json(first), |fields| {
        SESSION.with_borrow_mut(|session| perform(session, &host, operation, handle, fields, &mut reply))
    });
    host.publish();
    reply.finish(verdict)
}

/// What has been written of a payload with the tape that begins at an argument.
fn written(values: &Values, index: usize) -> Option<Written> {
    tape::continued(WRITTEN.take().map(|before| *before), values, index)
}

const FIRST_FIELD: usize = 3;

/// Arguments that a tape takes, the last in the place of a field.
const TAPE_VALUES: usize = 3;
