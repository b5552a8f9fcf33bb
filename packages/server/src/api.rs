//! A request's way through the checks, in the protocol's order, and back.
//!
//! Path and method; API key; access; size; media type; the envelope and its timestamp; the replay claims; the idempotency
//! key; business rules. What fails up to the claims is answered in plain text, what comes later sealed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use cardseal::{
    Endpoint, EndpointKind, Error, IdempotencyKey, ReplayKeys, Timestamp, Window, claim_request, fingerprint,
    replay_keys,
};
use cardseal_http::server::{BODY_TIME_OUT, PlainAnswer, endpoint, only_header, read_body};
use rusqlite::Connection;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::business::{self, Call, Idempotency};
use crate::clock::signed;
use crate::control::faults::{Fault, When};
use crate::control::holds::Point;
use crate::control::journal::{Entry, masked};
use crate::damage;
use crate::database::savepoint;
use crate::ids::hex;
use crate::projects::{MAX_BODY_BYTES, Project};
use crate::refusal::Refusal;
use crate::replay::{DatabaseClaims, Replay};
use crate::server::Server;

/// In a response's extensions: the connection is to be closed in the place of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropped;

/// Answers any request to the API.
pub(crate) async fn answer(State(server): State<Arc<Server>>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let now = server.clock.now();
    let at = now.as_ref().map_or(0, |now| signed(*now));
    let entry = Entry::new(at, parts.method.as_str(), parts.uri.path());
    let mut exchange = Exchange { server: &server, entry, why: None };
    let answered = match now {
        Ok(now) => exchange.run(&parts, body, now).await,
        Err(error) => Err(exchange.plain_error(&error)),
    };
    let response = answered.unwrap_or_else(|answer| answer);
    let Exchange { server: _, mut entry, why } = exchange;
    if response.extensions().get::<Dropped>().is_none() {
        entry.status = Some(response.status().as_u16());
    }
    tracing::info!(
        method = entry.method,
        path = entry.path,
        status = entry.status,
        verdict = entry.verdict,
        why,
        "request"
    );
    if server.journal.is_kept() {
        server.journal.add(entry);
    }
    response
}

/// Answers a request that is no envelope: for the benchmark, which compares the two. Everything else is the same.
#[cfg(feature = "plain")]
pub(crate) async fn answer_plain(State(server): State<Arc<Server>>, request: Request<Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().strip_prefix(PLAIN).unwrap_or_default().to_owned();
    parts.uri = path.parse().unwrap_or_default();
    let entry = Entry::new(0, parts.method.as_str(), &path);
    let mut exchange = Exchange { server: &server, entry, why: None };
    let response = exchange.run_plain(&parts, body).await.unwrap_or_else(|answer| answer);
    let Exchange { server: _, entry, why } = exchange;
    tracing::info!(
        method = entry.method,
        path,
        status = response.status().as_u16(),
        verdict = entry.verdict,
        why,
        "request"
    );
    response
}

/// What the paths of requests without envelopes begin with.
#[cfg(feature = "plain")]
pub(crate) const PLAIN: &str = "/plain";

/// A request on its way. An `Err` is an answer too, one that ends the way early.
struct Exchange<'s> {
    server: &'s Arc<Server>,
    entry: Entry,
    /// What the log may say about a failure: nothing that was sealed.
    why: Option<String>,
}

/// What the database's part of a request gives: the business outcome, or why the request may not be executed.
type Executed = Result<Result<Value, Refusal>, Error>;

