//! The control plane over HTTP: a route for each operation of [`Control`], for whoever has the token and is no browser.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::{BodyExt as _, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::faults::FaultRule;
use super::holds::Point as HoldPoint;
use super::{Control, ControlError};
use crate::server::Server;

/// The routes of the control plane.
pub(crate) fn router(server: &Arc<Server>, address: SocketAddr, token: &str) -> Router {
    let guard = Arc::new(Guard::new(address, token));
    Router::new()
        .route("/control/state", get(state))
        .route("/control/clock", post(clock))
        .route("/control/settle", post(settle))
        .route("/control/reset", post(reset))
        .route("/control/fund", post(fund))
        .route("/control/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/control/journal", get(journal).delete(clear_journal))
        .route("/control/ledger", get(ledger))
        .route("/control/orders", get(orders))
        .route("/control/deliveries", get(deliveries))
        .route("/control/hold", post(hold))
        .fallback(async || failure(StatusCode::NOT_FOUND, "not_found", "there is no such route: see the README"))
        .method_not_allowed_fallback(async || {
            failure(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this route takes another method: see `allow`",
            )
        })
        .layer(middleware::from_fn_with_state(guard, check))
        .with_state(Control::new(Arc::clone(server)))
}

async fn state(State(control): State<Control>) -> Answer {
    shown(control.state().await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockMove {
    freeze: Option<bool>,
    thaw: Option<bool>,
    offset_millis: Option<i64>,
    advance_millis: Option<i64>,
}

async fn clock(State(control): State<Control>, body: Body) -> Answer {
    let ClockMove { freeze, thaw, offset_millis, advance_millis } = read(body).await?;
    match (freeze, thaw, offset_millis, advance_millis) {
        (Some(true), None, None, None) => control.freeze().await.map(drop)?,
        (None, Some(true), None, None) => control.thaw().await?,
        (None, None, Some(millis), None) => control.set_offset(millis).await?,
        (None, None, None, Some(millis)) => {
            let backwards = "an advance goes forward alone: use `offset_millis` to set the clock back";
            let millis = u64::try_from(millis).map_err(|_| ControlError::new("clock_backwards", backwards))?;
            control.advance(Duration::from_millis(millis)).await?;
        }
        _ => {
            let wanted = "send one of `freeze`: true, `thaw`: true, `offset_millis`, `advance_millis`";
            return Err(failure(StatusCode::BAD_REQUEST, "invalid_request", wanted));
        }
    }
    shown(control.state().await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn settle(State(control): State<Control>, body: Body) -> Answer {
    let Nothing {} = read(body).await?;
    control.settle().await?;
    done()
}

async fn reset(State(control): State<Control>, body: Body) -> Answer {
    let Nothing {} = read(body).await?;
    control.reset().await?;
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fund {
    amount: String,
    api_key: Option<String>,
}

async fn fund(State(control): State<Control>, body: Body) -> Answer {
    let Fund { amount, api_key } = read(body).await?;
    shown(json!({"balance": control.fund(&amount, api_key.as_deref()).await?}))
}

async fn faults(State(control): State<Control>) -> Answer {
    shown(json!({"faults": control.faults()}))
}

/// Takes one rule or a list of them.
async fn add_faults(State(control): State<Control>, body: Body) -> Answer {
    let rules = match read(body).await? {
        Value::Array(rules) => rules,
        rule => vec![rule],
    };
    let rules: Result<Vec<_>, _> = rules.into_iter().map(FaultRule::parse).collect();
    control.add_faults(rules.map_err(|wrong| ControlError::new("invalid_fault", one_line(&wrong)))?)?;
    faults(State(control)).await
}

async fn clear_faults(State(control): State<Control>) -> Answer {
    control.clear_faults();
    done()
}

async fn journal(State(control): State<Control>) -> Answer {
    shown(json!({"journal": control.journal()?}))
}

async fn clear_journal(State(control): State<Control>) -> Answer {
    control.clear_journal();
    done()
}

async fn ledger(State(control): State<Control>) -> Answer {
    shown(json!({"ledger": control.ledger().await?}))
}

async fn orders(State(control): State<Control>) -> Answer {
    shown(json!({"orders": control.orders().await?}))
}

async fn deliveries(State(control): State<Control>) -> Answer {
    shown(json!({"deliveries": control.deliveries().await?}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hold {
    point: Option<HoldPoint>,
}

async fn hold(State(control): State<Control>, body: Body) -> Answer {
    let Hold { point } = read(body).await?;
    control.hold(point);
    done()
}

/// Who may come in.
struct Guard {
    hosts: [String; 4],
    /// Of the token: comparing hashes tells nothing about how much of a guess is right.
    token_sha256: [u8; 32],
}

impl Guard {
    fn new(address: SocketAddr, token: &str) -> Self {
        let port = address.port();
        let hosts = ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{host}:{port}"));
        let [localhost, v4, v6] = hosts;
        Self { hosts: [localhost, v4, v6, address.to_string()], token_sha256: Sha256::digest(token).into() }
    }

    /// A page whose name was pointed at loopback comes with its own name as the host.
    fn knows_host(&self, request: &Request) -> bool {
        let is_known = |host: &str| self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        let mut named = request.headers().get_all(header::HOST).iter();
        let host = named.next().and_then(|host| host.to_str().ok());
        let authority = request.uri().authority();
        host.is_some_and(is_known)
            && named.next().is_none()
            && authority.is_none_or(|authority| is_known(authority.as_str()))
    }

    fn knows_token(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = given.and_then(|value| value.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        token.is_some_and(|token| <[u8; 32]>::from(Sha256::digest(token)) == self.token_sha256)
    }
}

async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    if !guard.knows_host(&request) {
        let message = "the header Host has to name this loopback address and port";
        return failure(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message).into_response();
    }
    if request.headers().contains_key(header::ORIGIN) {
        let message = "browsers are refused: call without the header Origin";
        return failure(StatusCode::FORBIDDEN, "browser_refused", message).into_response();
    }
    if !guard.knows_token(request.headers()) {
        let message = "the header Authorization has to be Bearer and the token that was given at the start";
        let mut answer = failure(StatusCode::UNAUTHORIZED, "unauthorized", message).into_response();
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return answer;
    }
    next.run(request).await
}

type Answer = Result<Json<Value>, Failure>;

/// A refusal: `{"error": "...", "code": "..."}`.
type Failure = (StatusCode, Json<Value>);

#[expect(clippy::unnecessary_wraps, reason = "every route ends with an answer")]
fn shown(value: Value) -> Answer {
    Ok(Json(value))
}

fn done() -> Answer {
    shown(json!({"done": true}))
}

fn failure(status: StatusCode, code: &str, message: &str) -> Failure {
    (status, Json(json!({"error": message, "code": code})))
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let status = match error.code() {
            "clock_with_redis" => StatusCode::CONFLICT,
            "project_not_found" => StatusCode::NOT_FOUND,
            "internal_error" | "clock_unavailable" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        failure(status, error.code(), &error.to_string())
    }
}

/// Reads a body; an empty one counts as `{}`.
async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Failure> {
    let too_large = |_| failure(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "a body can have at most 64 KiB");
    let body = Limited::new(body, MOST_BYTES).collect().await.map_err(too_large)?.to_bytes();
    let body = if body.is_empty() { b"{}" } else { &*body };
    serde_json::from_slice(body)
        .map_err(|error| failure(StatusCode::BAD_REQUEST, "invalid_request", &one_line(&error.to_string())))
}

/// The message of a parser, which quotes what it has read.
fn one_line(message: &str) -> String {
    message.chars().filter(|character| !character.is_control()).take(MOST_MESSAGE).collect()
}

const MOST_BYTES: usize = 64 * 1024;
const MOST_MESSAGE: usize = 200;
