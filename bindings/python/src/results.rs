//! What the calls give back: small, immutable, and silent about what they hold.

use cardseal::{IdempotencyKey, Timestamp};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

/// A request that a server has opened: every rule holds but that nobody has claimed it yet.
///
/// ``Envelope.open_request`` makes it; ``replay_keys`` gives what to claim.
///
/// >>> from cardseal import Envelope
/// >>> envelope = Envelope("your_api_secret_key_here")
/// >>> request = envelope.open_request(envelope.seal({"card_id": "card_abc123"}))
/// >>> request.payload["card_id"], request.key_index
/// ('card_abc123', 0)
#[pyclass(frozen, module = "cardseal")]
pub(crate) struct Request {
    /// The JSON object that the request holds, ``request_timestamp`` included.
    #[pyo3(get)]
    pub(crate) payload: Py<PyAny>,
    pub(crate) timestamp: Timestamp,
    pub(crate) nonce: [u8; 24],
    /// Which secret opened it: 0 for the one that seals, 1 and up for ``open_secrets``.
    #[pyo3(get)]
    pub(crate) key_index: usize,
}

#[pymethods]
impl Request {
    /// Its ``request_timestamp``, in microseconds since 1970.
    #[getter]
    fn timestamp_micros(&self) -> u64 {
        self.timestamp.as_micros()
    }

    /// The 24 bytes of the nonce it was sealed with.
    #[getter]
    fn nonce<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.nonce)
    }

    fn __repr__(&self) -> String {
        format!("Request(timestamp_micros={}, key_index={})", self.timestamp, self.key_index)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.payload)
    }
}

/// A request ready to be sent once: POST ``body`` with ``headers`` to ``path``.
///
/// ``Envelope.seal_request`` makes it. A retry is another one: same idempotency key, everything else anew.
///
/// >>> from cardseal import Envelope
/// >>> envelope = Envelope("your_api_secret_key_here")
/// >>> request = envelope.seal_request("/cards/get", {"card_id": "card_abc123"}, api_key="key_1")
/// >>> request.path, request.headers
/// ('/api/v1/cards/get', {'API-KEY': 'key_1', 'Content-Type': 'application/json'})
#[pyclass(frozen, module = "cardseal")]
pub(crate) struct SealedRequest {
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The HTTP body, text of ASCII characters alone.
    #[pyo3(get)]
    pub(crate) body: Py<PyString>,
    /// The normalised path, from ``/api/v1`` on.
    #[pyo3(get)]
    pub(crate) path: String,
    pub(crate) timestamp: Timestamp,
    pub(crate) nonce: [u8; 24],
    pub(crate) idempotency_key: Option<IdempotencyKey>,
}

#[pymethods]
impl SealedRequest {
    /// ``API-KEY``, ``Content-Type`` and, where there is one, ``Idempotency-Key``: a new dict each time.
    #[getter]
    fn headers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let headers = PyDict::new(py);
        for (name, value) in &self.headers {
            headers.set_item(name, value)?;
        }
        Ok(headers)
    }

    /// The ``request_timestamp`` inside, in microseconds since 1970.
    #[getter]
    fn timestamp_micros(&self) -> u64 {
        self.timestamp.as_micros()
    }

    /// The 24 bytes of the nonce in front of the ciphertext.
    #[getter]
    fn nonce<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.nonce)
    }

    /// The idempotency key in the headers, or None.
    #[getter]
    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_ref().map(IdempotencyKey::as_str)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let path = self.path.as_str().into_pyobject(py)?.repr()?;
        let key = self.idempotency_key().into_pyobject(py)?.repr()?;
        let body_bytes = self.body.bind(py).len()?;
        Ok(format!("SealedRequest(path={path}, idempotency_key={key}, body_bytes={body_bytes})"))
    }
}

/// A webhook that has been opened.
///
/// ``Envelope.open_webhook`` makes it. Delivery is at least once: remember ``dedupe_key``, and answer a repeat with
/// HTTP 200 and ``{"success": true}`` as well.
///
/// >>> from cardseal import Envelope
/// >>> envelope = Envelope("your_api_secret_key_here")
/// >>> webhook = envelope.open_webhook(envelope.seal_webhook({"type": "card.activated", "delivery_id": "d-1"}))
/// >>> webhook.type, webhook.dedupe_key
/// ('card.activated', 'id:d-1')
#[pyclass(frozen, module = "cardseal")]
pub(crate) struct Webhook {
    /// The JSON object that the webhook holds.
    #[pyo3(get)]
    pub(crate) payload: Py<PyAny>,
    /// ``type`` of the payload, or ``event_type``: whichever is a string, in this order; else None.
    #[pyo3(get)]
    pub(crate) r#type: Option<String>,
    /// ``timestamp`` of the payload, whatever value that is; None without one.
    #[pyo3(get)]
    pub(crate) timestamp: Option<Py<PyAny>>,
    /// ``delivery_id`` of the payload, if it is a string and not empty; else None.
    #[pyo3(get)]
    pub(crate) delivery_id: Option<String>,
    /// The key to tell repeats by: ``id:`` and the delivery id, else ``sha256:`` and the digest of the canonical payload.
    #[pyo3(get)]
    pub(crate) dedupe_key: String,
    /// Which secret opened it: 0 for the one that seals, 1 and up for ``open_secrets``.
    #[pyo3(get)]
    pub(crate) key_index: usize,
}

#[pymethods]
impl Webhook {
    fn __repr__(&self) -> String {
        format!("Webhook(key_index={})", self.key_index)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.payload)?;
        visit.call(&self.timestamp)
    }
}

/// The two keys of a request that a server claims, in this order: ``timestamp``, then ``nonce``.
///
/// ``replay_keys`` makes them; iterating gives both. Claim both, whatever the first says: a request is fresh only if
/// neither was known.
///
/// >>> from cardseal import Envelope, MemoryReplayStore, REPLAY_TTL_MS, replay_keys
/// >>> envelope, store = Envelope("your_api_secret_key_here"), MemoryReplayStore()
/// >>> request = envelope.open_request(envelope.seal({"card_id": "card_abc123"}))
/// >>> keys = replay_keys("key_1", "/cards/get", request)
/// >>> all([store.claim(key, REPLAY_TTL_MS) for key in keys])
/// True
/// >>> all([store.claim(key, REPLAY_TTL_MS) for key in keys])
/// False
#[pyclass(frozen, module = "cardseal", eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ReplayKeys {
    pub(crate) core: cardseal::ReplayKeys,
}

#[pymethods]
impl ReplayKeys {
    /// Hexadecimal SHA-256 of API key, path and timestamp.
    #[getter]
    fn timestamp(&self) -> &str {
        &self.core.timestamp
    }

    /// Hexadecimal SHA-256 of API key and nonce.
    #[getter]
    fn nonce(&self) -> &str {
        &self.core.nonce
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyTuple::new(py, [self.timestamp(), self.nonce()])?.try_iter()?.into_any())
    }

    fn __len__(&self) -> usize {
        2
    }

    fn __repr__(&self) -> String {
        format!("ReplayKeys(timestamp='{}', nonce='{}')", self.timestamp(), self.nonce())
    }
}
