//! Has this request been seen? Keys to claim, and a store in memory.

use std::sync::{Mutex, PoisonError};

use cardseal::{ErrorCode, ReplayStore, Timestamp};
use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString};

use crate::errors::{envelope_error, guard, is_envelope_error};
use crate::results::{ReplayKeys, Request};
use crate::text::{lossy, option};

/// The keys of an opened request, to be claimed in a replay store.
///
/// ``api_key`` is the API-KEY header's value, ``path`` the path or URL that was called.
///
/// Raises EnvelopeError with ``invalid_api_key``, ``invalid_path``.
///
/// >>> from cardseal import Envelope, replay_keys
/// >>> envelope = Envelope("your_api_secret_key_here")
/// >>> request = envelope.open_request(envelope.seal({"card_id": "card_abc123"}))
/// >>> [len(key) for key in replay_keys("key_1", "/cards/get", request)]
/// [64, 64]
#[pyfunction]
pub(crate) fn replay_keys(
    api_key: &Bound<'_, PyString>,
    path: &Bound<'_, PyString>,
    request: &Bound<'_, Request>,
) -> PyResult<ReplayKeys> {
    guard(|| {
        let Request { timestamp, nonce, .. } = request.get();
        cardseal::ReplayKeys::of(&lossy(api_key), &lossy(path), *timestamp, nonce)
            .map(|core| ReplayKeys { core })
            .map_err(|error| envelope_error(request.py(), &error))
    })
}

/// Claims both keys in a store whose ``claim`` is no coroutine; returns only if both were fresh.
///
/// ``store`` is any object with ``claim(key: str, ttl_ms: int) -> bool``, true meaning that nobody had the key. For one
/// whose ``claim`` is a coroutine, await both claims yourself.
///
/// Raises EnvelopeError with ``replay_store_unavailable`` if either claim raised, else ``duplicate_request`` if either key
/// was known.
///
/// >>> from cardseal import Envelope, EnvelopeError, MemoryReplayStore, claim_request, replay_keys
/// >>> envelope, store = Envelope("your_api_secret_key_here"), MemoryReplayStore()
/// >>> keys = replay_keys("key_1", "/cards/get", envelope.open_request(envelope.seal({"card_id": "card_abc123"})))
/// >>> claim_request(store, keys)
/// >>> try:
/// ...     claim_request(store, keys)
/// ... except EnvelopeError as error:
/// ...     print(error.code)
/// duplicate_request
#[pyfunction]
pub(crate) fn claim_request(store: &Bound<'_, PyAny>, keys: &Bound<'_, ReplayKeys>) -> PyResult<()> {
    let py = store.py();
    guard(|| {
        let now = Timestamp::wall_clock().map_err(|error| envelope_error(py, &error))?;
        let mut store = PythonStore { store, raised: None };
        let outcome = cardseal::claim_request(&mut store, &keys.get().core, now);
        let raised = store.raised;
        outcome.map_err(|error| match raised {
            // What is no ordinary failure of the store is the caller's to see: an interrupt, a wrong kind of store.
            Some(raised) if is_envelope_error(py, &raised) || !is_failure(py, &raised) => raised,
            raised => {
                let unavailable = envelope_error(py, &error);
                unavailable.set_cause(py, raised);
                unavailable
            }
        })
    })
}

fn is_failure(py: Python<'_>, raised: &PyErr) -> bool {
    raised.is_instance_of::<PyException>(py) && !raised.is_instance_of::<PyTypeError>(py)
}

/// Any object with `claim`, as the core's store.
struct PythonStore<'a, 'py> {
    store: &'a Bound<'py, PyAny>,
    /// What the first claim that failed raised.
    raised: Option<PyErr>,
}

impl PythonStore<'_, '_> {
    fn call(&self, key: &str, ttl_millis: u64) -> PyResult<bool> {
        let fresh = self.store.call_method1("claim", (key, ttl_millis))?;
        match fresh.cast::<PyBool>() {
            Ok(fresh) => Ok(fresh.is_true()),
            Err(_) => {
                let _ = fresh.call_method0("close"); // a coroutine that nobody awaits would warn
                Err(PyTypeError::new_err("`claim` has to return a bool: await an asynchronous store's claims yourself"))
            }
        }
    }
}

