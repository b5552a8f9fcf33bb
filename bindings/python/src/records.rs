//! What became of a request whose idempotency key comes again: records in memory, and the checks of a store elsewhere.

use std::sync::{Mutex, PoisonError};

use cardseal::{ErrorCode, IdempotencyToken, RecordKey, RecordedAnswer, Timestamp};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::errors::{envelope_error, error_of, guard};
use crate::text::{copied, lossy, option};

/// What a request finds that begins under its idempotency key.
///
/// ``begin`` and ``take_over`` of a store give it. ``state`` says what to do:
///
/// * ``new``: carry the request out, then ``complete`` it with ``token``;
/// * ``replay``: answer with ``status`` and ``body``, or better with the order as it is now;
/// * ``in_progress``: a sealed ``internal_error``, status 503, so that the client waits and comes again;
/// * ``conflict``: a sealed ``invalid_request``, status 400, since the key was used for something else;
/// * ``outcome_unknown``: look into your own books, then ``take_over`` and ``complete``; else as ``in_progress``.
///
/// >>> from cardseal import Begun
/// >>> Begun("replay", status=200, body=b'{"order_id":"o-1"}')
/// Begun(state='replay', status=200, body_bytes=18)
#[pyclass(frozen, module = "cardseal")]
pub(crate) struct Begun {
    core: cardseal::Begun,
}

#[pymethods]
impl Begun {
    #[new]
    #[pyo3(signature = (state, *, token = None, status = None, body = None))]
    fn new(
        state: &Bound<'_, PyString>,
        token: Option<&Bound<'_, PyString>>,
        status: Option<&Bound<'_, PyAny>>,
        body: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let core = match (&*lossy(state), token, status, body) {
            ("new", Some(token), None, None) => cardseal::Begun::New(parsed(token)?),
            ("replay", None, Some(status), Some(body)) => cardseal::Begun::Replay(recorded(status, body)?),
            ("in_progress", None, None, None) => cardseal::Begun::InProgress,
            ("conflict", None, None, None) => cardseal::Begun::Conflict,
            ("outcome_unknown", None, None, None) => cardseal::Begun::OutcomeUnknown,
            _ => {
                let message = "it is `new` with a token, `replay` with status and body, `in_progress`, `conflict` or \
                               `outcome_unknown`";
                return Err(error_of(state.py(), ErrorCode::InvalidOption, message.to_owned()));
            }
        };
        Ok(Self { core })
    }

    /// ``new``, ``replay``, ``in_progress``, ``conflict`` or ``outcome_unknown``.
    #[getter]
    const fn state(&self) -> &'static str {
        self.core.as_str()
    }

    /// What ``complete`` and ``give_back`` take, if it is ``new``; else None.
    #[getter]
    fn token(&self) -> Option<String> {
        if let cardseal::Begun::New(token) = &self.core { Some(token.to_string()) } else { None }
    }

    /// The HTTP status of the first answer, if it is ``replay``; else None.
    #[getter]
    const fn status(&self) -> Option<u16> {
        if let cardseal::Begun::Replay(answer) = &self.core { Some(answer.status) } else { None }
    }

    /// The body of the first answer, if it is ``replay``; else None.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        if let cardseal::Begun::Replay(answer) = &self.core { Some(PyBytes::new(py, &answer.body)) } else { None }
    }

    fn __repr__(&self) -> String {
        let state = self.state();
        match &self.core {
            cardseal::Begun::New(token) => format!("Begun(state='{state}', token='{token}')"),
            cardseal::Begun::Replay(RecordedAnswer { status, body }) => {
                format!("Begun(state='{state}', status={status}, body_bytes={})", body.len())
            }
            _ => format!("Begun(state='{state}')"),
        }
    }
}

