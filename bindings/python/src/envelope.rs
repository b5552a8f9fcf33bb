//! The class that everybody uses.

use std::borrow::Cow;
use std::str::FromStr as _;

use cardseal::binding::{self, Encrypted, JsonText, RequestHead, Wiped};
use cardseal::{DEFAULT_MAX_BYTES, Layout, RequestOptions, ResponseError, Timestamp, Window};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyType};

use crate::ascii::ascii_text;
use crate::body::SealedBody;
use crate::errors::{envelope_error, guard, response_error};
use crate::objects::Objects;
use crate::payload::Payload;
use crate::results::{Request, SealedRequest, Webhook};
use crate::text::{copied, lossy, option, secret, utf8};
use crate::threads::detached;

/// Holds an API secret; seals and opens with it. Make one and keep it: it is immutable and safe to share by threads.
///
/// ``secret`` is the API secret, at least 8 bytes of UTF-8. ``layout`` is ``"versioned"`` or ``"bare"``, ``open_secrets``
/// up to four older secrets that only open (for the days of a rotation), ``max_bytes`` the largest HTTP body in either
/// direction, in bytes.
///
/// Raises EnvelopeError with ``invalid_key``, ``invalid_option``.
///
/// >>> from cardseal import Envelope
/// >>> envelope = Envelope("your_api_secret_key_here")
/// >>> body = envelope.seal({"card_id": "card_abc123", "amount": "10.00"})
/// >>> envelope.open(body)["amount"]
/// '10.00'
/// >>> Envelope("the_new_secret", open_secrets=["your_api_secret_key_here"]).open(body)["card_id"]
/// 'card_abc123'
#[pyclass(frozen, module = "cardseal")]
pub(crate) struct Envelope {
    pub(crate) core: cardseal::Envelope,
    open_secrets: usize,
}

