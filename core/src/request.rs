//! Sealed requests: what a client sends, and what a server makes of it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::envelope::{Body, Envelope, Opened, Plaintext};
use crate::error::{Error, ErrorCode, Result};
use crate::idempotency::IdempotencyKey;
use crate::json::{Fault, Members, Nothing, Sink};
use crate::layout::{Encrypted, FIELD_NAME};
use crate::path::normalize_path;
use crate::payload::{self, JsonText, REQUEST_TIMESTAMP};
use crate::replay::check_api_key;
use crate::retry::{EndpointKind, kind_of_normalized};
use crate::secretbox::Nonce;
use crate::timestamp::{Timestamp, Window};

/// What goes into a request's headers.
#[derive(Clone, Copy)]
pub struct RequestOptions<'o> {
    api_key: &'o str,
    idempotency_key: Option<&'o str>,
}

impl<'o> RequestOptions<'o> {
    /// Options for an API key.
    pub const fn new(api_key: &'o str) -> Self {
        Self { api_key, idempotency_key: None }
    }

    /// The idempotency key: required on `/cards/create` and `/cards/topup`, sent wherever it is given.
    #[must_use]
    pub const fn idempotency_key(mut self, key: &'o str) -> Self {
        self.idempotency_key = Some(key);
        self
    }
}

impl fmt::Debug for RequestOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { api_key: _, idempotency_key } = self;
        f.debug_struct("RequestOptions").field("idempotency_key", idempotency_key).finish_non_exhaustive()
    }
}

/// A request ready to be sent once. A retry is another one: same idempotency key, everything else anew.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SealedRequest<B = String> {
    /// `API-KEY`, `Content-Type` and, where there is one, `Idempotency-Key`.
    pub headers: Vec<(&'static str, String)>,
    /// The HTTP body.
    pub body: B,
    /// The normalised path to POST to.
    pub path: String,
    /// The stamp inside.
    pub timestamp: Timestamp,
    /// The nonce in front of the ciphertext.
    pub nonce: Nonce,
    /// The idempotency key that is in the headers.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl<B> SealedRequest<B> {
    /// The same request with its body in another form.
    pub(crate) fn map_body<C>(self, map: impl FnOnce(B) -> C) -> SealedRequest<C> {
        let Self { headers, body, path, timestamp, nonce, idempotency_key } = self;
        SealedRequest { headers, body: map(body), path, timestamp, nonce, idempotency_key }
    }
}

impl fmt::Debug for SealedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { headers: _, body, path, timestamp, nonce: _, idempotency_key } = self;
        f.debug_struct("SealedRequest")
            .field("path", path)
            .field("body_bytes", &body.len())
            .field("timestamp", timestamp)
            .field("idempotency_key", idempotency_key)
            .finish_non_exhaustive()
    }
}

/// The names of the headers that a request to `path` must have (protocol: overview, headers).
///
/// # Errors
/// `invalid_path`.
///
/// ```
/// assert_eq!(cardseal::required_headers("/cards/get")?, ["API-KEY", "Content-Type"]);
/// assert_eq!(cardseal::required_headers("/cards/topup")?, ["API-KEY", "Content-Type", "Idempotency-Key"]);
/// # Ok::<(), cardseal::Error>(())
/// ```
pub fn required_headers(path: &str) -> Result<&'static [&'static str]> {
    const ALL: &[&str] = &[API_KEY, CONTENT_TYPE, IDEMPOTENCY_KEY];
    let kind = kind_of_normalized(&normalize_path(path)?);
    Ok(if kind == EndpointKind::Keyed { ALL } else { ALL.split_last().map_or(ALL, |(_, without_key)| without_key) })
}

const API_KEY: &str = "API-KEY";
const CONTENT_TYPE: &str = "Content-Type";
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const JSON: &str = "application/json";

/// A request that a server has opened and whose timestamp is within the window. Nobody has claimed it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The JSON object, to the letter.
    pub payload: Plaintext,
    /// Its `request_timestamp`.
    pub timestamp: Timestamp,
    /// The nonce it was sealed with.
    pub nonce: Nonce,
    /// Which secret opened it: 0 for the one that seals, 1 and up for the older ones.
    pub key_index: usize,
}

impl Envelope {
    /// Opens a request as a server does: every rule but the replay claims, which are [`claim_request`](crate::claim_request)'s.
    ///
    /// `now` is the server's clock, [`Timestamp::wall_clock`] as a rule.
    ///
    /// # Errors
    /// `too_large`, `invalid_json`, `envelope_not_found`, `invalid_envelope`, `unsupported_version`,
    /// `decryption_failed`, `invalid_payload`, `timestamp_not_found`, `invalid_timestamp`, `timestamp_outside_window`,
    /// in this order.
    pub fn open_request<'b>(&self, body: impl Into<Body<'b>>, now: Timestamp, window: Window) -> Result<Request> {
        self.unseal(body.into())?.into_request(now, window, &mut Nothing)
    }

    pub(crate) fn seal_request_with<'j>(
        &self,
        head: RequestHead,
        json: impl Into<JsonText<'j>>,
        stamp: impl FnOnce() -> Result<Timestamp>,
        nonce: impl FnOnce() -> Result<Nonce>,
    ) -> Result<SealedRequest<Encrypted>> {
        let json = json.into();
        let object = json.read_object()?;
        let (timestamp, nonce) = (stamp()?, nonce()?);
        let edit = object.restamped(timestamp);
        let body = self.encrypt_json(json, &edit, || Ok(nonce))?;
        let RequestHead { headers, path, idempotency_key } = head;
        Ok(SealedRequest { headers, body, path, timestamp, nonce, idempotency_key })
    }
}