/// Idempotency records in memory, bounded, for one process that may forget them; safe to share by threads.
///
/// A record is forgotten seven days after its last change. Full of ``max_records`` that are not, it raises EnvelopeError
/// with ``replay_store_unavailable`` for another one. Where the charge is a row in a database, its record belongs into
/// the same transaction instead.
///
/// >>> from cardseal import MemoryIdempotencyStore, fingerprint
/// >>> records, print_ = MemoryIdempotencyStore(), fingerprint("/cards/topup", {"card_id": "card_abc123"})
/// >>> begun = records.begin("key_1", "topup-invoice-42", print_)
/// >>> begun.state, records.begin("key_1", "topup-invoice-42", print_).state
/// ('new', 'in_progress')
/// >>> records.complete(begun.token, 200, '{"order_id":"o-1"}')
/// True
/// >>> records.begin("key_1", "topup-invoice-42", print_).body
/// b'{"order_id":"o-1"}'
#[pyclass(frozen, module = "cardseal")]
pub(crate) struct MemoryIdempotencyStore {
    core: Mutex<cardseal::MemoryIdempotencyStore>,
}

#[pymethods]
impl MemoryIdempotencyStore {
    #[new]
    #[pyo3(signature = (max_records = None), text_signature = "(max_records=65536)")]
    fn new(max_records: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let max_records = match max_records {
            Some(max_records) => option(max_records, "max_records", 0..=u64::from(u32::MAX))? as usize,
            None => cardseal::MemoryIdempotencyStore::DEFAULT_MAX_RECORDS,
        };
        Ok(Self { core: Mutex::new(cardseal::MemoryIdempotencyStore::with_max_records(max_records)) })
    }

    /// Begins a request, or says what is known of it.
    ///
    /// ``fingerprint`` is that of path and payload; ``lease_ms`` how long the request counts as being carried out, from 1
    /// millisecond to a day. ``now_ms`` is the clock in milliseconds since 1970, the system's unless given.
    ///
    /// Raises EnvelopeError with ``invalid_api_key``, ``invalid_idempotency_key``, ``invalid_option``,
    /// ``replay_store_unavailable`` when it is full: nothing may be carried out then.
    #[pyo3(
        signature = (api_key, idempotency_key, fingerprint, *, lease_ms = None, now_ms = None),
        text_signature = "($self, api_key, idempotency_key, fingerprint, *, lease_ms=60000, now_ms=None)"
    )]
    fn begin(
        &self,
        api_key: &Bound<'_, PyString>,
        idempotency_key: &Bound<'_, PyString>,
        fingerprint: &Bound<'_, PyString>,
        lease_ms: Option<&Bound<'_, PyAny>>,
        now_ms: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Begun> {
        let step = cardseal::MemoryIdempotencyStore::begin;
        self.step(step, api_key, idempotency_key, fingerprint, lease_ms, now_ms)
    }

    /// Begins a request also where a lease ended without an answer: for who has looked at what was left.
    ///
    /// It takes and raises what ``begin`` does.
    #[pyo3(
        signature = (api_key, idempotency_key, fingerprint, *, lease_ms = None, now_ms = None),
        text_signature = "($self, api_key, idempotency_key, fingerprint, *, lease_ms=60000, now_ms=None)"
    )]
    fn take_over(
        &self,
        api_key: &Bound<'_, PyString>,
        idempotency_key: &Bound<'_, PyString>,
        fingerprint: &Bound<'_, PyString>,
        lease_ms: Option<&Bound<'_, PyAny>>,
        now_ms: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Begun> {
        let step = cardseal::MemoryIdempotencyStore::take_over;
        self.step(step, api_key, idempotency_key, fingerprint, lease_ms, now_ms)
    }

    /// Stores the answer; False if the token is not the record's any more, or another answer is there already.
    ///
    /// ``status`` is from 100 to 599, ``body`` text or bytes.
    ///
    /// Raises EnvelopeError with ``invalid_option``.
    #[pyo3(signature = (token, status, body, *, now_ms = None))]
    fn complete(
        &self,
        token: &Bound<'_, PyString>,
        status: &Bound<'_, PyAny>,
        body: &Bound<'_, PyAny>,
        now_ms: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        guard(|| {
            let (token, answer, now_millis) = (parsed(token)?, recorded(status, body)?, now(body.py(), now_ms)?);
            Ok(self.lock().complete(&token, answer, now_millis))
        })
    }

    /// Says that nothing was done, so that the request can begin again; False as with ``complete``.
    ///
    /// Raises EnvelopeError with ``invalid_option``.
    #[pyo3(signature = (token, *, now_ms = None))]
    fn give_back(&self, token: &Bound<'_, PyString>, now_ms: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        guard(|| {
            let (parsed, now_millis) = (parsed(token)?, now(token.py(), now_ms)?);
            Ok(self.lock().give_back(&parsed, now_millis))
        })
    }

    fn __len__(&self) -> usize {
        self.lock().len()
    }

    fn __bool__(&self) -> bool {
        true // an empty store is one all the same
    }

    fn __repr__(&self) -> String {
        format!("MemoryIdempotencyStore(records={})", self.__len__())
    }
}