#[expect(clippy::result_large_err, reason = "the error is the answer: made once a request, and moved once")]
impl Exchange<'_> {
    async fn run(&mut self, parts: &Parts, body: Body, now: Timestamp) -> Result<Response, Response> {
        let endpoint = self.endpoint(parts)?;
        let fault = self.server.faults.on(endpoint.path, self.server.ids);
        self.entry.fault.clone_from(&fault);
        if let Some(fault) = &fault {
            self.before(fault).await?;
        }
        let project = self.project(&parts.headers)?;
        let body = self.body(parts, body).await?;
        if self.server.journal.is_kept() {
            self.entry.body_sha256 = Some(hex(&Sha256::digest(&body)));
        }
        let opened = project.envelope.open_request(&*body, now, Window::MAX);
        let opened = opened.map_err(|error| self.plain_error(&error))?;
        let payload = opened.payload.parse::<Map<String, Value>>().map_err(|error| self.plain_error(&error))?;
        if self.server.journal.is_kept() {
            self.entry.payload = Some(masked(&Value::Object(payload.clone())));
        }
        let keys = replay_keys(&project.api_key, endpoint.path, &opened).map_err(|error| self.plain_error(&error))?;
        self.server.holds.reach(Point::BeforeClaim).await;
        let claimed = self.server.replay.claim(&keys, now).await;
        claimed.map_err(|error| self.plain_error(&error))?;

        let executed = match self.idempotency(&parts.headers, endpoint, &opened.payload) {
            Err(refusal) => self.claim_and_refuse(keys, now, refusal).await,
            Ok(idempotency) => match &fault {
                Some(Fault::Slug { slug }) => {
                    let refusal = Refusal::Asked { slug: slug.clone() };
                    self.claim_and_refuse(keys, now, refusal).await
                }
                _ => self.execute(&project, endpoint, Some(keys), now, payload, idempotency).await,
            },
        };
        let outcome = executed.map_err(|error| self.plain_error(&error))?;
        self.server.holds.reach(Point::BeforeAnswer).await;
        let (status, payload) = self.outcome(outcome);
        if let Some(fault) = &fault {
            self.after(fault)?;
        }
        self.sealed(&project, status, &payload, fault.as_ref())
    }

    #[cfg(feature = "plain")]
    async fn run_plain(&mut self, parts: &Parts, body: Body) -> Result<Response, Response> {
        let endpoint = self.endpoint(parts)?;
        let project = self.project(&parts.headers)?;
        let body = self.body(parts, body).await?;
        let now = self.server.clock.now().map_err(|error| self.plain_error(&error))?;
        let broken =
            |exchange: &mut Self| exchange.plain(PlainAnswer::new(400, "invalid_json", "The body is no object"));
        let text = std::str::from_utf8(&body).map_err(|_| broken(self))?;
        let payload = serde_json::from_str::<Map<String, Value>>(text).map_err(|_| broken(self))?;
        let executed = match self.idempotency(&parts.headers, endpoint, text) {
            Err(refusal) => Ok(Err(refusal)),
            Ok(idempotency) => self.execute(&project, endpoint, None, now, payload, idempotency).await,
        };
        let outcome = executed.map_err(|error| self.plain_error(&error))?;
        let (status, payload) = self.outcome(outcome);
        Ok((status, [(header::CONTENT_TYPE, JSON)], payload.to_string()).into_response())
    }

    fn endpoint(&mut self, parts: &Parts) -> Result<&'static Endpoint, Response> {
        endpoint(parts).map_err(|answer| self.plain(answer))
    }

    fn project(&mut self, headers: &HeaderMap) -> Result<Arc<Project>, Response> {
        let Some(project) = only_header(headers, "api-key").and_then(|key| self.server.projects.by_key(key)) else {
            return Err(self.documented("api_key_not_found"));
        };
        if !project.has_access {
            return Err(self.documented("access_denied"));
        }
        Ok(Arc::clone(project))
    }

    async fn body(&mut self, parts: &Parts, body: Body) -> Result<Bytes, Response> {
        let read = read_body(&parts.headers, body, MAX_BODY_BYTES, BODY_TIME_OUT).await;
        read.map_err(|answer| self.plain(answer))
    }

    fn idempotency(
        &mut self,
        headers: &HeaderMap,
        endpoint: &Endpoint,
        payload: &str,
    ) -> Result<Option<Idempotency>, Refusal> {
        if !headers.contains_key(IDEMPOTENCY_KEY) {
            return Ok(None);
        }
        let malformed = "the header Idempotency-Key has to be 1 to 255 printable ASCII characters without spaces, once";
        let key = only_header(headers, IDEMPOTENCY_KEY).and_then(|key| IdempotencyKey::parse(key).ok());
        let key = key.ok_or_else(|| Refusal::invalid(malformed))?;
        self.entry.idempotency_key = Some(key.to_string());
        if endpoint.kind != EndpointKind::Keyed {
            return Ok(None); // it may be sent anywhere, and means something on two paths
        }
        let fingerprint = fingerprint(endpoint.path, payload).map_err(Refusal::internal)?;
        Ok(Some(Idempotency { key, fingerprint }))
    }

    /// Claims in the database what has not been claimed elsewhere, for a request that goes no further.
    async fn claim_and_refuse(&self, keys: ReplayKeys, now: Timestamp, refusal: Refusal) -> Executed {
        if let Replay::Database = self.server.replay {
            let claim = move |tx: &Connection| Ok(claim_request(&mut DatabaseClaims(tx), &keys, now));
            match self.server.database.write(claim).await {
                Ok(claimed) => claimed?,
                Err(defect) => return Ok(Err(defect)),
            }
        }
        Ok(Err(refusal))
    }

    /// Runs the business rules in the database, after the claims if those are kept there.
    async fn execute(
        &self,
        project: &Project,
        endpoint: &'static Endpoint,
        claims: Option<ReplayKeys>,
        now: Timestamp,
        payload: Map<String, Value>,
        idempotency: Option<Idempotency>,
    ) -> Executed {
        let server = Arc::clone(self.server);
        let number = project.number;
        let claims = claims.filter(|_| matches!(server.replay, Replay::Database));
        let only_reads = endpoint.kind == EndpointKind::Read && claims.is_none();
        let run = move |tx: &Connection| {
            if let Some(keys) = &claims
                && let Err(error) = claim_request(&mut DatabaseClaims(tx), keys, now)
            {
                return Ok(Err(error));
            }
            server.holds.reach_blocking(Point::AfterClaim);
            let call = Call {
                tx,
                ids: server.ids,
                now: signed(now),
                step_micros: server.rest_micros(),
                project: number,
                private_webhooks: server.options.private_webhooks,
                payload: &payload,
                idempotency,
            };
            let perform = || {
                let missing = || Err(Refusal::internal("an endpoint without a handler"));
                business::perform(endpoint.path, &call).unwrap_or_else(missing)
            };
            // A refusal undoes all but the claims; a defect undoes those too.
            let outcome = if endpoint.kind == EndpointKind::Read { perform() } else { savepoint(tx, perform)? };
            server.holds.reach_blocking(Point::BeforeCommit);
            match outcome {
                Err(Refusal::Internal(cause)) => Err(Refusal::Internal(cause)),
                outcome => Ok(Ok(outcome)),
            }
        };
        let database = &self.server.database;
        let executed = if only_reads { database.read(run).await } else { database.write(run).await };
        if endpoint.kind != EndpointKind::Read {
            self.server.wake();
        }
        executed.unwrap_or_else(|defect| Ok(Err(defect)))
    }

    fn outcome(&mut self, outcome: Result<Value, Refusal>) -> (StatusCode, Value) {
        match outcome {
            Ok(payload) => {
                self.entry.verdict = "ok".to_owned();
                (StatusCode::OK, payload)
            }
            Err(refusal) => {
                if let Refusal::Internal(cause) = &refusal {
                    tracing::error!(cause, path = self.entry.path, "a request failed inside the server");
                }
                let (status, payload) = refusal.answer();
                self.entry.verdict = refusal.slug().to_owned();
                self.entry.why = payload.get("error").and_then(Value::as_str).map(str::to_owned);
                (status_of(status), payload)
            }
        }
    }

    fn sealed(
        &mut self,
        project: &Project,
        status: StatusCode,
        payload: &Value,
        fault: Option<&Fault>,
    ) -> Result<Response, Response> {
        let body =
            project.envelope.seal_response_json(&payload.to_string()).map_err(|error| self.plain_error(&error))?;
        let body = match fault {
            Some(Fault::FlippedTag) => damage::flip_tag(&body),
            Some(Fault::BadVersion) => damage::change_version(&body),
            Some(Fault::OtherKey) => damage::seal_with_other_key(payload),
            _ => Some(body),
        };
        let body = body.unwrap_or_default(); // what was sealed here can be taken apart
        Ok((status, [(header::CONTENT_TYPE, JSON)], body).into_response())
    }

    /// What a fault does before anything is looked at.
    async fn before(&mut self, fault: &Fault) -> Result<(), Response> {
        match fault {
            Fault::Delay { millis } => {
                tokio::time::sleep(Duration::from_millis(*millis)).await;
                Ok(())
            }
            Fault::Plain { code } => Err(self.documented(code)),
            Fault::Html { status } => {
                let answer = (status_of(*status), [(header::CONTENT_TYPE, "text/html")], PROXY_PAGE);
                self.entry.verdict = "html".to_owned();
                Err(answer.into_response())
            }
            Fault::Status { status, when: When::Before } => Err(self.failed(*status)),
            Fault::Drop { when: When::Before } => Err(self.dropped()),
            _ => Ok(()),
        }
    }

    /// What a fault does once the request has been executed.
    fn after(&mut self, fault: &Fault) -> Result<(), Response> {
        match fault {
            Fault::Status { status, when: When::After } => Err(self.failed(*status)),
            Fault::Drop { when: When::After } => Err(self.dropped()),
            _ => Ok(()),
        }
    }

    fn failed(&mut self, status: u16) -> Response {
        self.plain(PlainAnswer::new(status, "status", "A fault that was asked for"))
    }

    fn dropped(&mut self) -> Response {
        self.entry.verdict = "dropped".to_owned();
        let mut response = StatusCode::BAD_GATEWAY.into_response();
        response.extensions_mut().insert(Dropped);
        response
    }

    /// The plain answer to an error of the core.
    fn plain_error(&mut self, error: &Error) -> Response {
        let answer = self.plain(PlainAnswer::of(error));
        self.entry.why = Some(error.message().to_owned());
        self.why.clone_from(&self.entry.why);
        answer
    }

    fn documented(&mut self, code: &str) -> Response {
        self.plain(PlainAnswer::documented(code))
    }

    fn plain(&mut self, answer: PlainAnswer) -> Response {
        self.entry.verdict = answer.code.to_owned();
        answer.into_response().map(Body::new)
    }
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const JSON: &str = "application/json";
const PROXY_PAGE: &str = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>";
