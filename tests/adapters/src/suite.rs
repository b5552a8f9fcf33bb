//! What every middleware has to answer, over real HTTP (SPEC.md, section 26).

use std::sync::Arc;

use cardseal::{Envelope, ErrorCode, PLAIN_ERRORS, Timestamp};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::servers::{API_KEY, SECRET, Server};

/// The suite, ready to be run against servers.
pub(crate) struct Suite {
    http: Client,
    /// A connection for each request: a body that nobody reads ends with its connection.
    single: Client,
    envelope: Envelope,
    vectors: Vec<Vector>,
}

/// A body of the vectors, and the plain answer that it gets.
struct Vector {
    name: String,
    body: String,
    answer: (u16, &'static str),
}

/// What a server did.
#[derive(Default)]
pub(crate) struct Verdict {
    pub(crate) kept: usize,
    pub(crate) broken: Vec<String>,
    requests: usize,
    accepted: usize,
    webhooks: &'static str,
}

pub(crate) const HEAD: &str = "\
| middleware | right | wrong | right under load | accepted of 100 copies | receives webhooks |
|---|---|---|---|---|---|---|";

impl Verdict {
    pub(crate) fn row(&self, name: &str) -> String {
        let Self { kept, broken, requests, accepted, webhooks } = self;
        format!("| {name} | {kept} | {} | {requests} | {accepted} | {webhooks} |", broken.len())
    }

    fn expect(&mut self, what: &str, seen: impl Into<Value>, expected: impl Into<Value>) {
        let (seen, expected) = (seen.into(), expected.into());
        if seen == expected {
            self.kept += 1;
        } else {
            self.broken.push(format!("{what}: {seen}, not {expected}"));
        }
    }
}

const PATH: &str = "/api/v1/cards/get";
/// The answer to what is no JSON, or no envelope.
const NO_JSON: &str = "Encrypted payload not found";
const KEYED: &str = "/api/v1/cards/topup";
const LOAD: usize = 10_000;
const LARGE: usize = cardseal::DEFAULT_MAX_BYTES + 1;

impl Suite {
    pub(crate) fn new() -> Self {
        let vectors: Vec<Vector> = ["request", "precedence"].into_iter().flat_map(read_vectors).collect();
        assert!(vectors.len() >= 60, "{} vectors", vectors.len());
        let single = Client::builder().pool_max_idle_per_host(0).build().unwrap();
        Self { http: Client::new(), single, envelope: Envelope::new(SECRET).unwrap(), vectors }
    }

    pub(crate) async fn run(&self, server: &Server) -> Verdict {
        let mut verdict = Verdict { webhooks: "no", ..Verdict::default() };
        self.first_checks(server, &mut verdict).await;
        let before = self.count(server).await;
        for Vector { name, body, answer } in &self.vectors {
            let answered = plain(self.post(server, PATH).body(body.clone())).await;
            // What a framework has read by itself, it also refuses by itself.
            let is_frameworks = server.is_parsed() && answer.1 == NO_JSON && answered[0] == 400;
            verdict.expect(
                name,
                if is_frameworks { json!([400, NO_JSON]) } else { answered },
                json!([answer.0, answer.1]),
            );
        }
        self.timestamps(server, &mut verdict).await;
        verdict.expect("but for one, nothing of it reached the handler", self.count(server).await, before + 1);
        let handled = self.handled(server, &mut verdict).await;
        verdict.expect("the handler's runs", self.count(server).await, before + 1 + handled);
        if server.webhooks {
            self.webhooks(server, &mut verdict).await;
            verdict.webhooks = "yes";
        }
        verdict.requests = self.load(server).await;
        verdict.expect("right answers under load", verdict.requests, LOAD);
        verdict.accepted = self.race(&[server]).await;
        verdict.expect("accepted of 100 copies", verdict.accepted, 1);
        verdict
    }

    /// Path, method, API key, size, media type.
    async fn first_checks(&self, server: &Server, verdict: &mut Verdict) {
        let body = || self.seal(&json!({}));
        // It is 404, or passes by untouched, whatever is behind it: never is it opened or sealed.
        let no_path = self.opened(self.alone(server, "/api/v1/nothing").body(body())).await;
        verdict.expect("an unknown path", no_path.1, Value::Null);
        let method = self.single.get(format!("{}{PATH}", server.url)).header("API-KEY", API_KEY).send().await.unwrap();
        verdict.expect("GET", method.status().as_u16(), 405);
        let unknown = documented("api_key_not_found");
        for key in [None, Some("key_2"), Some("")] {
            let mut request =
                self.single.post(format!("{}{PATH}", server.url)).header("Content-Type", "application/json");
            if let Some(key) = key {
                request = request.header("API-KEY", key);
            }
            verdict.expect(&format!("API key {key:?}"), plain(request.body(body())).await, unknown.clone());
        }
        let large = self.alone(server, PATH).body(" ".repeat(LARGE));
        verdict.expect("a large body", server.own(status(large).await, 413), 413);
        let large = self.alone(server, PATH).body(reqwest::Body::wrap(Chunked(Some(" ".repeat(LARGE)))));
        let large = status(large).await;
        verdict.expect("a large body without its length", server.own(server.whole(large, 413), 413), 413);
        for (header, value) in [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")] {
            let request = self.single.post(format!("{}{PATH}", server.url)).header("API-KEY", API_KEY);
            let request =
                if header == "Content-Type" { request } else { request.header("Content-Type", "application/json") };
            verdict.expect(value, server.own(status(request.header(header, value).body(body())).await, 415), 415);
        }
    }

