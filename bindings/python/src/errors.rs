//! The core's errors as the package's exceptions, which are Python classes (`cardseal/_errors.py`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use cardseal::{ApiError, Error, ErrorCode, ResponseError};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

/// Runs a call into the core, and turns a panic into an ordinary exception: PyO3's own is none that `except Exception`
/// catches.
pub(crate) fn guard<T>(call: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        Err(PyRuntimeError::new_err("cardseal has a defect and stopped: please report what you called"))
    })
}

/// An `EnvelopeError`.
pub(crate) fn envelope_error(py: Python<'_>, error: &Error) -> PyErr {
    instance(py, error, None)
}

/// An `EnvelopeError` of a code, for what the core is never asked.
pub(crate) fn error_of(py: Python<'_>, code: ErrorCode, message: String) -> PyErr {
    envelope_error(py, &Error::new(code, message))
}

/// An `ApiError` or an `EnvelopeError`. `payload` is what a sealed error holds, as Python's objects.
pub(crate) fn response_error(py: Python<'_>, error: &ResponseError, payload: Option<Bound<'_, PyAny>>) -> PyErr {
    match error {
        ResponseError::Api(error) => api_error(py, error, payload).unwrap_or_else(|raised| raised),
        ResponseError::Envelope { error: inner, .. } | ResponseError::Payload { error: inner, .. } => {
            instance(py, inner, Some(error))
        }
        _ => PyRuntimeError::new_err(error.to_string()),
    }
}

fn instance(py: Python<'_>, error: &Error, response: Option<&ResponseError>) -> PyErr {
    let make = || {
        let details = PyDict::new(py);
        if let Some(response) = response {
            details.set_item("status", response.status())?;
            details.set_item("failure_class", response.failure_class().as_str())?;
        }
        if let Some(skew_micros) = error.skew_micros() {
            details.set_item("skew_micros", skew_micros)?;
        }
        class(py, &ENVELOPE_ERROR, "EnvelopeError")?.call((error.code(), error.message()), Some(&details))
    };
    make().map_or_else(|raised| raised, PyErr::from_value)
}

fn api_error(py: Python<'_>, error: &ApiError, payload: Option<Bound<'_, PyAny>>) -> PyResult<PyErr> {
    let details = PyDict::new(py);
    details.set_item("status", error.status)?;
    details.set_item("slug", error.slug.as_deref())?;
    details.set_item("code", error.code.as_deref())?;
    details.set_item("failure_class", error.failure_class.as_str())?;
    details.set_item("encrypted", error.encrypted)?;
    details.set_item("payload", payload)?;
    Ok(PyErr::from_value(class(py, &API_ERROR, "ApiError")?.call((&error.message,), Some(&details))?))
}

/// Finds the two classes, while Python can still import.
pub(crate) fn load(py: Python<'_>) -> PyResult<()> {
    class(py, &ENVELOPE_ERROR, "EnvelopeError")?;
    class(py, &API_ERROR, "ApiError").map(|_| ())
}

/// Whether an exception is an `EnvelopeError`.
pub(crate) fn is_envelope_error(py: Python<'_>, raised: &PyErr) -> bool {
    class(py, &ENVELOPE_ERROR, "EnvelopeError").is_ok_and(|class| raised.is_instance(py, class))
}

static ENVELOPE_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static API_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();

fn class<'py>(py: Python<'py>, cell: &'static PyOnceLock<Py<PyType>>, name: &str) -> PyResult<&'py Bound<'py, PyType>> {
    cell.import(py, "cardseal._errors", name)
}