/// What a sealed request consists of before its payload is looked at.
pub struct RequestHead {
    headers: Vec<(&'static str, String)>,
    path: String,
    idempotency_key: Option<IdempotencyKey>,
}

impl RequestHead {
    /// Checks all that [`Envelope::seal_request_json`] is given but the payload.
    ///
    /// # Errors
    /// `invalid_path`, `invalid_api_key`, `idempotency_key_required`, `invalid_idempotency_key`.
    pub fn new(path: &str, options: &RequestOptions<'_>) -> Result<Self> {
        let path = normalize_path(path)?;
        check_api_key(options.api_key)?;
        let idempotency_key = options.idempotency_key.map(IdempotencyKey::parse).transpose()?;
        if idempotency_key.is_none() && kind_of_normalized(&path) == EndpointKind::Keyed {
            let message =
                ["`", &path, "` needs an idempotency key: make one for the event and keep it for retries"].concat();
            return Err(Error::new(ErrorCode::IdempotencyKeyRequired, message));
        }
        let mut headers = Vec::with_capacity(3);
        headers.push((API_KEY, options.api_key.to_string()));
        headers.push((CONTENT_TYPE, JSON.to_string()));
        headers.extend(idempotency_key.as_ref().map(|key| (IDEMPOTENCY_KEY, key.as_str().to_string())));
        Ok(Self { headers, path, idempotency_key })
    }
}

impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { headers: _, path, idempotency_key } = self;
        f.debug_struct("RequestHead")
            .field("path", path)
            .field("idempotency_key", idempotency_key)
            .finish_non_exhaustive()
    }
}

impl Opened {
    /// Reads the text as a request, and hands it to `sink` on the way.
    ///
    /// # Errors
    /// As [`Envelope::open_request`] from `invalid_payload` on.
    pub fn into_request(self, now: Timestamp, window: Window, sink: &mut impl Sink<Error = Fault>) -> Result<Request> {
        let members = self.members(REQUEST_MEMBERS, sink)?;
        let timestamp = request_timestamp(&members, &self.plaintext)?;
        window.check(timestamp, now)?;
        Ok(Request { payload: self.plaintext, timestamp, nonce: self.nonce, key_index: self.key_index })
    }
}

/// What decides about an opened request.
pub(crate) const REQUEST_MEMBERS: [&str; 3] = [REQUEST_TIMESTAMP, FIELD_NAME, "data"];

/// The stamp of an opened request whose members are `members`.
///
/// # Errors
/// `invalid_payload` for what is no object, `timestamp_not_found`, `invalid_timestamp`.
pub(crate) fn request_timestamp(members: &Members<3>, text: &str) -> Result<Timestamp> {
    if !members.is_object() {
        return Err(payload::not_an_object());
    }
    let [stamp, sealed, data] = members.found();
    let stamp = stamp.as_ref().ok_or_else(|| {
        let hint = if sealed.is_some() {
            ": it holds a sealed body, so it was sealed twice"
        } else if data.is_some() {
            ": it has a `data` member, but the fields belong at the root"
        } else {
            ": seal with a call that adds it"
        };
        let message = ["the payload has no `request_timestamp` at its root", hint].concat();
        Error::new(ErrorCode::TimestampNotFound, message)
    })?;
    payload::parse_stamp(stamp.kind, stamp.raw(text))
}

#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
impl Envelope {
    /// Seals a request payload, given as JSON text, for a path: headers and body, ready to be sent once.
    ///
    /// Always stamps anew, in the place of a `request_timestamp` that is there.
    ///
    /// # Errors
    /// `invalid_path`, `invalid_api_key`, `idempotency_key_required`, `invalid_idempotency_key`, `invalid_payload`,
    /// `already_sealed`, `too_large`; `clock_unavailable`, `entropy_unavailable`.
    pub fn seal_request_json(&self, path: &str, json: &str, options: &RequestOptions<'_>) -> Result<SealedRequest> {
        self.seal_request_with(RequestHead::new(path, options)?, json, Timestamp::now, crate::host::random)
            .map(|request| request.map_body(Encrypted::into_body))
    }

    /// Seals a request payload for a path: headers and body, ready to be sent once.
    ///
    /// # Errors
    /// As [`seal_request_json`](Self::seal_request_json); `invalid_payload` also where the payload has no JSON form.
    #[cfg(feature = "serde")]
    pub fn seal_request<T: serde::Serialize + ?Sized>(
        &self,
        path: &str,
        payload: &T,
        options: &RequestOptions<'_>,
    ) -> Result<SealedRequest> {
        let payload = crate::json::written(payload)?;
        self.seal_request_with(RequestHead::new(path, options)?, payload, Timestamp::now, crate::host::random)
            .map(|request| request.map_body(crate::json::into_body))
    }
}
