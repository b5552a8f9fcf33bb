//! A client of the API: path and payload in, payload out.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cardseal::{Envelope, ErrorCode, OrderStatus, ResponseError, SealedRequest, Sent};
use http_body_util::Full;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::attempts::{Answer, Call, Ended, Failure};
use crate::error::Error;
use crate::options::Options;

/// A client of the API, for one project. Clones share their connections.
///
/// ```no_run
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// use serde_json::{Value, json};
/// let client = cardseal_http::Client::new("https://api.example.com", "key_1", "your_api_secret_key_here")?;
/// let balance: Value = client.call("/project/balance", &json!({})).await?;
/// # Ok::<(), cardseal_http::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    api_key: String,
    envelope: Envelope,
    options: Options,
}

impl Client {
    /// A client for the API at `base_url`, such as `https://api.example.com`; `/api/v1` is put before paths by itself.
    ///
    /// # Errors
    /// `invalid_key` for the secret, `invalid_option` for an URL that is no `http` or `https` URL of a host.
    pub fn new(base_url: &str, api_key: &str, secret: &str) -> Result<Self, Error> {
        Self::with_envelope(base_url, api_key, Envelope::new(secret)?)
    }

    /// The same with an envelope that has options of its own, such as older secrets.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_envelope(base_url: &str, api_key: &str, envelope: Envelope) -> Result<Self, Error> {
        let no_url = || option("the base URL has to be like https://api.example.com");
        let url = reqwest::Url::parse(base_url).map_err(|_| no_url())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(no_url().into());
        }
        // A redirect would send a sealed body to whom it is not for.
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(ATTEMPT_TIME_OUT);
        let http = http.build().map_err(|error| option(format!("no HTTP client can be made here: {error}")))?;
        let base_url = url.origin().ascii_serialization();
        Ok(Self { http, base_url, api_key: api_key.to_owned(), envelope, options: Options::default() })
    }

    /// A client by the environment: `CARDSEAL_URL`, `CARDSEAL_API_KEY`, `CARDSEAL_SECRET`.
    ///
    /// # Errors
    /// `invalid_option` for a variable that is not set; as [`new`](Self::new).
    pub fn from_env() -> Result<Self, Error> {
        let variable = |name: &str| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty());
            value.ok_or_else(|| option(format!("the environment variable {name} is not set")))
        };
        Self::new(&variable("CARDSEAL_URL")?, &variable("CARDSEAL_API_KEY")?, &variable("CARDSEAL_SECRET")?)
    }

    /// The same with other options.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// The same over an HTTP client of yours: its time-outs, proxies and certificates. It may not follow redirects.
    #[must_use]
    pub fn http(mut self, http: reqwest::Client) -> Self {
        self.http = http;
        self
    }

    /// Calls an endpoint that needs no idempotency key.
    ///
    /// # Errors
    /// Every [`Error`] but `OrderPending`.
    pub async fn call<T: DeserializeOwned>(&self, path: &str, payload: &(impl Serialize + ?Sized)) -> Result<T, Error> {
        self.perform(path, payload, None).await
    }

    /// Calls an endpoint with an idempotency key: the same for the same intention, however often it is called.
    ///
    /// # Errors
    /// Every [`Error`] but `OrderPending`.
    pub async fn call_keyed<T: DeserializeOwned>(
        &self,
        path: &str,
        payload: &(impl Serialize + ?Sized),
        idempotency_key: &str,
    ) -> Result<T, Error> {
        self.perform(path, payload, Some(idempotency_key)).await
    }

    /// Polls an order until it has ended, well or not, and gives it.
    ///
    /// # Errors
    /// `OrderPending` with the order as it was last; every other [`Error`].
    pub async fn wait_for_order(&self, order_id: &str, at_most: Duration) -> Result<Value, Error> {
        let end = Instant::now() + at_most;
        let mut pause = FIRST_PAUSE;
        loop {
            let order: Value = self.call("/orders/check", &json!({"order_id": order_id})).await?;
            if OrderStatus::from(order["status"].as_str().unwrap_or_default()).is_terminal() {
                return Ok(order);
            }
            if Instant::now() + pause > end {
                return Err(Error::OrderPending { order });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn perform<T: DeserializeOwned>(
        &self,
        path: &str,
        payload: &(impl Serialize + ?Sized),
        idempotency_key: Option<&str>,
    ) -> Result<T, Error> {
        let Self { http, base_url, api_key, envelope, options } = self;
        let payload = serde_json::to_string(payload).map_err(|error| {
            cardseal::Error::new(ErrorCode::InvalidPayload, format!("the payload cannot be written as JSON: {error}"))
        })?;
        let is_tls = base_url.starts_with("https:");
        let call = Call { envelope, api_key, path, is_tls, payload: &payload, idempotency_key, options };
        let Ended { answer, result } = call.run(|request| send(http, base_url, request)).await?;
        let payload = result?;
        let status = answer.status;
        payload.parse().map_err(|error| Error::Response(ResponseError::Payload { status, payload, error }))
    }
}

async fn send(http: &reqwest::Client, base_url: &str, request: SealedRequest) -> Result<Answer, Failure> {
    let SealedRequest { path, headers, body, .. } = request;
    let mut wire = http.post([base_url, &path].concat());
    for (name, value) in headers {
        wire = wire.header(name, value);
    }
    // A body that cannot be cloned: nothing below can send it twice.
    let answer = wire.body(reqwest::Body::wrap(Full::<Bytes>::from(body))).send().await.map_err(failure)?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.bytes().await.map_err(failure)?;
    Ok(Answer { status, headers, body })
}

/// A failure of the HTTP client's: only what failed to connect has certainly not arrived.
pub(crate) fn failure(error: reqwest::Error) -> Failure {
    let sent = if error.is_connect() || error.is_builder() { Sent::No } else { Sent::Unknown };
    Failure { sent, error: error.without_url().into() }
}

pub(crate) fn option(message: impl Into<std::borrow::Cow<'static, str>>) -> cardseal::Error {
    cardseal::Error::new(ErrorCode::InvalidOption, message)
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http: _, base_url, api_key: _, envelope: _, options } = self;
        f.debug_struct("Client").field("base_url", base_url).field("options", options).finish_non_exhaustive()
    }
}

/// How long one attempt may take.
const ATTEMPT_TIME_OUT: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