#[pymethods]
impl Envelope {
    #[new]
    #[pyo3(
        signature = (secret, *, layout = None, open_secrets = None, max_bytes = None),
        text_signature = "(secret, *, layout='versioned', open_secrets=(), max_bytes=10485760)"
    )]
    fn new(
        secret: &Bound<'_, PyString>,
        layout: Option<&Bound<'_, PyString>>,
        open_secrets: Option<&Bound<'_, PyAny>>,
        max_bytes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut builder = cardseal::Envelope::builder().secret(self::secret(secret)?);
        let mut count = 0;
        for older in several(open_secrets, "open_secrets")? {
            builder = builder.open_secret(self::secret(older.cast()?)?);
            count += 1;
        }
        Self::build(secret.py(), builder, count, layout, max_bytes)
    }

    /// An envelope for a raw key of 32 bytes, which is used as it is; ``open_keys`` are up to four older ones.
    ///
    /// Raises EnvelopeError with ``invalid_key``, ``invalid_option``.
    ///
    /// >>> import hashlib
    /// >>> from cardseal import Envelope
    /// >>> envelope = Envelope.from_key(hashlib.sha256(b"your_api_secret_key_here").digest())
    /// >>> envelope.open(Envelope("your_api_secret_key_here").seal_response([1, 2]))
    /// [1, 2]
    #[classmethod]
    #[pyo3(
        signature = (key, *, layout = None, open_keys = None, max_bytes = None),
        text_signature = "(key, *, layout='versioned', open_keys=(), max_bytes=10485760)"
    )]
    fn from_key(
        class: &Bound<'_, PyType>,
        key: &[u8],
        layout: Option<&Bound<'_, PyString>>,
        open_keys: Option<&Bound<'_, PyAny>>,
        max_bytes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut builder = cardseal::Envelope::builder().key(key);
        let mut count = 0;
        for older in several(open_keys, "open_keys")? {
            builder = builder.open_key(older.extract()?);
            count += 1;
        }
        Self::build(class.py(), builder, count, layout, max_bytes)
    }

    /// ``"versioned"`` or ``"bare"``.
    #[getter]
    fn layout(&self) -> &'static str {
        self.core.layout().as_str()
    }

    /// The largest HTTP body, in bytes, that it seals and opens.
    #[getter]
    fn max_bytes(&self) -> usize {
        self.core.max_bytes()
    }

    /// Seals a request payload, and returns the HTTP body.
    ///
    /// ``payload`` is a mapping, a dataclass, or JSON text (str or bytes, kept to the letter). A ``request_timestamp`` is
    /// added as the first member unless one is there. ``default`` is asked for what JSON does not have, as in json.dumps.
    ///
    /// Raises EnvelopeError with ``invalid_payload``, ``already_sealed``, ``invalid_timestamp``, ``too_large``;
    /// ``clock_unavailable``, ``entropy_unavailable``.
    ///
    /// >>> from decimal import Decimal
    /// >>> from cardseal import Envelope
    /// >>> envelope = Envelope("your_api_secret_key_here")
    /// >>> body = envelope.seal({"card_id": "card_abc123", "amount": Decimal("10.00")}, default=str)
    /// >>> body[:14]
    /// '{"encrypted":"'
    /// >>> sorted(envelope.open(body))
    /// ['amount', 'card_id', 'request_timestamp']
    #[pyo3(signature = (payload, *, default = None))]
    fn seal<'py>(
        &self,
        payload: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyString>> {
        self.sealed(payload, default, binding::seal)
    }

    /// Seals a request payload for a path or URL: headers and body, ready to be sent once.
    ///
    /// ``payload`` and ``default`` are as in ``seal``, but that a ``request_timestamp`` in it gives way to a new one.
    /// ``idempotency_key`` is required on ``/cards/create`` and ``/cards/topup`` and sent wherever it is given; keep it for
    /// retries.
    ///
    /// Raises EnvelopeError with ``invalid_path``, ``invalid_api_key``, ``idempotency_key_required``,
    /// ``invalid_idempotency_key``, ``invalid_payload``, ``already_sealed``, ``too_large``; ``clock_unavailable``,
    /// ``entropy_unavailable``.
    ///
    /// >>> from cardseal import Envelope
    /// >>> envelope = Envelope("your_api_secret_key_here")
    /// >>> request = envelope.seal_request(
    /// ...     "/cards/topup", {"card_id": "card_abc123", "amount": "10.00"}, api_key="key_1", idempotency_key="invoice-42"
    /// ... )
    /// >>> request
    /// SealedRequest(path='/api/v1/cards/topup', idempotency_key='invoice-42', body_bytes=176)
    #[pyo3(signature = (path, payload, *, api_key, idempotency_key = None, default = None))]
    fn seal_request<'py>(
        &self,
        path: &Bound<'py, PyString>,
        payload: &Bound<'py, PyAny>,
        api_key: &Bound<'py, PyString>,
        idempotency_key: Option<&Bound<'py, PyString>>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<SealedRequest> {
        let py = payload.py();
        guard(|| {
            let (path, api_key, key) = (lossy(path), lossy(api_key), idempotency_key.map(lossy));
            let mut options = RequestOptions::new(&api_key);
            if let Some(key) = &key {
                options = options.idempotency_key(key);
            }
            let head = RequestHead::new(&path, &options).map_err(|error| envelope_error(py, &error))?;
            let sealed = Payload::from_python(payload, default)?
                .into_sealed(|json, bytes| detached(py, bytes, || binding::seal_request(&self.core, head, json)));
            let cardseal::SealedRequest { headers, body, path, timestamp, nonce, idempotency_key, .. } =
                sealed.map_err(|error| envelope_error(py, &error))?;
            let body = body_text(py, body)?.unbind();
            Ok(SealedRequest { headers, body, path, timestamp, nonce, idempotency_key })
        })
    }

    /// Seals a response, any JSON value, without a timestamp. Text (str or bytes) is JSON text, never a string value.
    ///
    /// Raises EnvelopeError with ``invalid_payload``, ``already_sealed``, ``too_large``; ``entropy_unavailable``.
    ///
    /// >>> from cardseal import Envelope
    /// >>> envelope = Envelope("your_api_secret_key_here")
    /// >>> envelope.open(envelope.seal_response({"order_id": "o-1", "status": "new"}))
    /// {'order_id': 'o-1', 'status': 'new'}
    #[pyo3(signature = (payload, *, default = None))]
    fn seal_response<'py>(
        &self,
        payload: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyString>> {
        self.sealed(payload, default, binding::seal_response)
    }

    /// Seals a webhook, an object, to which nothing is added.
    ///
    /// Raises EnvelopeError with ``invalid_payload``, ``already_sealed``, ``too_large``; ``entropy_unavailable``.
    ///
    /// >>> from cardseal import Envelope
    /// >>> envelope = Envelope("your_api_secret_key_here")
    /// >>> envelope.open(envelope.seal_webhook({"type": "card.activated", "timestamp": 1700000000}))
    /// {'type': 'card.activated', 'timestamp': 1700000000}
    #[pyo3(signature = (payload, *, default = None))]
    fn seal_webhook<'py>(
        &self,
        payload: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyString>> {
        self.sealed(payload, default, binding::seal_webhook)
    }

    /// Opens a sealed body, and returns its JSON value.
    ///
    /// ``body`` is str, bytes, bytearray, memoryview, or the parsed object with ``encrypted``. No timestamp rule applies: a
    /// server uses ``open_request``. Integers of any size are exact.
    ///
    /// Raises EnvelopeError with ``too_large``, ``invalid_json``, ``envelope_not_found``, ``invalid_envelope``,
    /// ``unsupported_version``, ``decryption_failed``, ``invalid_payload``, in this order.
    ///
    /// >>> from cardseal import Envelope, EnvelopeError
    /// >>> envelope = Envelope("your_api_secret_key_here")
    /// >>> envelope.open(envelope.seal_response([1, 2.5, None]))
    /// [1, 2.5, None]
    /// >>> try:
    /// ...     envelope.open('{"error": "API key not found"}')
    /// ... except EnvelopeError as error:
    /// ...     print(error.code)
    /// envelope_not_found
    fn open<'py>(&self, body: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = body.py();
        guard(|| {
            let (_, payload) = self.opened(py, body, |opened, objects| opened.into_json(objects))?;
            Ok(payload)
        })
    }

    /// Opens a request as a server does: every rule but the replay claims, which are yours to make.
    ///
    /// ``body`` is as in ``open``. ``now_micros`` is the server's clock in microseconds since 1970, the system's unless
    /// given; ``window_seconds``, 1 to 30, is how far the request's clock may be from it.
    ///
    /// Raises EnvelopeError with what ``open`` raises, then ``timestamp_not_found``, ``invalid_timestamp``,
    /// ``timestamp_outside_window`` (which has ``skew_micros``); ``invalid_option``.
    ///
    /// >>> from cardseal import Envelope, EnvelopeError
    /// >>> envelope = Envelope("your_api_secret_key_here")
    /// >>> body = envelope.seal({"request_timestamp": 1700000000000000, "card_id": "card_abc123"})
    /// >>> envelope.open_request(body, now_micros=1700000030000000)
    /// Request(timestamp_micros=1700000000000000, key_index=0)
    /// >>> try:
    /// ...     envelope.open_request(body, now_micros=1700000030000001)
    /// ... except EnvelopeError as error:
    /// ...     print(error.code, error.skew_micros)
    /// timestamp_outside_window -30000001
    #[pyo3(
        signature = (body, *, now_micros = None, window_seconds = None),
        text_signature = "($self, body, *, now_micros=None, window_seconds=30)"
    )]
    fn open_request(
        &self,
        body: &Bound<'_, PyAny>,
        now_micros: Option<&Bound<'_, PyAny>>,
        window_seconds: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Request> {
        let py = body.py();
        guard(|| {
            let window = match window_seconds {
                Some(seconds) => {
                    Window::from_seconds(option(seconds, "window_seconds", 1..=Window::MAX.as_micros() / 1_000_000)?)
                }
                None => Ok(Window::MAX),
            };
            let window = window.map_err(|error| envelope_error(py, &error))?;
            let now = match now_micros {
                Some(micros) => Timestamp::from_micros(option(micros, "now_micros", 0..=Timestamp::MAX.as_micros())?),
                None => Timestamp::wall_clock(),
            };
            let now = now.map_err(|error| envelope_error(py, &error))?;
            let (request, payload) =
                self.opened(py, body, |opened, objects| opened.into_request(now, window, objects))?;
            let cardseal::Request { timestamp, nonce, key_index, .. } = request;
            Ok(Request { payload: payload.unbind(), timestamp, nonce, key_index })
        })
    }

    /// Opens a response: returns the payload of a success, raises what the API answered otherwise.
    ///
    /// ``status`` is the HTTP status, ``body`` as in ``open``. ``request`` is the SealedRequest that it answers, or that
    /// one's body: a response that is the request's own envelope is refused.
    ///
    /// Raises ApiError for whatever the API answers outside 2xx and for a ``success`` of false; EnvelopeError, with
    /// ``status``, for a 2xx answer that is not sealed as it should be, and with ``reflected_response``.
    ///
    /// >>> from cardseal import ApiError, Envelope
    /// >>> envelope = Envelope("your_api_secret_key_here")
    /// >>> try:
    /// ...     envelope.open_response(400, b'{"error": "Duplicate request detected"}')
    /// ... except ApiError as error:
    /// ...     print(error.code, error.failure_class, error.encrypted)
    /// duplicate_request reseal False
    #[pyo3(signature = (status, body, *, request = None))]
    fn open_response<'py>(
        &self,
        status: &Bound<'py, PyAny>,
        body: &Bound<'py, PyAny>,
        request: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = body.py();
        guard(|| {
            let status = option(status, "status", 0..=999)? as u16;
            let sealed_body = request.map(|request| request_body(request)).transpose()?;
            let request = sealed_body.as_ref().map(lossy);
            let body = SealedBody::of_response(body)?;
            let response = detached(py, body.len(), || {
                binding::unseal_response(&self.core, status, body.as_body(), request.as_deref())
            });
            let response = response.map_err(|error| response_error(py, &error, None))?;
            let mut objects = Objects::new(py);
            let outcome = response.into_json(&mut objects);
            let payload = objects.finish()?;
            match outcome {
                Ok(_) => Ok(payload.unwrap_or_else(|| py.None().into_bound(py))),
                // Only what the strict reader has read to its end is anybody's payload.
                Err(error) => {
                    let is_sealed = matches!(&error, ResponseError::Api(error) if error.encrypted);
                    Err(response_error(py, &error, payload.filter(|_| is_sealed)))
                }
            }
        })
    }

    /// Opens a webhook. It has no timestamp rule; anything sealed with the same secret opens as one.
    ///
    /// ``body`` is as in ``open``. Raises EnvelopeError with what ``open`` raises; ``invalid_payload`` also where the payload
    /// is no object.
    ///
    /// >>> from cardseal import Envelope
    /// >>> envelope = Envelope("your_api_secret_key_here")
    /// >>> body = envelope.seal_webhook({"event_type": "card.activated", "delivery_id": "d-1"})
    /// >>> envelope.open_webhook(body)
    /// Webhook(key_index=0)
    fn open_webhook(&self, body: &Bound<'_, PyAny>) -> PyResult<Webhook> {
        let py = body.py();
        guard(|| {
            let (webhook, payload) = self.opened(py, body, |opened, objects| opened.into_webhook(objects))?;
            let timestamp = payload.cast::<PyDict>()?.get_item("timestamp")?.map(Bound::unbind);
            let cardseal::Webhook { event_type, delivery_id, dedupe_key, key_index, .. } = webhook;
            Ok(Webhook { payload: payload.unbind(), r#type: event_type, timestamp, delivery_id, dedupe_key, key_index })
        })
    }

    /// Encrypts a message of any bytes into what goes under ``encrypted``; text becomes UTF-8.
    ///
    /// Raises EnvelopeError with ``invalid_payload`` for text that has no UTF-8 form, ``too_large``;
    /// ``entropy_unavailable``.
    ///
    /// >>> from cardseal import Envelope
    /// >>> envelope = Envelope("your_api_secret_key_here")
    /// >>> envelope.decrypt(envelope.encrypt("any text"))
    /// b'any text'
    fn encrypt<'py>(&self, message: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
        let py = message.py();
        guard(|| {
            let message = bytes_or_text(message)?;
            let encrypted = detached(py, message.len(), || binding::encrypt(&self.core, &message));
            field_text(py, &encrypted.map_err(|error| envelope_error(py, &error))?)
        })
    }

    /// Decrypts what stands under ``encrypted``: whatever bytes were encrypted.
    ///
    /// Raises EnvelopeError with ``too_large``, ``invalid_envelope``, ``unsupported_version``, ``decryption_failed``.
    ///
    /// >>> from cardseal import Envelope
    /// >>> envelope = Envelope("your_api_secret_key_here")
    /// >>> envelope.decrypt(envelope.encrypt(b"any bytes"))
    /// b'any bytes'
    fn decrypt<'py>(&self, field: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
        let py = field.py();
        guard(|| {
            let field = lossy(field);
            let message = detached(py, field.len(), || self.core.decrypt(&field).map(Wiped::new));
            Ok(PyBytes::new(py, &message.map_err(|error| envelope_error(py, &error))?))
        })
    }

    fn __repr__(&self) -> String {
        format!("Envelope(layout='{}', open_secrets={})", self.layout(), self.open_secrets)
    }

    fn __reduce_ex__(&self, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        let message = "an Envelope holds keys and cannot be pickled or copied: make a new one from the secret";
        Err(PyTypeError::new_err(message))
    }
}

