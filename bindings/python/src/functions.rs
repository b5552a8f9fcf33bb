//! The functions and tables beside the classes.

use std::str::FromStr;

use cardseal::{
    Attempt, CardIssueStatus, CardTopupStatus, EndpointKind, ErrorCode, IdempotencyKey, OrderStatus, RecordKey, Sent,
    Timestamp,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMappingProxy, PyString};

use crate::errors::{envelope_error, guard};
use crate::payload::Payload;
use crate::text::{lossy, option};

/// The next timestamp of this process, in microseconds since 1970: the clock's, or one more than the last.
///
/// Never the same twice in a process, and strictly increasing, unless the system's clock is set back by more than five
/// seconds: then the timestamps follow it.
///
/// Raises EnvelopeError with ``clock_unavailable``.
///
/// >>> from cardseal import timestamp_micros
/// >>> timestamp_micros() < timestamp_micros()
/// True
#[pyfunction]
pub(crate) fn timestamp_micros(py: Python<'_>) -> PyResult<u64> {
    guard(|| Timestamp::now().map(Timestamp::as_micros).map_err(|error| envelope_error(py, &error)))
}

/// Moves every timestamp that this process makes from now on by so many microseconds, in place of any earlier offset.
#[pyfunction]
pub(crate) fn correct_clock(offset_micros: i64) -> PyResult<()> {
    guard(|| {
        Timestamp::correct_clock(offset_micros);
        Ok(())
    })
}

/// The key of an idempotency record, hexadecimal: keys belong to a project.
///
/// Raises EnvelopeError with ``invalid_api_key``, ``invalid_idempotency_key``.
#[pyfunction]
pub(crate) fn record_key(api_key: &Bound<'_, PyString>, key: &Bound<'_, PyString>) -> PyResult<String> {
    guard(|| {
        let record = RecordKey::of(&lossy(api_key), &lossy(key));
        record.map(|record| record.as_str().to_owned()).map_err(|error| envelope_error(key.py(), &error))
    })
}

/// A random idempotency key: a UUID of version 4 from the operating system's randomness.
///
/// Make one for a business event and keep it with that: a new one for each attempt charges twice.
///
/// Raises EnvelopeError with ``entropy_unavailable``.
///
/// >>> from cardseal import generate_idempotency_key
/// >>> len(generate_idempotency_key())
/// 36
#[pyfunction]
pub(crate) fn generate_idempotency_key(py: Python<'_>) -> PyResult<String> {
    guard(|| IdempotencyKey::generate().map(String::from).map_err(|error| envelope_error(py, &error)))
}

/// The idempotency key that belongs to an event: the same for the same ``namespace`` and ``id``, on every machine.
///
/// Raises EnvelopeError with ``invalid_idempotency_key`` when a part is empty.
///
/// >>> from cardseal import derive_idempotency_key
/// >>> derive_idempotency_key("topup", "invoice-42")
/// '0d070fd6-04af-8724-b89c-f24408c2ec71'
#[pyfunction]
pub(crate) fn derive_idempotency_key(namespace: &Bound<'_, PyString>, id: &Bound<'_, PyString>) -> PyResult<String> {
    guard(|| {
        let key = IdempotencyKey::derive(&lossy(namespace), &lossy(id));
        key.map(String::from).map_err(|error| envelope_error(id.py(), &error))
    })
}

/// Checks a request payload: a strict JSON object, not sealed yet. Returns its ``request_timestamp``, or None without one.
///
/// ``payload`` is JSON text, or what ``Envelope.seal`` takes.
///
/// Raises EnvelopeError with ``invalid_payload``, ``already_sealed``, ``invalid_timestamp``, in this order.
///
/// >>> from cardseal import EnvelopeError, validate_payload
/// >>> validate_payload('{"request_timestamp": "1700000000000000", "card_id": "card_abc123"}')
/// 1700000000000000
/// >>> try:
/// ...     validate_payload('{"amount": 1, "amount": 2}')
/// ... except EnvelopeError as error:
/// ...     print(error)
/// the payload is not strict JSON: a member name that its object already has (byte 14) (invalid_payload)
#[pyfunction]
pub(crate) fn validate_payload(payload: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
    guard(|| {
        let text = Payload::from_python(payload, None)?;
        let payload_checked = cardseal::Payload::parse(text.as_str());
        let checked = payload_checked.map_err(|error| envelope_error(payload.py(), &error))?;
        Ok(checked.timestamp().map(Timestamp::as_micros))
    })
}

/// A path or URL as the protocol counts it: from ``/api/v1`` on, without query, fragment and trailing slash.
///
/// Raises EnvelopeError with ``invalid_path``.
///
/// >>> from cardseal import normalize_path
/// >>> normalize_path("https://api.example.com/api/v1/cards/get/?page=2"), normalize_path("/cards/get")
/// ('/api/v1/cards/get', '/api/v1/cards/get')
#[pyfunction]
pub(crate) fn normalize_path(path: &Bound<'_, PyString>) -> PyResult<String> {
    guard(|| cardseal::normalize_path(&lossy(path)).map_err(|error| envelope_error(path.py(), &error)))
}

