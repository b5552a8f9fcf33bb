//! The control plane over HTTP: every route is one call of [`Control`].
//!
//! It can do anything to the sandbox, so that it listens on loopback alone, wants a token, and looks at the names that a
//! browser cannot choose: a page that resolves its own name to loopback has another `Host`, any page at all has an `Origin`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Control, ControlError};
use crate::server::Server;

/// The routes of the control plane.
pub(crate) fn router(server: &Arc<Server>, address: SocketAddr, token: &str) -> Router {
    let guard = Arc::new(Guard { port: address.port(), token: Sha256::digest(token).into() });
    Router::new()
        .route("/control/state", get(async |State(control): Plane| Answer(control.state())))
        .route("/control/clock", post(clock))
        .route("/control/settle", post(async |State(control): Plane| Answer(control.settle().await.map(done))))
        .route("/control/reset", post(async |State(control): Plane| Answer(control.reset().await.map(done))))
        .route("/control/fund", post(fund))
        .route("/control/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/control/journal", get(journal).delete(clear_journal))
        .route("/control/ledger", get(async |State(control): Plane| Answer(control.ledger().await)))
        .route("/control/orders", get(async |State(control): Plane| Answer(control.orders().await)))
        .route("/control/deliveries", get(async |State(control): Plane| Answer(control.deliveries().await)))
        .route("/control/hold", post(hold))
        .fallback(async || failure(StatusCode::NOT_FOUND, "not_found", "there is no such route: the README lists them"))
        .method_not_allowed_fallback(async || {
            failure(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this route takes another method")
        })
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn_with_state(guard, Guard::check))
        .with_state(Control::new(Arc::clone(server)))
}

type Plane = State<Control>;
type Given<T> = Result<Json<T>, JsonRejection>;

/// Exactly one of its members.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    freeze: Option<bool>,
    offset_millis: Option<i64>,
    advance_millis: Option<u64>,
}

async fn clock(State(control): Plane, given: Given<Clock>) -> Answer {
    Answer::of(given, async |Clock { freeze, offset_millis, advance_millis }| {
        match (freeze, offset_millis, advance_millis) {
            (Some(true), None, None) => control.freeze()?,
            (Some(false), None, None) => control.thaw()?,
            (None, Some(millis), None) => control.set_offset(millis)?,
            (None, None, Some(millis)) => control.advance(Duration::from_millis(millis)).await?,
            _ => return Err(ControlError::invalid("name one of `freeze`, `offset_millis` and `advance_millis`")),
        }
        control.state()
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fund {
    amount: String,
    api_key: Option<String>,
}

async fn fund(State(control): Plane, given: Given<Fund>) -> Answer {
    Answer::of(given, async |Fund { amount, api_key }| {
        Ok(json!({"available": control.fund(&amount, api_key.as_deref()).await?}))
    })
    .await
}

async fn faults(State(control): Plane) -> Answer {
    Answer(Ok(control.faults()))
}

async fn add_faults(State(control): Plane, given: Given<Value>) -> Answer {
    Answer::of(given, async |rules| control.add_faults(&rules).map(|()| control.faults())).await
}

async fn clear_faults(State(control): Plane) -> Answer {
    control.clear_faults();
    Answer(Ok(done(())))
}

async fn journal(State(control): Plane) -> Answer {
    Answer(Ok(control.journal()))
}

async fn clear_journal(State(control): Plane) -> Answer {
    control.clear_journal();
    Answer(Ok(done(())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    point: Option<String>,
}

async fn hold(State(control): Plane, given: Given<Hold>) -> Answer {
    Answer::of(given, async |Hold { point }| control.hold(point.as_deref()).map(done)).await
}

/// What a route answers.
struct Answer(Result<Value, ControlError>);

impl Answer {
    /// What is made of a body, if it is one.
    async fn of<T>(given: Given<T>, make: impl AsyncFnOnce(T) -> Result<Value, ControlError>) -> Self {
        Self(match given {
            Ok(Json(given)) => make(given).await,
            Err(error) => Err(ControlError::invalid(error.body_text())),
        })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let error = match self.0 {
            Ok(value) => return Json(value).into_response(),
            Err(error) => error,
        };
        let status = match error.code {
            "internal_error" => StatusCode::INTERNAL_SERVER_ERROR,
            "clock_is_shared" => StatusCode::CONFLICT,
            "api_key_not_found" => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        failure(status, error.code, &error.message)
    }
}

fn done((): ()) -> Value {
    json!({"done": true})
}

fn failure(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"error": message, "code": code}))).into_response()
}

/// Who may use it.
struct Guard {
    port: u16,
    /// The token's digest: comparing digests takes a time that says nothing about the token.
    token: [u8; 32],
}

impl Guard {
    async fn check(State(guard): State<Arc<Self>>, request: Request, next: Next) -> Response {
        match guard.refuse(request.headers()) {
            Some(refused) => refused,
            None => next.run(request).await,
        }
    }

    fn refuse(&self, headers: &HeaderMap) -> Option<Response> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{}", self.port));
        if !text(header::HOST).is_some_and(|host| hosts.iter().any(|known| known.eq_ignore_ascii_case(host))) {
            let message = "the header Host has to name loopback and this port";
            return Some(failure(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message));
        }
        if headers.contains_key(header::ORIGIN) {
            let message = "the control plane is not for pages in a browser";
            return Some(failure(StatusCode::FORBIDDEN, "wrong_origin", message));
        }
        let token = text(header::AUTHORIZATION).and_then(|given| given.strip_prefix("Bearer ")).unwrap_or_default();
        let digest: [u8; 32] = Sha256::digest(token).into();
        let message = "send the header Authorization: Bearer with the token that was printed at the start";
        (digest != self.token).then(|| failure(StatusCode::UNAUTHORIZED, "wrong_token", message))
    }
}

const MOST_BYTES: usize = 64 * 1024;
