//! The server's process: this program, started again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cardseal::{Envelope, IdempotencyKey, RequestOptions};
use cardseal_server::{Options, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::connection::Connection;
use crate::machine;
use crate::measure::Mode;

const VARIABLE: &str = "CARDSEAL_BENCH_SERVER";

pub(crate) fn is_wanted() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Runs a sandbox until nobody holds this process's input any more.
pub(crate) fn run() {
    let orders: Value = serde_json::from_str(&std::env::var(VARIABLE).unwrap()).unwrap();
    let text = |name: &str| orders[name].as_str().map(str::to_owned);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut options = Options::default();
        options.data = text("data").map(Into::into);
        options.redis = text("redis");
        options.control = (orders["control"] == true).then_some(([127, 0, 0, 1], 0).into());
        options.balance = "999999999.00".to_owned();
        options.step_millis = 3_600_000; // requests are measured, not what follows from them
        let sandbox = Sandbox::start(options).await.unwrap();
        let control = sandbox.control_plane().map(|(url, token)| json!({"url": url, "token": token}));
        let mut line = json!({"url": sandbox.url(), "api_key": sandbox.api_key(), "secret": sandbox.secret()});
        line["control"] = json!(control);
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{line}").and_then(|()| stdout.flush()).unwrap();
        let _ = tokio::task::spawn_blocking(|| std::io::stdin().lines().count()).await;
    });
}

/// A running server, with a cardholder in it.
pub(crate) struct Subject {
    process: Child,
    pub(crate) client: Client,
    /// How long it took from nothing to an answer of `/ready`.
    pub(crate) start: Duration,
    control: Option<Control>,
    _folder: TempDir,
}

/// The control plane, as somebody calls it.
struct Control {
    address: SocketAddr,
    token: String,
}

/// What a caller has to know.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) api_key: String,
    pub(crate) envelope: Envelope,
}

impl Subject {
    pub(crate) async fn start(mode: Mode, redis: Option<String>) -> Self {
        Self::start_with(mode, redis, false).await
    }

    /// One that can be reset, and keeps a journal as every server with a control plane does.
    pub(crate) async fn start_controlled(mode: Mode) -> Self {
        Self::start_with(mode, None, true).await
    }

    async fn start_with(mode: Mode, redis: Option<String>, control: bool) -> Self {
        let began = Instant::now();
        let folder = tempfile::tempdir().unwrap();
        let data = (mode == Mode::Sqlite).then(|| folder.path().join("state.db"));
        let orders = json!({"data": data, "redis": redis, "control": control});
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(VARIABLE, orders.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).expect("the server says where it is");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let address = |url: &Value| url.as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        let client = Client {
            address: address(&line["url"]),
            api_key: text(&line["api_key"]),
            envelope: Envelope::new(line["secret"].as_str().unwrap()).unwrap(),
        };
        let mut connection = Connection::open(client.address).await;
        assert_eq!(connection.exchange(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n").await.0, 200);
        let start = began.elapsed();
        machine::pin(process.id(), machine::SERVER_CORE);
        let control = control
            .then(|| Control { address: address(&line["control"]["url"]), token: text(&line["control"]["token"]) });
        let subject = Self { process, client, start, control, _folder: folder };
        subject.make_a_cardholder().await;
        subject
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Resets it, makes the cardholder anew, and gives the time of the reset.
    pub(crate) async fn reset(&self) -> Duration {
        let Control { address, token } = self.control.as_ref().expect("a control plane");
        let mut connection = Connection::open(*address).await;
        let request = format!(
            "POST /control/reset HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"
        );
        let began = Instant::now();
        let (status, _) = connection.exchange(request.as_bytes()).await;
        let time = began.elapsed();
        assert_eq!(status, 200);
        self.make_a_cardholder().await;
        time
    }

    async fn make_a_cardholder(&self) {
        let mut connection = Connection::open(self.client.address).await;
        let cardholder = json!({
            "external_user_id": "user-1", "subprovider_code": "sandbox", "first_name": "Ada", "last_name": "Lovelace",
            "birth_date": "1990-12-10", "email": "ada@example.com", "phone_number_full": "+4915112345678", "country_iso": "DE",
        });
        for (path, payload) in
            [("/users/create", json!({"external_user_id": "user-1"})), ("/cardholders/create", cardholder)]
        {
            let (status, _) = connection.exchange(&self.client.request(path, &payload.to_string(), true)).await;
            assert_eq!(status, 200, "{path}");
        }
    }
}

impl Client {
    /// A request as it goes over the wire: sealed now, or as it would be without envelopes.
    pub(crate) fn request(&self, path: &str, payload: &str, sealed: bool) -> Vec<u8> {
        let key = IdempotencyKey::generate().unwrap();
        let options = RequestOptions::new(&self.api_key).idempotency_key(key.as_str());
        let (prefix, request) = if sealed {
            ("", self.envelope.seal_request_json(path, payload, &options).unwrap())
        } else {
            // Only its headers are of use.
            ("/plain", self.envelope.seal_request_json(path, "{}", &options).unwrap())
        };
        let body = if sealed { request.body.as_str() } else { payload };
        let mut text =
            format!("POST {prefix}{} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n", request.path, body.len());
        for (name, value) in &request.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.extend(["\r\n", body]);
        text.into_bytes()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