impl Envelope {
    fn build(
        py: Python<'_>,
        builder: cardseal::EnvelopeBuilder,
        open_secrets: usize,
        layout: Option<&Bound<'_, PyString>>,
        max_bytes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let max_bytes = match max_bytes {
            Some(max_bytes) => option(max_bytes, "max_bytes", 1..=u64::from(u32::MAX))? as usize,
            None => DEFAULT_MAX_BYTES,
        };
        let layout = layout.map_or(Ok(Layout::default()), |layout| Layout::from_str(&lossy(layout)));
        let layout = layout.map_err(|error| envelope_error(py, &error))?;
        let core = builder.layout(layout).max_bytes(max_bytes).build().map_err(|error| envelope_error(py, &error))?;
        Ok(Self { core, open_secrets })
    }

    /// Turns a payload into text, seals that without the interpreter's lock if it is long, and gives the body.
    fn sealed<'py>(
        &self,
        payload: &Bound<'py, PyAny>,
        default: Option<&Bound<'py, PyAny>>,
        seal: fn(&cardseal::Envelope, JsonText<'_>) -> cardseal::Result<Encrypted>,
    ) -> PyResult<Bound<'py, PyString>> {
        let py = payload.py();
        guard(|| {
            let sealed = Payload::from_python(payload, default)?
                .into_sealed(|json, bytes| detached(py, bytes, || seal(&self.core, json)));
            body_text(py, sealed.map_err(|error| envelope_error(py, &error))?)
        })
    }

    /// Decrypts a body, without the interpreter's lock if it is long, then reads it as `read` says and builds its objects
    /// on the way.
    fn opened<'py, T>(
        &self,
        py: Python<'py>,
        body: &Bound<'py, PyAny>,
        read: impl FnOnce(binding::Opened, &mut Objects<'py>) -> cardseal::Result<T>,
    ) -> PyResult<(T, Bound<'py, PyAny>)> {
        let body = SealedBody::from_python(body)?;
        let opened = detached(py, body.len(), || binding::unseal(&self.core, body.as_body()));
        let opened = opened.map_err(|error| envelope_error(py, &error))?;
        let mut objects = Objects::new(py);
        let outcome = read(opened, &mut objects);
        let payload = objects.finish()?;
        let outcome = outcome.map_err(|error| envelope_error(py, &error))?;
        Ok((outcome, payload.unwrap_or_else(|| py.None().into_bound(py))))
    }
}

