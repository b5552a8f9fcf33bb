//! The attempts of one call: each sealed anew, judged by the core, told to whoever listens.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use cardseal::{
    Attempt, EndpointKind, Envelope, ErrorCode, FailureClass, Plaintext, RequestOptions, RetryDecision, SealedRequest,
    Sent, backoff_millis, endpoint_kind, should_retry,
};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use tokio::time::timeout_at;

use crate::error::{Error, OutcomeUnknown};
use crate::options::{AttemptEvent, Options};

/// What is called, and with what.
pub(crate) struct Call<'c> {
    pub(crate) envelope: &'c Envelope,
    pub(crate) api_key: &'c str,
    pub(crate) path: &'c str,
    /// Whether it goes over TLS: only then an answer's date is believed.
    pub(crate) is_tls: bool,
    /// JSON text.
    pub(crate) payload: &'c str,
    pub(crate) idempotency_key: Option<&'c str>,
    pub(crate) options: &'c Options,
}

/// An answer as it came over the wire.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An attempt without an answer.
pub(crate) struct Failure {
    /// Whether a byte of the request may have left.
    pub(crate) sent: Sent,
    pub(crate) error: Box<dyn std::error::Error + Send + Sync>,
}

/// How a call ended that was answered: the last answer, and what is in it.
pub(crate) struct Ended {
    pub(crate) answer: Answer,
    pub(crate) result: Result<Plaintext, Error>,
}

impl Call<'_> {
    /// Makes attempts until one succeeds or none may follow. `send` makes one, and repeats nothing by itself.
    ///
    /// # Errors
    /// What ends the call without an answer that says it all.
    pub(crate) async fn run<F>(&self, mut send: impl FnMut(SealedRequest) -> F) -> Result<Ended, Error>
    where
        F: Future<Output = Result<Answer, Failure>>,
    {
        let start = Instant::now();
        let end = start + self.options.deadline;
        let kind = endpoint_kind(self.path)?;
        let (mut attempt, mut may_have_arrived) = (0, false);
        loop {
            attempt += 1;
            let request = self.seal()?;
            let (path, body) = (request.path.clone(), request.body.clone());
            let answered = timeout_at(end.into(), send(request)).await.unwrap_or_else(|_| Err(too_late()));
            let (answer, sent, error) = match answered {
                Ok(answer) => match self.envelope.open_response_json(answer.status, &*answer.body, Some(&body)) {
                    Ok(payload) => {
                        self.tell(&path, attempt, Some(answer.status), None, None);
                        return Ok(Ended { answer, result: Ok(payload) });
                    }
                    Err(error) => (Some(answer), Sent::Yes, Error::Response(error)),
                },
                Err(Failure { sent, error }) => (None, sent, Error::Transport(error)),
            };
            may_have_arrived |= sent != Sent::No;
            if self.is_tls
                && error.code() == Some(ErrorCode::TimestampOutsideWindow.as_str())
                && let (Some(clock), Some(answer)) = (&self.options.clock, &answer)
            {
                clock.learn(&answer.headers);
            }
            let wait = self.wait(kind, &error, sent, attempt, answer.as_ref())?;
            let wait = wait.filter(|wait| attempt < self.options.attempts && Instant::now() + *wait < end);
            self.tell(&path, attempt, answer.as_ref().map(|answer| answer.status), Some(&error), wait);
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
                continue;
            }
            let is_open = matches!(error.class(), FailureClass::Transient | FailureClass::Reseal);
            if kind != EndpointKind::Read && is_open && may_have_arrived {
                let idempotency_key = self.idempotency_key.map(str::to_owned);
                let unknown = OutcomeUnknown { path, idempotency_key, attempts: attempt, last: error };
                return Err(Error::OutcomeUnknown(Box::new(unknown)));
            }
            return match answer {
                Some(answer) => Ok(Ended { answer, result: Err(error) }),
                None => Err(error),
            };
        }
    }

    fn seal(&self) -> Result<SealedRequest, cardseal::Error> {
        let options = RequestOptions::new(self.api_key);
        let options = match self.idempotency_key {
            Some(key) => options.idempotency_key(key),
            None => options,
        };
        self.envelope.seal_request_json(self.path, self.payload, &options)
    }

    /// How long to wait before the next attempt; none if there is to be none.
    fn wait(
        &self,
        kind: EndpointKind,
        error: &Error,
        sent: Sent,
        attempt: u32,
        answer: Option<&Answer>,
    ) -> Result<Option<Duration>, cardseal::Error> {
        let has_key = self.idempotency_key.is_some();
        let failed = Attempt { kind, class: error.class(), code: error.code(), sent, has_key, attempt };
        Ok(match should_retry(&failed) {
            RetryDecision::RetryNow => Some(Duration::ZERO),
            RetryDecision::RetryAfterBackoff => {
                let random = getrandom::u32().map_err(|_| no_entropy())?;
                let backoff = Duration::from_millis(backoff_millis(attempt, random));
                Some(backoff.max(answer.and_then(|answer| retry_after(&answer.headers)).unwrap_or_default()))
            }
            RetryDecision::Stop | RetryDecision::OutcomeUnknown => None,
        })
    }

    fn tell(&self, path: &str, attempt: u32, status: Option<u16>, error: Option<&Error>, wait: Option<Duration>) {
        if let Some(on_attempt) = &self.options.on_attempt {
            let (failure_class, code) = (error.map(Error::class), error.and_then(Error::code));
            on_attempt(&AttemptEvent { path, attempt, status, failure_class, code, wait });
        }
    }
}

fn too_late() -> Failure {
    Failure { sent: Sent::Unknown, error: "the call's deadline has passed".into() }
}

fn no_entropy() -> cardseal::Error {
    cardseal::Error::new(cardseal::ErrorCode::EntropyUnavailable, "the operating system gives no random bytes")
}

/// How long the server asks to wait: seconds, or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}
