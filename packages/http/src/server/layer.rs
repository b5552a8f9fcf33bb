//! The layer: behind it plain JSON, before it envelopes.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use cardseal::{ERROR_SLUGS, EndpointKind, Envelope, IdempotencyKey, Timestamp, Window, replay_keys};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full};
use tower_layer::Layer;
use tower_service::Service;

use super::reading::{BODY_TIME_OUT, PlainAnswer, endpoint, only_header, read_body};
use super::store::ClaimStore;

/// What an API key opens.
#[derive(Debug, Clone)]
pub enum Access {
    /// A project that may call: its envelope.
    Granted(Envelope),
    /// A project that may not: "You do not have access to this API."
    Denied,
    /// Nobody's key.
    Unknown,
}

/// What the layer leaves in the request's extensions for the handler.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Opened {
    /// The key that the request came under.
    pub api_key: String,
    /// The normalised path.
    pub path: &'static str,
    /// When it was sealed.
    pub timestamp: Timestamp,
    /// The header `Idempotency-Key`; on a keyed endpoint it is always there.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Opens what comes to the documented endpoints, and seals what goes back; everything else passes untouched.
///
/// A request goes through the checks of SPEC.md, section 26, and is claimed. The handler sees `application/json` with the
/// opened payload, and [`Opened`] in the extensions; its answer, whatever its status, has to be JSON and is sealed. What is
/// no JSON, and an error of the service, is a sealed `internal_error`.
///
/// ```
/// use axum::{Json, Router, routing::post};
/// use cardseal::{Envelope, MemoryReplayStore};
/// use cardseal_http::server::{Access, SealLayer, SharedReplayStore};
/// use serde_json::{Value, json};
///
/// let envelope = Envelope::new("your_api_secret_key_here")?;
/// let find = move |api_key: String| {
///     let found = if api_key == "key_1" { Access::Granted(envelope.clone()) } else { Access::Unknown };
///     async move { found }
/// };
/// let seal = SealLayer::new(find, SharedReplayStore::new(MemoryReplayStore::new()));
/// let balance = post(async |Json(_): Json<Value>| Json(json!({"available": "10.00"})));
/// let app: Router = Router::new().route("/api/v1/project/balance", balance).layer(seal);
/// # Ok::<(), cardseal::Error>(())
/// ```
pub struct SealLayer<F, S> {
    shared: Arc<Shared<F, S>>,
}

struct Shared<F, S> {
    find: F,
    store: S,
}

impl<F, Found, S> SealLayer<F, S>
where
    F: Fn(String) -> Found + Send + Sync + 'static,
    Found: Future<Output = Access> + Send,
    S: ClaimStore,
{
    /// `find` looks an API key up; `store` remembers what has been received.
    pub fn new(find: F, store: S) -> Self {
        Self { shared: Arc::new(Shared { find, store }) }
    }
}

impl<F, S> Clone for SealLayer<F, S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<F, S> fmt::Debug for SealLayer<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealLayer").finish_non_exhaustive()
    }
}

impl<I, F, S> Layer<I> for SealLayer<F, S> {
    type Service = SealService<I, F, S>;

    fn layer(&self, inner: I) -> Self::Service {
        SealService { inner, shared: Arc::clone(&self.shared) }
    }
}

/// A service behind a [`SealLayer`].
pub struct SealService<I, F, S> {
    inner: I,
    shared: Arc<Shared<F, S>>,
}

impl<I: Clone, F, S> Clone for SealService<I, F, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<I, F, S> fmt::Debug for SealService<I, F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealService").finish_non_exhaustive()
    }
}

/// The request's own body where it passes untouched, else the opened payload.
type Plain<B> = Either<B, Full<Bytes>>;

impl<I, F, Found, S, B, R> Service<Request<B>> for SealService<I, F, S>
where
    I: Service<Request<Plain<B>>, Response = Response<R>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    F: Fn(String) -> Found + Send + Sync + 'static,
    Found: Future<Output = Access> + Send,
    S: ClaimStore,
    B: http_body::Body<Data: Buf + Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    R: http_body::Body<Data: Buf + Send> + Send + 'static,
{
    type Response = Response<Either<R, Full<Bytes>>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready is used, and a clone kept for the next.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            if !parts.uri.path().starts_with("/api/") {
                let request = Request::from_parts(parts, Either::Left(body));
                return inner.call(request).await.map(|response| response.map(Either::Left));
            }
            Ok(match shared.open(parts, body).await {
                Ok((envelope, Ok(request))) => {
                    let Ok(answer) = inner.call(request.map(Either::Right)).await;
                    sealed_answer(&envelope, answer).await
                }
                Ok((envelope, Err(slug))) => sealed_error(&envelope, slug),
                Err(answer) => answer.into_response(),
            }
            .map(Either::Right))
        })
    }
}

