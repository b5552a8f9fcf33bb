//! What the package's adapters and middlewares call. They hand on JSON as text, so that not one number changes on its way
//! through another parser.

use cardseal::binding;
use cardseal::{ErrorCode, PLAIN_ERRORS, ResponseError, Timestamp, Window};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::body::SealedBody;
use crate::envelope::Envelope;
use crate::errors::{envelope_error, guard, response_error};
use crate::objects::Objects;
use crate::results::{Request, SealedRequest};
use crate::text::{lossy, option};
use crate::threads::detached;

/// The JSON text that a response holds, and the ApiError that it is, if it is one; no text if that came in plain.
///
/// Raises EnvelopeError as ``Envelope.open_response`` does.
#[pyfunction]
pub(crate) fn opened_answer<'py>(
    envelope: &Bound<'py, Envelope>,
    status: u16,
    body: &Bound<'py, PyBytes>,
    request: &Bound<'py, SealedRequest>,
) -> PyResult<Answer<'py>> {
    let py = envelope.py();
    guard(|| {
        let request = request.get().body.bind(py);
        let request = request.to_str()?;
        let core = &envelope.get().core;
        let bytes = body.as_bytes();
        let response =
            detached(py, bytes.len(), || binding::unseal_response(core, status, bytes.into(), Some(request)));
        let response = response.map_err(|error| response_error(py, &error, None))?;
        let mut objects = Objects::new(py);
        let outcome = response.into_json(&mut objects);
        let payload = objects.finish()?;
        match outcome {
            Ok(text) => Ok((Some(PyBytes::new(py, text.as_str().as_bytes())), None)),
            Err(error) => {
                let ResponseError::Api(api) = &error else { return Err(response_error(py, &error, None)) };
                let text = api.payload.as_ref().map(|text| PyBytes::new(py, text.as_str().as_bytes()));
                let payload = payload.filter(|_| api.encrypted);
                Ok((text, Some(response_error(py, &error, payload).into_value(py).into_bound(py).into_any())))
            }
        }
    })
}

/// The opened text, and the error that it is.
type Answer<'py> = (Option<Bound<'py, PyBytes>>, Option<Bound<'py, PyAny>>);

/// A request as ``Envelope.open_request`` gives it, and the JSON text that it holds.
///
/// Raises EnvelopeError as ``Envelope.open_request`` does.
#[pyfunction]
pub(crate) fn opened_request<'py>(
    envelope: &Bound<'py, Envelope>,
    body: &Bound<'py, PyAny>,
) -> PyResult<(Request, Bound<'py, PyBytes>)> {
    let py = envelope.py();
    guard(|| {
        let now = Timestamp::wall_clock().map_err(|error| envelope_error(py, &error))?;
        let body = SealedBody::from_python(body)?;
        let core = &envelope.get().core;
        let opened = detached(py, body.len(), || binding::unseal(core, body.as_body()));
        let opened = opened.map_err(|error| envelope_error(py, &error))?;
        let mut objects = Objects::new(py);
        let request = opened.into_request(now, Window::MAX, &mut objects);
        let payload = objects.finish()?;
        let cardseal::Request { payload: text, timestamp, nonce, key_index, .. } =
            request.map_err(|error| envelope_error(py, &error))?;
        let payload = payload.unwrap_or_else(|| py.None().into_bound(py)).unbind();
        Ok((Request { payload, timestamp, nonce, key_index }, PyBytes::new(py, text.as_str().as_bytes())))
    })
}

/// The status and the plain text with which a server answers a request that failed with a code; None if none does.
#[pyfunction]
pub(crate) fn server_answer(code: &Bound<'_, PyString>) -> Option<(u16, &'static str)> {
    let code = lossy(code);
    let of_kind = || ErrorCode::ALL.iter().find(|known| known.as_str() == code)?.server_answer();
    let documented = PLAIN_ERRORS.iter().find(|known| known.code == code);
    documented.map(|known| (known.status, known.text)).or_else(of_kind)
}

/// How long to wait after a failed attempt, in milliseconds; ``attempt`` counts them, ``random`` is 32 random bits.
#[pyfunction]
pub(crate) fn backoff_millis(attempt: &Bound<'_, PyAny>, random: u32) -> PyResult<u64> {
    guard(|| {
        let attempt = option(attempt, "attempt", 0..=u64::from(u32::MAX))? as u32;
        Ok(cardseal::backoff_millis(attempt, random))
    })
}