    /// What is authentic and stale, or no request.
    async fn timestamps(&self, server: &Server, verdict: &mut Verdict) {
        let now = Timestamp::wall_clock().unwrap().as_micros();
        let outside = documented("timestamp_outside_window");
        for (what, stamp) in [("old", now - 31_000_000), ("new", now + 31_000_000)] {
            let body = self.seal(&json!({"request_timestamp": stamp}));
            verdict.expect(what, plain(self.post(server, PATH).body(body)).await, outside.clone());
        }
        let within = self.seal(&json!({"request_timestamp": now - 25_000_000}));
        verdict.expect("25 s old", status(self.post(server, PATH).body(within)).await, 200);
    }

    /// What reaches the handler, and how often that was.
    async fn handled(&self, server: &Server, verdict: &mut Verdict) -> u64 {
        let mut runs = 0;
        let payloads = [
            json!({}),
            json!({"card_id": "card_1", "nested": {"encrypted": "x"}, "list": [1, 2.5, null, true]}),
            json!({"text": "Zoë 👩‍💻 \u{2028} \" \\ /"}),
            json!({"large": "x".repeat(200_000)}),
        ];
        for payload in payloads {
            let (status, answer) = self.opened(self.post(server, PATH).body(self.seal(&payload))).await;
            verdict.expect("what the handler saw", json!([status, answer]), json!([200, {"seen": payload}]));
            runs += 1;
        }
        let chunked = reqwest::Body::wrap(Chunked(Some(self.seal(&json!({"a": 1})))));
        let (status, answer) = self.opened(self.post(server, PATH).body(chunked)).await;
        if server.reads_chunks || status == 200 {
            verdict.expect("a body without its length", json!([status, answer]), json!([200, {"seen": {"a": 1}}]));
            runs += 1;
        } else {
            verdict.expect("a body without its length", server.whole(status, 411), 411);
        }
        let with_charset = self.http.post(format!("{}{PATH}", server.url)).header("API-KEY", API_KEY);
        let with_charset =
            with_charset.header("Content-Type", "Application/JSON; charset=utf-8").body(self.seal(&json!({})));
        verdict.expect("a media type with parameters", self.opened(with_charset).await.0, 200);
        runs += 1;
        let asked = json!({"answer": {"status": 404, "body": {"success": false, "error_slug": "card_not_found"}}});
        let (status, answer) = self.opened(self.post(server, PATH).body(self.seal(&asked))).await;
        verdict.expect("a business error", json!([status, answer]), json!([404, asked["answer"]["body"]]));
        runs += 1;
        let (status, answer) = self.opened(self.post(server, PATH).body(self.seal(&json!({"raise": true})))).await;
        verdict.expect("an exception", json!([status, answer["error_slug"]]), json!([500, "internal_error"]));
        runs += 1;
        let body = self.seal(&json!({}));
        verdict.expect("once", status_of(self.post(server, PATH).body(body.clone())).await, 200);
        runs += 1;
        let duplicate = documented("duplicate_request");
        verdict.expect("twice", plain(self.post(server, PATH).body(body.clone())).await, duplicate.clone());
        let elsewhere = plain(self.post(server, "/api/v1/orders/check").body(body)).await;
        verdict.expect("on another path", elsewhere, duplicate);
        for (key, slug) in [(None, "idempotency_key_required"), (Some("two words"), "invalid_request")] {
            let mut request = self.post(server, KEYED).body(self.seal(&json!({})));
            if let Some(key) = key {
                request = request.header("Idempotency-Key", key);
            }
            let (status, answer) = self.opened(request).await;
            verdict.expect(&format!("{key:?}"), json!([status, answer["error_slug"]]), json!([400, slug]));
        }
        let keyed = self.post(server, KEYED).header("Idempotency-Key", "topup-1").body(self.seal(&json!({})));
        verdict.expect("with its key", self.opened(keyed).await.0, 200);
        runs + 1
    }

    async fn webhooks(&self, server: &Server, verdict: &mut Verdict) {
        let seal = |payload: &Value| self.envelope.seal_webhook(payload).unwrap();
        let send = async |body: String| {
            let answer = self.post(server, "/webhooks").body(body).send().await.unwrap();
            let status = answer.status().as_u16();
            (status, answer.json::<Value>().await.unwrap_or_default())
        };
        let success = json!({"success": true});
        let event = json!({"type": "card.status_changed", "delivery_id": "d-1"});
        for what in ["a webhook", "its repeat"] {
            let (status, answer) = send(seal(&event)).await;
            verdict.expect(what, json!([status, answer]), json!([200, success]));
        }
        let refused = json!({"type": "x", "delivery_id": "d-2", "refuse": true});
        for what in ["refused", "refused again"] {
            verdict.expect(what, send(seal(&refused)).await.0, 500);
        }
        let other = Envelope::new("another secret").unwrap().seal_webhook(&event).unwrap();
        verdict.expect("of somebody else", send(other).await.0, 400);
        verdict.expect("no envelope", send("{}".to_owned()).await.0, 400);
        verdict.expect("what was handled", self.get(server, "/events").await, json!(["id:d-1"]));
    }