type Step = fn(&mut cardseal::MemoryIdempotencyStore, &RecordKey, &str, u64, u64) -> cardseal::Result<cardseal::Begun>;

impl MemoryIdempotencyStore {
    fn step(
        &self,
        step: Step,
        api_key: &Bound<'_, PyString>,
        idempotency_key: &Bound<'_, PyString>,
        fingerprint: &Bound<'_, PyString>,
        lease_ms: Option<&Bound<'_, PyAny>>,
        now_ms: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Begun> {
        let py = api_key.py();
        guard(|| {
            let key = RecordKey::of(&lossy(api_key), &lossy(idempotency_key));
            let key = key.map_err(|error| envelope_error(py, &error))?;
            let lease_millis = match lease_ms {
                Some(millis) => option(millis, "lease_ms", 0..=u64::MAX)?,
                None => cardseal::IDEMPOTENCY_LEASE_MILLIS,
            };
            let now_millis = now(py, now_ms)?;
            let begun = step(&mut self.lock(), &key, &lossy(fingerprint), lease_millis, now_millis);
            begun.map(|core| Begun { core }).map_err(|error| envelope_error(py, &error))
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, cardseal::MemoryIdempotencyStore> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses a fingerprint or a lease that no store takes.
///
/// Raises EnvelopeError with ``invalid_option``.
#[pyfunction]
pub(crate) fn check_record(fingerprint: &Bound<'_, PyString>, lease_ms: &Bound<'_, PyAny>) -> PyResult<()> {
    guard(|| {
        let lease_millis = option(lease_ms, "lease_ms", 0..=u64::MAX)?;
        cardseal::check_record(&lossy(fingerprint), lease_millis)
            .map_err(|error| envelope_error(fingerprint.py(), &error))
    })
}

/// The record's key and the number that a token is made of.
///
/// Raises EnvelopeError with ``invalid_option``.
#[pyfunction]
pub(crate) fn token_parts(token: &Bound<'_, PyString>) -> PyResult<(String, u64)> {
    guard(|| parsed(token).map(|IdempotencyToken { key, number }| (key.as_str().to_owned(), number)))
}

/// The bytes of an answer's body, if a store takes such an answer.
///
/// Raises EnvelopeError with ``invalid_option``.
#[pyfunction]
pub(crate) fn recorded_body<'py>(
    status: &Bound<'py, PyAny>,
    body: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    guard(|| Ok(PyBytes::new(body.py(), &recorded(status, body)?.body)))
}

fn parsed(token: &Bound<'_, PyString>) -> PyResult<IdempotencyToken> {
    lossy(token).parse().map_err(|error| envelope_error(token.py(), &error))
}

fn recorded(status: &Bound<'_, PyAny>, body: &Bound<'_, PyAny>) -> PyResult<RecordedAnswer> {
    let py = body.py();
    let bytes = match body.cast::<PyString>() {
        Ok(text) => text.to_str().map(|text| text.as_bytes().to_vec()).map_err(|_| {
            let message = "the body holds half of a surrogate pair: hand in JSON text, or bytes";
            error_of(py, ErrorCode::InvalidOption, message.to_owned())
        })?,
        Err(_) => copied(body, "`body` has to be a str or bytes")?,
    };
    // What has no room in 16 bits is out of the core's range as well, like the 0 that it becomes.
    let status = u16::try_from(option(status, "status", 0..=u64::MAX)?).unwrap_or(0);
    RecordedAnswer::new(status, bytes).map_err(|error| envelope_error(py, &error))
}

fn now(py: Python<'_>, now_ms: Option<&Bound<'_, PyAny>>) -> PyResult<u64> {
    match now_ms {
        Some(millis) => option(millis, "now_ms", 0..=Timestamp::MAX.as_micros()),
        None => Timestamp::wall_clock().map(|now| now.as_micros() / 1_000).map_err(|error| envelope_error(py, &error)),
    }
}
