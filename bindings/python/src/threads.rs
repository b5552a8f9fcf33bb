//! Letting other threads run.

use pyo3::marker::Ungil;
use pyo3::prelude::*;

/// Runs work that touches no Python object, without the interpreter's lock if there is enough of it.
pub(crate) fn detached<T: Ungil>(py: Python<'_>, bytes: usize, work: impl FnOnce() -> T + Ungil) -> T {
    if bytes > WORTH_DETACHING { py.detach(work) } else { work() }
}

/// Giving the lock away and taking it back costs about as much as a kilobyte does, and far more when threads compete.
const WORTH_DETACHING: usize = 32 * 1024;
