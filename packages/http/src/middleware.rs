//! Sealing beneath `reqwest-middleware`.

use std::fmt;

use bytes::Bytes;
use cardseal::{ApiError, Envelope, ResponseError, SealedRequest};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::{Extensions, HeaderMap, Method};
use http_body_util::Full;
use reqwest::{Request, Response, ResponseBuilderExt as _, Url};
use reqwest_middleware::{Middleware, Next};
use tokio::sync::Mutex;

use crate::attempts::{Answer, Call, Ended, Failure};
use crate::client::{failure, option};
use crate::error::Error;
use crate::options::Options;

/// Seals what a client of `reqwest-middleware` sends, and opens what it gets: to the caller both are plain JSON.
///
/// Add it last: it has to be the innermost, since it seals each attempt anew. The key of a keyed endpoint goes into the
/// header `Idempotency-Key`. A response keeps its status; [`api_error`] gives the API's error with it. What is no response
/// comes as [`reqwest_middleware::Error::Middleware`] with an [`Error`] in it (`downcast_ref`).
#[derive(Clone)]
pub struct SealMiddleware {
    api_key: String,
    envelope: Envelope,
    options: Options,
}

impl SealMiddleware {
    /// For the requests of one project.
    pub fn new(api_key: &str, envelope: Envelope) -> Self {
        Self { api_key: api_key.to_owned(), envelope, options: Options::default() }
    }

    /// The same with other options.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }
}

impl fmt::Debug for SealMiddleware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { api_key: _, envelope: _, options } = self;
        f.debug_struct("SealMiddleware").field("options", options).finish_non_exhaustive()
    }
}

/// The API's error that a response stands for, if it is one.
pub fn api_error(response: &Response) -> Option<&ApiError> {
    response.extensions().get::<ApiError>()
}

#[async_trait::async_trait]
impl Middleware for SealMiddleware {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let plain = Plain::read(&request).map_err(given_back)?;
        let Self { api_key, envelope, options } = self;
        let call = Call {
            envelope,
            api_key,
            path: request.url().path(),
            is_tls: request.url().scheme() == "https",
            payload: &plain.payload,
            idempotency_key: plain.idempotency_key.as_deref(),
            options,
        };
        // Attempts follow one another: the lock is free whenever it is taken.
        let extensions = Mutex::new(extensions);
        let attempt = async |sealed| {
            let mut extensions = extensions.lock().await;
            exchange(sealed, &request, &mut extensions, next.clone()).await
        };
        let ended = call.run(attempt).await.map_err(given_back)?;
        response(ended, request.url()).map_err(given_back)
    }
}

fn given_back(error: impl Into<Error>) -> reqwest_middleware::Error {
    reqwest_middleware::Error::middleware(error.into())
}

/// What is of use in a request that is to be sealed.
struct Plain {
    payload: String,
    idempotency_key: Option<String>,
}

impl Plain {
    fn read(request: &Request) -> Result<Self, cardseal::Error> {
        if request.method() != Method::POST {
            return Err(option("every endpoint takes POST alone: call it with `post`"));
        }
        let payload = match request.body() {
            None => "{}",
            Some(body) => {
                let bytes = body.as_bytes().ok_or_else(|| option("the body is a stream: hand it in whole"))?;
                std::str::from_utf8(bytes).map_err(|_| option("the body is no UTF-8: send JSON"))?
            }
        };
        let mut keys = request.headers().get_all(IDEMPOTENCY_KEY).iter();
        let key = keys.next().map(|key| key.to_str().map(str::to_owned));
        let key = key.transpose().map_err(|_| option("the header Idempotency-Key has to be printable ASCII"))?;
        if keys.next().is_some() {
            return Err(option("there is more than one header Idempotency-Key"));
        }
        Ok(Self { payload: payload.to_owned(), idempotency_key: key })
    }
}

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// One attempt: the request with another body, and the answer whole.
async fn exchange(
    sealed: SealedRequest,
    plain: &Request,
    extensions: &mut Extensions,
    next: Next<'_>,
) -> Result<Answer, Failure> {
    let url = plain.url().clone();
    let mut wire = Request::new(Method::POST, url.clone());
    *wire.headers_mut() = plain.headers().clone();
    *wire.timeout_mut() = plain.timeout().copied();
    wire.headers_mut().remove(CONTENT_LENGTH);
    for (name, value) in sealed.headers {
        let value = HeaderValue::try_from(value).map_err(|error| never_sent(error.into()))?;
        wire.headers_mut()
            .insert(HeaderName::from_bytes(name.as_bytes()).map_err(|error| never_sent(error.into()))?, value);
    }
    // A body that cannot be cloned: no layer below can send it twice, and a redirect cannot take it along.
    *wire.body_mut() = Some(reqwest::Body::wrap(Full::<Bytes>::from(sealed.body)));
    let answer = match next.run(wire, extensions).await {
        Ok(answer) => answer,
        Err(reqwest_middleware::Error::Reqwest(error)) if error.is_redirect() => return Ok(redirected()),
        Err(reqwest_middleware::Error::Reqwest(error)) => return Err(failure(error)),
        Err(reqwest_middleware::Error::Middleware(error)) => {
            return Err(Failure { sent: cardseal::Sent::Unknown, error: error.into() });
        }
    };
    if *answer.url() != url {
        return Ok(redirected());
    }
    let status = answer.status().as_u16();
    let headers = answer.headers().clone();
    let body = answer.bytes().await.map_err(failure)?;
    Ok(Answer { status, headers, body })
}

/// A redirect that reqwest has followed, without the body, as a browser would: what came is no answer to this request.
fn redirected() -> Answer {
    Answer { status: 302, headers: HeaderMap::new(), body: Bytes::new() }
}

fn never_sent(error: Box<dyn std::error::Error + Send + Sync>) -> Failure {
    Failure { sent: cardseal::Sent::No, error }
}

/// The response as the caller sees it: the status, and plain JSON.
///
/// # Errors
/// What cannot be shown as a response: a success that does not open, a plain error that comes as a success, a redirect.
fn response(ended: Ended, url: &Url) -> Result<Response, Error> {
    let Ended { answer: Answer { status, headers, body }, result } = ended;
    let builder = |headers: HeaderMap| {
        let mut builder = http::Response::builder().status(status).url(url.clone());
        if let Some(all) = builder.headers_mut() {
            *all = headers;
        }
        builder
    };
    let built = match result {
        Ok(payload) => builder(of_json(headers)).body(payload.as_str().to_owned().into_bytes()),
        Err(Error::Response(ResponseError::Api(error)))
            if !(300..400).contains(&status) && (error.encrypted || !(200..300).contains(&status)) =>
        {
            let (headers, body) = match &error.payload {
                Some(payload) => (of_json(headers), payload.as_str().to_owned().into_bytes()),
                None => (headers, body.to_vec()),
            };
            builder(headers).extension(*error).body(body)
        }
        Err(error) => return Err(error),
    };
    let built = built.map_err(|error| Error::Transport(error.into()))?;
    Ok(Response::from(built))
}

/// The headers of an answer whose body is the opened payload now.
fn of_json(mut headers: HeaderMap) -> HeaderMap {
    for header in [CONTENT_LENGTH, CONTENT_ENCODING, TRANSFER_ENCODING] {
        headers.remove(header);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}