/// What repeating a call to a path or URL does: ``"read"``, ``"keyed"`` or ``"unsafe"``, as every unlisted path is.
///
/// Raises EnvelopeError with ``invalid_path``.
///
/// >>> from cardseal import endpoint_kind
/// >>> endpoint_kind("/cards/topup"), endpoint_kind("/cards/freeze"), endpoint_kind("/cards/get")
/// ('keyed', 'unsafe', 'read')
#[pyfunction]
pub(crate) fn endpoint_kind(path: &Bound<'_, PyString>) -> PyResult<&'static str> {
    guard(|| {
        let kind = cardseal::endpoint_kind(&lossy(path));
        kind.map(EndpointKind::as_str).map_err(|error| envelope_error(path.py(), &error))
    })
}

/// The names of the headers that a request to a path or URL must have.
///
/// Raises EnvelopeError with ``invalid_path``.
///
/// >>> from cardseal import required_headers
/// >>> required_headers("/cards/topup")
/// ['API-KEY', 'Content-Type', 'Idempotency-Key']
#[pyfunction]
pub(crate) fn required_headers(path: &Bound<'_, PyString>) -> PyResult<Vec<&'static str>> {
    guard(|| {
        let names = cardseal::required_headers(&lossy(path));
        names.map(<[_]>::to_vec).map_err(|error| envelope_error(path.py(), &error))
    })
}

/// What a server compares when an idempotency key comes again: SHA-256 of path and canonical payload, in hexadecimal.
///
/// ``payload`` is JSON text, or what ``Envelope.seal`` takes. Its ``request_timestamp`` is left out.
///
/// Raises EnvelopeError with ``invalid_path``, ``invalid_payload``.
///
/// >>> from cardseal import fingerprint
/// >>> fingerprint("/cards/topup", {"card_id": "card_abc123", "amount": "10.00"})[:8]
/// '60183478'
#[pyfunction]
pub(crate) fn fingerprint(path: &Bound<'_, PyString>, payload: &Bound<'_, PyAny>) -> PyResult<String> {
    guard(|| {
        let text = Payload::from_python(payload, None)?;
        cardseal::fingerprint(&lossy(path), text.as_str()).map_err(|error| envelope_error(path.py(), &error))
    })
}

/// The canonical form of a payload, of which fingerprints and dedupe keys are taken.
///
/// ``payload`` is JSON text, or what ``Envelope.seal`` takes. Members stand in the byte order of their names, numbers as
/// they were written, without ``request_timestamp`` at the root.
///
/// Raises EnvelopeError with ``invalid_payload``.
///
/// >>> from cardseal import canonical_json
/// >>> canonical_json('{ "b": 1.0, "a": "\\u00e9", "request_timestamp": 5 }')
/// '{"a":"é","b":1.0}'
#[pyfunction]
pub(crate) fn canonical_json(payload: &Bound<'_, PyAny>) -> PyResult<String> {
    guard(|| {
        let text = Payload::from_python(payload, None)?;
        cardseal::canonical_json(text.as_str()).map_err(|error| envelope_error(payload.py(), &error))
    })
}

/// Whether to try again after a failed attempt, and how.
///
/// ``kind`` is ``endpoint_kind(path)``; ``failure_class`` that of the error (``"transient"`` for a time-out or a lost
/// connection), ``code`` its code; ``sent`` whether a byte left: ``"no"``, ``"yes"`` or ``"unknown"``; ``has_key`` whether
/// the request had an idempotency key; ``attempt`` how many there have been, this one included.
///
/// Returns ``"retry_now"``, ``"retry_after_backoff"``, ``"stop"`` or ``"outcome_unknown"``. Each retry is sealed anew, with
/// the same idempotency key. After ``outcome_unknown`` the call may have been carried out: ask before you repeat it.
///
/// Raises EnvelopeError with ``invalid_option``.
///
/// >>> from cardseal import should_retry
/// >>> should_retry("keyed", "transient", sent="unknown", has_key=True)
/// 'retry_after_backoff'
/// >>> should_retry("unsafe", "transient", sent="unknown")
/// 'outcome_unknown'
#[pyfunction]
#[pyo3(
    signature = (kind, failure_class, *, code = None, sent = None, has_key = false, attempt = None),
    text_signature = "(kind, failure_class, *, code=None, sent='unknown', has_key=False, attempt=1)"
)]
pub(crate) fn should_retry(
    kind: &Bound<'_, PyString>,
    failure_class: &Bound<'_, PyString>,
    code: Option<&Bound<'_, PyString>>,
    sent: Option<&Bound<'_, PyString>>,
    has_key: bool,
    attempt: Option<&Bound<'_, PyAny>>,
) -> PyResult<&'static str> {
    guard(|| {
        let code = code.map(lossy);
        let failed = Attempt {
            kind: named(kind)?,
            class: named(failure_class)?,
            code: code.as_deref(),
            sent: sent.map_or(Ok(Sent::Unknown), named)?,
            has_key,
            attempt: attempt.map_or(Ok(1), |attempt| option(attempt, "attempt", 0..=u64::from(u32::MAX)))? as u32,
        };
        Ok(cardseal::should_retry(&failed).as_str())
    })
}