impl ReplayStore for PythonStore<'_, '_> {
    fn claim(&mut self, key: &str, ttl_millis: u64, _now_millis: u64) -> cardseal::Result<bool> {
        let py = self.store.py();
        let interrupted = self.raised.as_ref().is_some_and(|raised| !is_failure(py, raised));
        let answer = if interrupted { None } else { Some(self.call(key, ttl_millis)) };
        match answer {
            Some(Ok(fresh)) => Ok(fresh),
            failed => {
                if let (Some(Err(raised)), None) = (failed, &self.raised) {
                    self.raised = Some(raised);
                }
                let message = "the replay store does not answer: refuse the request, and look at the cause";
                Err(cardseal::Error::new(ErrorCode::ReplayStoreUnavailable, message))
            }
        }
    }
}

/// A replay store in memory, bounded, for one process; safe to share by threads.
///
/// It never forgets a key before its time: full of ``max_keys`` live keys (two a request) it raises EnvelopeError with
/// ``replay_store_unavailable``.
///
/// >>> from cardseal import REPLAY_TTL_MS, MemoryReplayStore
/// >>> store = MemoryReplayStore()
/// >>> store.claim("a key", REPLAY_TTL_MS), store.claim("a key", REPLAY_TTL_MS), len(store)
/// (True, False, 1)
#[pyclass(frozen, module = "cardseal")]
pub(crate) struct MemoryReplayStore {
    core: Mutex<cardseal::MemoryReplayStore>,
}

#[pymethods]
impl MemoryReplayStore {
    #[new]
    #[pyo3(signature = (max_keys = None), text_signature = "(max_keys=1048576)")]
    fn new(max_keys: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let max_keys = match max_keys {
            Some(max_keys) => option(max_keys, "max_keys", 0..=u64::from(u32::MAX))? as usize,
            None => cardseal::MemoryReplayStore::DEFAULT_MAX_KEYS,
        };
        Ok(Self { core: Mutex::new(cardseal::MemoryReplayStore::with_max_keys(max_keys)) })
    }

    /// Claims a key for ``ttl_ms`` milliseconds; True means that nobody had it.
    ///
    /// ``now_ms`` is the clock in milliseconds since 1970, the system's unless given.
    ///
    /// Raises EnvelopeError with ``replay_store_unavailable`` when it is full.
    ///
    /// >>> from cardseal import MemoryReplayStore
    /// >>> store = MemoryReplayStore()
    /// >>> store.claim("a key", 70_000, now_ms=1_700_000_000_000)
    /// True
    /// >>> store.claim("a key", 70_000, now_ms=1_700_000_070_000)
    /// True
    #[pyo3(signature = (key, ttl_ms, *, now_ms = None))]
    fn claim(
        &self,
        key: &Bound<'_, PyString>,
        ttl_ms: &Bound<'_, PyAny>,
        now_ms: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let py = key.py();
        guard(|| {
            let ttl_millis = option(ttl_ms, "ttl_ms", 0..=Timestamp::MAX.as_micros())?;
            let now_millis = match now_ms {
                Some(millis) => option(millis, "now_ms", 0..=Timestamp::MAX.as_micros())?,
                None => Timestamp::wall_clock().map_err(|error| envelope_error(py, &error))?.as_micros() / 1_000,
            };
            let mut store = self.core.lock().unwrap_or_else(PoisonError::into_inner);
            let claimed = store.claim(&lossy(key), ttl_millis, now_millis);
            drop(store);
            claimed.map_err(|error| envelope_error(py, &error))
        })
    }

    fn __len__(&self) -> usize {
        self.core.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn __bool__(&self) -> bool {
        true // an empty store is one all the same
    }

    fn __repr__(&self) -> String {
        format!("MemoryReplayStore(keys={})", self.__len__())
    }
}
