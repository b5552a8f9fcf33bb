//! The first checks of a request, in the protocol's order, and the plain answers to those that fail (SPEC.md, sections 19
//! and 26).

use std::time::Duration;

use bytes::{Buf, Bytes};
use cardseal::{ENDPOINTS, Endpoint, Error, ErrorCode, PLAIN_ERRORS, normalize_path};
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use tokio::time::timeout;

/// An answer in plain JSON, `{"error": "<text>"}`, to a request that goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlainAnswer {
    /// The HTTP status.
    pub status: u16,
    /// A stable name, for logs: one of the eight plain errors, a code of the core, or one of this module's own.
    pub code: &'static str,
    /// What the caller is told.
    pub text: &'static str,
}

impl PlainAnswer {
    /// An answer of the server's own.
    pub const fn new(status: u16, code: &'static str, text: &'static str) -> Self {
        Self { status, code, text }
    }

    /// One of the eight documented errors, by its code.
    pub fn documented(code: &str) -> Self {
        let known = PLAIN_ERRORS.iter().find(|error| error.code == code);
        known.map_or(CANNOT_ANSWER, |error| Self::new(error.status, error.code, error.text))
    }

    /// The answer to an error of the core.
    pub fn of(error: &Error) -> Self {
        let answer = error.kind().server_answer();
        answer.map_or(CANNOT_ANSWER, |(status, text)| Self::new(status, error.code(), text))
    }

    /// As a response.
    pub fn into_response(self) -> Response<Full<Bytes>> {
        let Self { status, code: _, text } = self;
        let body = serde_json::json!({ "error": text }).to_string();
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if status == METHOD_NOT_ALLOWED.status {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

const CANNOT_ANSWER: PlainAnswer = PlainAnswer::new(500, "internal_error", "The server cannot answer");
const NO_ENDPOINT: PlainAnswer = PlainAnswer::new(404, "endpoint_not_found", "There is no such endpoint");
pub(super) const METHOD_NOT_ALLOWED: PlainAnswer =
    PlainAnswer::new(405, "method_not_allowed", "Every endpoint takes POST alone");

/// The endpoint that a request is for.
///
/// # Errors
/// 404 for a path that is none, 405 for another method than POST.
pub fn endpoint(parts: &Parts) -> Result<&'static Endpoint, PlainAnswer> {
    // Nothing is put before a path that comes over the wire: it is whole.
    let path = Some(parts.uri.path()).filter(|path| path.starts_with("/api/")).map(normalize_path);
    let known = |path: &String| ENDPOINTS.iter().find(|endpoint| endpoint.path == path);
    let endpoint = path.and_then(Result::ok).as_ref().and_then(known).ok_or(NO_ENDPOINT)?;
    if parts.method == Method::POST { Ok(endpoint) } else { Err(METHOD_NOT_ALLOWED) }
}

/// A header that is there once, in printable ASCII.
pub fn only_header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

/// Reads a body, up to its limit, and then looks at what it says it is.
///
/// # Errors
/// 413 beyond `max_bytes`, 408 if it has not arrived within `time_out`, 400 if it breaks off, 415 for another media type
/// than `application/json` or for a content encoding.
pub async fn read_body<B>(
    headers: &HeaderMap,
    body: B,
    max_bytes: usize,
    time_out: Duration,
) -> Result<Bytes, PlainAnswer>
where
    B: http_body::Body<Data: Buf, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let too_large = || PlainAnswer::of(&Error::new(ErrorCode::TooLarge, ""));
    let announced = only_header(headers, CONTENT_LENGTH.as_str()).and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > max_bytes as u64) {
        return Err(too_large());
    }
    let body = match timeout(time_out, Limited::new(body, max_bytes).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) => return Err(PlainAnswer::new(400, "broken_body", "The body ended before its time")),
        Err(_) => return Err(PlainAnswer::new(408, "body_timeout", "The body did not arrive in time")),
    };
    let media_type = only_header(headers, CONTENT_TYPE.as_str()).and_then(|text| text.split(';').next()).map(str::trim);
    let is_json = media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case("application/json"));
    let is_as_it_is = headers.get_all(CONTENT_ENCODING).iter().all(|coding| coding == "identity");
    if is_json && is_as_it_is {
        return Ok(body);
    }
    let text = "The body has to be application/json without a content encoding";
    Err(PlainAnswer::new(415, "unsupported_media_type", text))
}

/// How long a body may take to arrive, as a rule.
pub const BODY_TIME_OUT: Duration = Duration::from_secs(10);