fn named<T: FromStr<Err = cardseal::Error>>(name: &Bound<'_, PyString>) -> PyResult<T> {
    lossy(name).parse().map_err(|error| envelope_error(name.py(), &error))
}

/// Whether a status model allows a step; ``OrderStatus`` and its like call it.
#[pyfunction]
pub(crate) fn can_become(
    model: &Bound<'_, PyString>,
    status: &Bound<'_, PyString>,
    next: &Bound<'_, PyString>,
) -> PyResult<bool> {
    guard(|| {
        let (status, next) = (&*lossy(status), &*lossy(next));
        match &*lossy(model) {
            "OrderStatus" => Ok(OrderStatus::from(status).can_become(&next.into())),
            "CardIssueStatus" => Ok(CardIssueStatus::from(status).can_become(&next.into())),
            "CardTopupStatus" => Ok(CardTopupStatus::from(status).can_become(&next.into())),
            _ => Err(PyTypeError::new_err("there is no such status model")),
        }
    })
}

/// Whether a status model has an end at a status; ``OrderStatus`` and its like call it.
#[pyfunction]
pub(crate) fn is_terminal(model: &Bound<'_, PyString>, status: &Bound<'_, PyString>) -> PyResult<bool> {
    guard(|| {
        let status = &*lossy(status);
        match &*lossy(model) {
            "OrderStatus" => Ok(OrderStatus::from(status).is_terminal()),
            "CardIssueStatus" => Ok(CardIssueStatus::from(status).is_terminal()),
            "CardTopupStatus" => Ok(CardTopupStatus::from(status).is_terminal()),
            _ => Err(PyTypeError::new_err("there is no such status model")),
        }
    })
}

/// The core's tables and numbers.
pub(crate) fn add_constants(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", cardseal::VERSION)?;
    module.add("REPLAY_TTL_MS", cardseal::REPLAY_TTL_MILLIS)?;
    module.add("RETRY_ATTEMPTS", cardseal::RETRY_ATTEMPTS)?;
    module.add("WEBHOOK_LEASE_MILLIS", cardseal::WEBHOOK_LEASE_MILLIS)?;
    module.add("WEBHOOK_TTL_MILLIS", cardseal::WEBHOOK_TTL_MILLIS)?;
    module.add("IDEMPOTENCY_LEASE_MILLIS", cardseal::IDEMPOTENCY_LEASE_MILLIS)?;
    module.add("IDEMPOTENCY_TTL_MILLIS", cardseal::IDEMPOTENCY_TTL_MILLIS)?;
    module.add("IDEMPOTENCY_MAX_RECORDS", cardseal::IDEMPOTENCY_MAX_RECORDS)?;
    module.add("IDEMPOTENCY_SCRIPT", cardseal::IDEMPOTENCY_SCRIPT)?;
    module.add("CLOCK_CORRECTION_MAX_MILLIS", cardseal::CLOCK_CORRECTION_MAX_MILLIS)?;
    module.add("CLOCK_CORRECTION_PAUSE_MILLIS", cardseal::CLOCK_CORRECTION_PAUSE_MILLIS)?;
    module.add("RETRY_DEADLINE_MILLIS", cardseal::RETRY_DEADLINE_MILLIS)?;
    module.add("DEFAULT_MAX_BYTES", cardseal::DEFAULT_MAX_BYTES)?;

    let codes = PyDict::new(py);
    for code in ErrorCode::ALL {
        codes.set_item(code.as_str(), code.meaning())?;
    }
    module.add("ERROR_CODES", PyMappingProxy::new(py, codes.as_mapping()))?;
    let slugs = PyDict::new(py);
    for known in cardseal::ERROR_SLUGS {
        slugs.set_item(known.slug, known.status)?;
    }
    module.add("ERROR_SLUGS", PyMappingProxy::new(py, slugs.as_mapping()))?;
    let endpoints = PyDict::new(py);
    for endpoint in cardseal::ENDPOINTS {
        endpoints.set_item(endpoint.path, endpoint.kind.as_str())?;
    }
    module.add("ENDPOINTS", PyMappingProxy::new(py, endpoints.as_mapping()))?;
    Ok(())
}
