//! A receiver of webhooks: opened, told apart, handed on once (SPEC.md, section 26).

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use cardseal::{Envelope, Error, WEBHOOK_LEASE_MILLIS, WEBHOOK_TTL_MILLIS, Webhook};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response};
use http_body_util::Full;
use tower_service::Service;

use super::reading::{BODY_TIME_OUT, METHOD_NOT_ALLOWED, PlainAnswer, read_body};

/// What is known of a webhook that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookState {
    /// Nothing: whoever is told so handles it.
    New,
    /// Another delivery of it is being handled, and may still fail.
    Busy,
    /// It was handled before.
    Handled,
}

/// How long a webhook counts as being handled; after that its handler is given up for dead.
pub const WEBHOOK_LEASE: Duration = Duration::from_millis(WEBHOOK_LEASE_MILLIS);

/// How long a handled webhook is remembered: far longer than a sender goes on sending.
pub const WEBHOOK_TTL: Duration = Duration::from_millis(WEBHOOK_TTL_MILLIS);

/// Remembers which webhooks have been handled, by their dedupe keys. Its errors are `replay_store_unavailable`.
pub trait WebhookStore: Send + Sync + 'static {
    /// Takes a webhook up for [`WEBHOOK_LEASE`], atomically, if it is new.
    fn begin(&self, dedupe_key: &str) -> impl Future<Output = Result<WebhookState, Error>> + Send;

    /// Remembers for [`WEBHOOK_TTL`] that a webhook has been handled.
    fn finish(&self, dedupe_key: &str) -> impl Future<Output = Result<(), Error>> + Send;

    /// Forgets a webhook whose handler failed, so that it can come again.
    fn give_back(&self, dedupe_key: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Remembers the webhooks that one process has handled.
#[derive(Debug, Default)]
pub struct MemoryWebhookStore {
    known: Mutex<HashMap<String, (WebhookState, Instant)>>,
}

impl MemoryWebhookStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, (WebhookState, Instant)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WebhookStore for MemoryWebhookStore {
    async fn begin(&self, dedupe_key: &str) -> Result<WebhookState, Error> {
        let (now, mut known) = (Instant::now(), self.known());
        known.retain(|_, (_, end)| *end > now);
        if let Some((state, _)) = known.get(dedupe_key) {
            return Ok(*state);
        }
        known.insert(dedupe_key.to_owned(), (WebhookState::Busy, now + WEBHOOK_LEASE));
        Ok(WebhookState::New)
    }

    async fn finish(&self, dedupe_key: &str) -> Result<(), Error> {
        self.known().insert(dedupe_key.to_owned(), (WebhookState::Handled, Instant::now() + WEBHOOK_TTL));
        Ok(())
    }

    async fn give_back(&self, dedupe_key: &str) -> Result<(), Error> {
        self.known().remove(dedupe_key);
        Ok(())
    }
}

/// A service for the URL that was subscribed: it opens each delivery, has the owner's function called once for each event,
/// and answers `{"success": true}` when that has returned, and to every later delivery.
///
/// If the function fails the answer is 500, and the sender comes again. Nothing binds a webhook to this receiver: confirm what
/// matters with a request.
///
/// ```
/// use axum::{Router, routing::post_service};
/// use cardseal::{Envelope, Webhook};
/// use cardseal_http::server::{MemoryWebhookStore, WebhookReceiver};
///
/// let handle = async |webhook: Webhook| {
///     println!("{:?} {}", webhook.event_type, webhook.dedupe_key);
///     Ok::<(), std::convert::Infallible>(())
/// };
/// let envelope = Envelope::new("your_api_secret_key_here")?;
/// let receiver = WebhookReceiver::new(envelope, MemoryWebhookStore::new(), move |webhook| handle(webhook));
/// let app: Router = Router::new().route("/webhooks", post_service(receiver));
/// # Ok::<(), cardseal::Error>(())
/// ```
pub struct WebhookReceiver<H, S> {
    shared: Arc<Shared<H, S>>,
}

struct Shared<H, S> {
    envelope: Envelope,
    store: S,
    handle: H,
}

impl<H, Handled, E, S> WebhookReceiver<H, S>
where
    H: Fn(Webhook) -> Handled + Send + Sync + 'static,
    Handled: Future<Output = Result<(), E>> + Send,
    S: WebhookStore,
{
    /// `handle` gets each webhook; `store` remembers which have been handled.
    pub fn new(envelope: Envelope, store: S, handle: H) -> Self {
        Self { shared: Arc::new(Shared { envelope, store, handle }) }
    }
}

impl<H, S> Clone for WebhookReceiver<H, S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<H, S> fmt::Debug for WebhookReceiver<H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookReceiver").finish_non_exhaustive()
    }
}

impl<H, Handled, E, S, B> Service<Request<B>> for WebhookReceiver<H, S>
where
    H: Fn(Webhook) -> Handled + Send + Sync + 'static,
    Handled: Future<Output = Result<(), E>> + Send,
    E: Send,
    S: WebhookStore,
    B: http_body::Body<Data: Buf + Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            Ok(match shared.receive(request).await {
                Ok(()) => success(),
                Err(answer) => answer.into_response(),
            })
        })
    }
}

impl<H, Handled, E, S> Shared<H, S>
where
    H: Fn(Webhook) -> Handled + Send + Sync + 'static,
    Handled: Future<Output = Result<(), E>> + Send,
    S: WebhookStore,
{
    async fn receive<B>(&self, request: Request<B>) -> Result<(), PlainAnswer>
    where
        B: http_body::Body<Data: Buf, Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let (parts, body) = request.into_parts();
        if parts.method != Method::POST {
            return Err(METHOD_NOT_ALLOWED);
        }
        let answer = |error: Error| PlainAnswer::of(&error);
        let body = read_body(&parts.headers, body, self.envelope.max_bytes(), BODY_TIME_OUT).await?;
        let webhook = self.envelope.open_webhook(&*body).map_err(answer)?;
        let dedupe_key = webhook.dedupe_key.clone();
        match self.store.begin(&dedupe_key).await.map_err(answer)? {
            WebhookState::New => {}
            WebhookState::Handled => return Ok(()),
            WebhookState::Busy => {
                return Err(PlainAnswer::new(
                    503,
                    "webhook_busy",
                    "This webhook is being handled: send it again later",
                ));
            }
        }
        // If this is broken off here, the lease ends by itself.
        if (self.handle)(webhook).await.is_err() {
            self.store.give_back(&dedupe_key).await.map_err(answer)?;
            return Err(PlainAnswer::new(500, "webhook_failed", "This webhook was not handled: send it again"));
        }
        self.store.finish(&dedupe_key).await.map_err(answer)
    }
}

fn success() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(r#"{"success": true}"#));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