/// The members of a list of secrets or keys. A string is one secret, not several of one character.
fn several<'py>(values: Option<&Bound<'py, PyAny>>, name: &str) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let Some(values) = values else { return Ok(Vec::new()) };
    if values.is_instance_of::<PyString>() || values.is_instance_of::<PyBytes>() {
        return Err(PyTypeError::new_err(format!("`{name}` is a list: put the older ones into one")));
    }
    values.try_iter()?.collect()
}

/// The body of the request that a response answers.
fn request_body<'py>(request: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyString>> {
    let py = request.py();
    if let Ok(sealed) = request.cast::<SealedRequest>() {
        return Ok(sealed.get().body.bind(py).clone());
    }
    if let Ok(bytes) = request.cast::<PyBytes>() {
        return Ok(PyString::new(py, &String::from_utf8_lossy(bytes.as_bytes())));
    }
    request.cast::<PyString>().cloned().map_err(|_| {
        PyTypeError::new_err("`request` is the SealedRequest that was answered, or its body as str or bytes")
    })
}

/// A message to be encrypted. What others may write to while it is read is copied.
fn bytes_or_text<'a>(message: &'a Bound<'_, PyAny>) -> PyResult<Message<'a>> {
    let py = message.py();
    if let Ok(text) = message.cast::<PyString>() {
        return match utf8(text)? {
            Cow::Borrowed(bytes) => Ok(Message::Lent(bytes)),
            // Half of a surrogate pair, which the core refuses.
            Cow::Owned(bytes) => {
                binding::payload_text(&bytes).map(|_| Message::Lent(&[])).map_err(|error| envelope_error(py, &error))
            }
        };
    }
    match message.cast::<PyBytes>() {
        Ok(bytes) => Ok(Message::Lent(bytes.as_bytes())),
        Err(_) => {
            let bytes = copied(message, "a message is str, bytes, bytearray or memoryview")?;
            Ok(Message::Copy(Wiped::new(bytes)))
        }
    }
}

enum Message<'a> {
    Lent(&'a [u8]),
    Copy(Wiped<Vec<u8>>),
}

impl std::ops::Deref for Message<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Lent(bytes) => bytes,
            Self::Copy(bytes) => bytes,
        }
    }
}

fn body_text<'py>(py: Python<'py>, encrypted: Encrypted) -> PyResult<Bound<'py, PyString>> {
    let text = ascii_text(py, encrypted.body_bytes(), |take| encrypted.body_pieces(take));
    binding::keep(encrypted);
    text
}

fn field_text<'py>(py: Python<'py>, encrypted: &Encrypted) -> PyResult<Bound<'py, PyString>> {
    ascii_text(py, encrypted.field_bytes(), |take| encrypted.field_pieces(take))
}
