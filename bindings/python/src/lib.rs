//! `cardseal._native`: the core for CPython. Each function converts, calls the core and maps its error.
//!
//! Two files do more, because walking Python's objects here is what makes the package fast: `write.rs` puts a payload's
//! JSON text together, `objects.rs` builds Python's objects while the core reads. Their headers say what that buys.

#[cfg(any(PyPy, GraalPy, RustPython))]
compile_error!("cardseal's native module is for CPython");

mod ascii;
mod body;
mod envelope;
mod errors;
mod floats;
mod functions;
mod http;
mod interpreter;
mod names;
mod objects;
mod payload;
mod records;
mod replay;
mod results;
mod text;
mod threads;
mod write;

#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use crate::envelope::Envelope;
    #[pymodule_export]
    use crate::functions::{
        can_become, canonical_json, correct_clock, derive_idempotency_key, endpoint_kind, fingerprint,
        generate_idempotency_key, is_terminal, normalize_path, record_key, required_headers, should_retry,
        timestamp_micros, validate_payload,
    };
    #[pymodule_export]
    use crate::http::{backoff_millis, opened_answer, opened_request, server_answer};
    #[pymodule_export]
    use crate::records::{Begun, MemoryIdempotencyStore, check_record, recorded_body, token_parts};
    #[pymodule_export]
    use crate::replay::{MemoryReplayStore, claim_request, replay_keys};
    #[pymodule_export]
    use crate::results::{ReplayKeys, Request, SealedRequest, Webhook};

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::interpreter::claim(module.py())?;
        crate::errors::load(module.py())?;
        crate::functions::add_constants(module)
    }
}