    /// Right answers of many requests, sixteen at once: every fourth is wrong on purpose.
    async fn load(&self, server: &Server) -> usize {
        let (mut right, mut tasks) = (0, JoinSet::new());
        let url = Arc::new(format!("{}{PATH}", server.url));
        for number in 0..LOAD {
            if tasks.len() == 16 {
                right += usize::from(tasks.join_next().await.unwrap().unwrap());
            }
            let (http, envelope, url) = (self.http.clone(), self.envelope.clone(), Arc::clone(&url));
            tasks.spawn(async move {
                let payload = json!({"number": number});
                let body = if number % 4 == 0 { "{}".to_owned() } else { envelope.seal(&payload).unwrap() };
                let request = http.post(&*url).header("API-KEY", API_KEY).header("Content-Type", "application/json");
                let answer = request.body(body).send().await.unwrap();
                let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
                if number % 4 == 0 {
                    return status == 400 && text.contains("Encrypted payload not found");
                }
                status == 200 && envelope.open::<Value>(text.as_bytes()).is_ok_and(|answer| answer["seen"] == payload)
            });
        }
        while let Some(is_right) = tasks.join_next().await {
            right += usize::from(is_right.unwrap());
        }
        right
    }

    /// Sends one body a hundred times at once, to servers in turn, and counts how many took it.
    pub(crate) async fn race(&self, servers: &[impl std::borrow::Borrow<Server>]) -> usize {
        let body = self.seal(&json!({}));
        let mut copies = JoinSet::new();
        for number in 0..100 {
            let server = servers[number % servers.len()].borrow();
            copies.spawn(status_of(self.post(server, PATH).body(body.clone())));
        }
        copies.join_all().await.into_iter().filter(|status| *status == 200).count()
    }

    fn seal(&self, payload: &Value) -> String {
        self.envelope.seal(payload).unwrap()
    }

    fn post(&self, server: &Server, path: &str) -> RequestBuilder {
        as_project(self.http.post(format!("{}{path}", server.url)))
    }

    fn alone(&self, server: &Server, path: &str) -> RequestBuilder {
        as_project(self.single.post(format!("{}{path}", server.url)))
    }

    async fn count(&self, server: &Server) -> u64 {
        self.get(server, "/count").await.as_u64().expect("a number of runs")
    }

    async fn get(&self, server: &Server, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", server.url)).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default()
    }

    /// The status and what the answer opens to.
    async fn opened(&self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let is_json = answer.headers().get("content-type").is_some_and(|kind| kind == "application/json");
        let body = answer.bytes().await.unwrap();
        let opened = self.envelope.open(&*body);
        (status, if is_json { opened.unwrap_or_default() } else { Value::Null })
    }
}

fn as_project(request: RequestBuilder) -> RequestBuilder {
    request.header("API-KEY", API_KEY).header("Content-Type", "application/json")
}

/// The status and the text of a plain error.
async fn plain(request: RequestBuilder) -> Value {
    let Ok(answer) = request.send().await else { return Value::Null };
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    json!([status, body["error"]])
}

/// The status; a server may close the connection in the middle of a body that it will not read.
async fn status(request: RequestBuilder) -> u16 {
    match request.send().await {
        Ok(answer) => answer.status().as_u16(),
        Err(_) => 413,
    }
}

async fn status_of(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

fn documented(code: &str) -> Value {
    let error = PLAIN_ERRORS.iter().find(|error| error.code == code).unwrap();
    json!([error.status, error.text])
}

/// The bodies of a family that anybody can send, and the answers that their codes stand for. All of their stamps are old.
fn read_vectors(family: &str) -> Vec<Vector> {
    let path = format!("{}/../vectors/{family}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let sendable = |case: &&Value| {
        let has_options = ["layout", "open_secrets", "max_bytes", "window_seconds", "key_hex"].iter();
        case["secret"] == SECRET && case["body"].is_string() && has_options.clone().all(|name| case.get(name).is_none())
    };
    cases
        .filter(sendable)
        .map(|case| {
            let expected = case["expect"].as_str().unwrap();
            let code = if expected == "ok" { "timestamp_outside_window" } else { expected };
            let code = ErrorCode::ALL.iter().find(|known| known.as_str() == code).unwrap();
            Vector {
                name: case["name"].as_str().unwrap().to_owned(),
                body: case["body"].as_str().unwrap().to_owned(),
                answer: code.server_answer().unwrap(),
            }
        })
        .collect()
}

/// A body that does not say how long it is.
struct Chunked(Option<String>);

impl http_body::Body for Chunked {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::task::Poll::Ready(self.0.take().map(|text| Ok(http_body::Frame::data(text.into()))))
    }
}
