//! Large texts, lent to Node as they lie in memory; it gives them back when JavaScript has no use for them any more.
//!
//! Up to 128 KiB a copy costs next to nothing. Beyond, V8 maps new pages for every string: at a mebibyte that takes longer
//! than the cipher does. What is given back is wiped where it was plaintext, which no string in V8's own heap is.

#![expect(unsafe_code, reason = "Node-API is a C interface")]

use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;

use napi_sys as sys;

use crate::values::wipe;

/// Whether a text is worth lending, and can be lent.
pub(crate) fn is_lendable(env: sys::napi_env, text: &[u8]) -> bool {
    is_long(text.len()) && text.is_ascii() && can_lend(env)
}

/// Whether a text of so many bytes is worth lending.
pub(crate) const fn is_long(bytes: usize) -> bool {
    LEAST_BYTES <= bytes && bytes < MOST_BYTES
}

/// A text that [is lendable](is_lendable), as a string of Node's, without a copy.
pub(crate) fn lend(env: sys::napi_env, mut text: Vec<u8>, is_secret: bool) -> (sys::napi_status, sys::napi_value) {
    text.shrink_to_fit();
    let lent = Box::new(Lent { bytes: text, is_secret });
    let (data, length) = (lent.bytes.as_ptr().cast(), lent.bytes.len() as isize);
    let (mut value, mut is_copied) = (ptr::null_mut(), false);
    // SAFETY: `env` is that of the call that runs now. The bytes are ASCII, nobody writes to them, and they stay where they
    // are until `give_back`, which is called once, also where Node made a copy. Where the string cannot be made nobody
    // gives them back, and they stay: no text within the bounds above is too long for one.
    let status = unsafe {
        let change = length as i64;
        let hint = Box::into_raw(lent).cast();
        // As Node does for its own. Without it nothing tells the collector how much hangs on so small a string: a loop
        // over bodies of a mebibyte took 2.7 GB, and 0.17 GB with it. Before the string: where Node makes a copy it gives
        // the text back at once, and that takes the change back.
        sys::napi_adjust_external_memory(env, change, &mut 0);
        let status = sys::node_api_create_external_string_latin1(
            env,
            data,
            length,
            Some(give_back),
            hint,
            &mut value,
            &mut is_copied,
        );
        if status != sys::Status::napi_ok {
            sys::napi_adjust_external_memory(env, -change, &mut 0);
        }
        status
    };
    (status, value)
}

struct Lent {
    bytes: Vec<u8>,
    is_secret: bool,
}

/// Node calls this once a lent text is not needed any more; without an environment where that has ended.
#[expect(unsafe_code, reason = "the form that Node calls")]
unsafe extern "C" fn give_back(env: sys::node_api_basic_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` is what `lend` made of a box, handed back once.
    let Lent { mut bytes, is_secret } = *unsafe { Box::from_raw(hint.cast::<Lent>()) };
    if !env.is_null() {
        // SAFETY: the environment is alive where Node hands it over.
        unsafe { sys::napi_adjust_external_memory(env.cast(), -(bytes.len() as i64), &mut 0) };
    }
    if is_secret {
        wipe(&mut bytes, 0);
    }
}

/// Whether Node takes memory of others as a string: from 20.4 on.
///
/// Not on Windows, which unloads a module whose worker has ended although strings are left that it has to take back;
/// elsewhere it stays loaded (`build.rs`).
fn can_lend(env: sys::napi_env) -> bool {
    static CAN_LEND: OnceLock<bool> = OnceLock::new();
    *CAN_LEND.get_or_init(|| {
        let mut version = ptr::null();
        // SAFETY: `env` is that of the call that runs now; the version is Node's own and stays.
        let version = unsafe {
            sys::napi_get_node_version(env, &mut version);
            version.as_ref()
        };
        cfg!(unix) && version.is_some_and(|version| (version.major, version.minor) >= (20, 4))
    })
}

const LEAST_BYTES: usize = 1 << 17;

/// No string of V8's is longer where an address has 32 bits.
const MOST_BYTES: usize = 1 << 28;
