//! A client for the tests: HTTP by hand, so that a test can send whatever it likes.

use std::net::SocketAddr;

use cardseal::{ApiError, Envelope, IdempotencyKey, RequestOptions, ResponseError};
use cardseal_server::{Options, Sandbox};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A sandbox whose orders do not rest, and a client of its project.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With some options set otherwise.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        options.step_millis = 0;
        change(&mut options);
        let sandbox = Sandbox::start(options).await.unwrap();
        let client = Client::of(&sandbox);
        Self { sandbox, client }
    }
}

impl std::ops::Deref for Bench {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Seals, sends, opens.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) api_key: String,
    pub(crate) envelope: Envelope,
}

/// An answer as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

impl Client {
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        Self {
            address: sandbox.url().strip_prefix("http://").unwrap().parse().unwrap(),
            api_key: sandbox.api_key().to_owned(),
            envelope: Envelope::new(sandbox.secret()).unwrap(),
        }
    }

    /// Calls an endpoint as a client should, with a fresh idempotency key where one is needed.
    pub(crate) async fn call(&self, path: &str, payload: Value) -> Result<Value, ApiError> {
        let key = IdempotencyKey::generate().unwrap();
        self.call_with_key(path, payload, key.as_str()).await
    }

    pub(crate) async fn call_with_key(&self, path: &str, payload: Value, key: &str) -> Result<Value, ApiError> {
        self.attempt(path, payload, key).await.expect("an answer")
    }

    /// Calls once; `None` if the connection was closed without an answer.
    pub(crate) async fn attempt(&self, path: &str, payload: Value, key: &str) -> Option<Result<Value, ApiError>> {
        let options = RequestOptions::new(&self.api_key).idempotency_key(key);
        let request = self.envelope.seal_request(path, &payload, &options).unwrap();
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.post(&request.path, &headers, request.body.as_bytes()).await?;
        match self.envelope.open_response(answer.status, &answer.body, Some(&request.body)) {
            Ok(payload) => Some(Ok(payload)),
            Err(ResponseError::Api(error)) => Some(Err(*error)),
            Err(error) => panic!("{error:?}"),
        }
    }

    /// The slug or code that a call is refused with.
    pub(crate) async fn refusal(&self, path: &str, payload: Value) -> String {
        self.call(path, payload).await.expect_err("a refusal").code.expect("a code")
    }

    /// The headers that every request has.
    pub(crate) fn headers(&self) -> Vec<(&str, &str)> {
        vec![("API-KEY", &self.api_key), ("Content-Type", "application/json")]
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
        self.send("POST", path, headers, body).await
    }

    /// Sends a request; `None` if the connection was closed without an answer.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
        send(self.address, method, path, headers, body).await
    }

    /// A user who is a cardholder.
    pub(crate) async fn cardholder(&self, external_user_id: &str) {
        self.call("/users/create", json!({"external_user_id": external_user_id})).await.unwrap();
        self.call("/cardholders/create", cardholder(external_user_id)).await.unwrap();
    }

    /// An active card of a new cardholder.
    pub(crate) async fn active_card(&self, external_user_id: &str) -> String {
        self.cardholder(external_user_id).await;
        let payload = json!({"product_code": "virtual_usd", "external_user_id": external_user_id, "amount": "10.00"});
        let order = self.call("/cards/create", payload).await.unwrap();
        let order = self.ended(order["order_id"].as_str().unwrap()).await;
        assert_eq!(order["status"], "completed", "{order}");
        order["card_id"].as_str().unwrap().to_owned()
    }

    /// An order once it has ended.
    pub(crate) async fn ended(&self, order_id: &str) -> Value {
        for _ in 0..500 {
            let order = self.call("/orders/check", json!({"order_id": order_id})).await.unwrap();
            if ["completed", "failed"].contains(&order["status"].as_str().unwrap()) {
                return order;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the order does not end");
    }

    pub(crate) async fn balance(&self) -> String {
        let balance = self.call("/project/balance", json!({})).await.unwrap();
        balance["available"].as_str().unwrap().to_owned()
    }
}

/// What `/cardholders/create` takes.
pub(crate) fn cardholder(external_user_id: &str) -> Value {
    json!({
        "external_user_id": external_user_id,
        "subprovider_code": "sandbox",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "birth_date": "1990-12-10",
        "email": "ada@example.com",
        "phone_number_full": "+4915112345678",
        "country_iso": "DE",
    })
}

/// HTTP/1.1 by hand, one connection a request.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<Answer> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    let mut request = (head + "\r\n").into_bytes();
    request.extend_from_slice(body);
    raw(address, &request).await
}

/// Whatever is answered to some bytes.
pub(crate) async fn raw(address: SocketAddr, request: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(request).await; // the server may answer and close before it has read everything
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    parse(&answer)
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into()));
    Some(Answer { status, headers: headers.collect(), body: answer[end + 4..].to_vec() })
}