/// A request to hand on, or the slug of the sealed error that it is answered with.
type Handed = Result<Request<Full<Bytes>>, &'static str>;

impl<F, Found, S> Shared<F, S>
where
    F: Fn(String) -> Found + Send + Sync + 'static,
    Found: Future<Output = Access> + Send,
    S: ClaimStore,
{
    /// Every check up to the idempotency key, in the protocol's order.
    async fn open<B>(&self, parts: http::request::Parts, body: B) -> Result<(Envelope, Handed), PlainAnswer>
    where
        B: http_body::Body<Data: Buf, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let endpoint = endpoint(&parts)?;
        let api_key = only_header(&parts.headers, "api-key").unwrap_or_default().to_owned();
        let envelope = match (self.find)(api_key.clone()).await {
            Access::Granted(envelope) => envelope,
            Access::Denied => return Err(PlainAnswer::documented("access_denied")),
            Access::Unknown => return Err(PlainAnswer::documented("api_key_not_found")),
        };
        let body = read_body(&parts.headers, body, envelope.max_bytes(), BODY_TIME_OUT).await?;
        let answer = |error: cardseal::Error| PlainAnswer::of(&error);
        let now = Timestamp::wall_clock().map_err(answer)?;
        let opened = envelope.open_request(&*body, now, Window::MAX).map_err(answer)?;
        let keys = replay_keys(&api_key, endpoint.path, &opened).map_err(answer)?;
        self.store.claim_request(&keys, now).await.map_err(answer)?;

        let mut request = Request::from_parts(parts, Full::from(opened.payload.as_str().to_owned()));
        let idempotency_key = match idempotency_key(request.headers(), endpoint.kind) {
            Ok(key) => key,
            Err(slug) => return Ok((envelope, Err(slug))),
        };
        let length = opened.payload.as_str().len();
        as_json(request.headers_mut());
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        let (path, timestamp) = (endpoint.path, opened.timestamp);
        request.extensions_mut().insert(Opened { api_key, path, timestamp, idempotency_key });
        Ok((envelope, Ok(request)))
    }
}

/// The request's idempotency key, or the slug of the error that it is answered with.
fn idempotency_key(headers: &HeaderMap, kind: EndpointKind) -> Result<Option<IdempotencyKey>, &'static str> {
    const NAME: &str = "idempotency-key";
    if !headers.contains_key(NAME) {
        return if kind == EndpointKind::Keyed { Err("idempotency_key_required") } else { Ok(None) };
    }
    let key = only_header(headers, NAME).and_then(|key| IdempotencyKey::parse(key).ok());
    key.map(Some).ok_or("invalid_request")
}

/// Seals what the handler answered.
async fn sealed_answer<R: http_body::Body<Data: Buf>>(
    envelope: &Envelope,
    answer: Response<R>,
) -> Response<Full<Bytes>> {
    let (mut parts, body) = answer.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return sealed_error(envelope, "internal_error");
    };
    let Some(sealed) = std::str::from_utf8(&body).ok().and_then(|json| envelope.seal_response_json(json).ok()) else {
        return sealed_error(envelope, "internal_error");
    };
    as_json(&mut parts.headers);
    Response::from_parts(parts, Full::from(sealed))
}

/// A sealed error (protocol: overview, errors).
fn sealed_error(envelope: &Envelope, slug: &'static str) -> Response<Full<Bytes>> {
    let message = match slug {
        "idempotency_key_required" => "this endpoint needs the header Idempotency-Key",
        "invalid_request" => "the header Idempotency-Key has to be 1 to 255 printable ASCII characters, once",
        _ => "something broke inside the server",
    };
    let payload = serde_json::json!({"success": false, "error": message, "error_slug": slug}).to_string();
    let status = ERROR_SLUGS.iter().find(|known| known.slug == slug).map_or(500, |known| known.status);
    match envelope.seal_response_json(&payload) {
        Ok(body) => {
            let mut response = Response::new(Full::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            as_json(response.headers_mut());
            response
        }
        Err(error) => PlainAnswer::of(&error).into_response(),
    }
}

/// Headers of a body that is another one now.
fn as_json(headers: &mut HeaderMap) {
    for header in [CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING] {
        headers.remove(header);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
}
