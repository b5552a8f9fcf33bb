//! One interpreter a process: what the module keeps between calls, classes and names, belongs to the interpreter that made
//! it, and would outlive it in another.

#![expect(unsafe_code, reason = "PyO3 does not ask which interpreter it is in")]

use std::sync::atomic::{AtomicI64, Ordering};

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

/// Lets the first interpreter that imports the module have it.
pub(crate) fn claim(_: Python<'_>) -> PyResult<()> {
    // SAFETY: this thread is attached to an interpreter, as the token says.
    let id = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    match OWNER.compare_exchange(NOBODY, id, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Ok(()),
        Err(owner) if owner == id => Ok(()),
        Err(_) => Err(PyImportError::new_err(
            "cardseal is in use by another interpreter of this process: import it in one of them alone",
        )),
    }
}

static OWNER: AtomicI64 = AtomicI64::new(NOBODY);

const NOBODY: i64 = -1;
