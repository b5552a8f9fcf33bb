//! The proxy between a driver and the server: it breaks what it is told to, and remembers every body that it saw.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cardseal::{Envelope, Timestamp, Window};
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::exchange::MARK;
use crate::fault::{DELAY, Fault};

/// A proxy that is running, until it is dropped.
pub(crate) struct Proxy {
    pub(crate) url: String,
    seen: Arc<Mutex<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

/// What came over the wire.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    bodies: HashSet<Vec<u8>>,
    /// Bodies that had come before, byte for byte.
    pub(crate) identical: usize,
    /// Bodies that were sent twice by the proxy, and accepted twice.
    pub(crate) replayed: usize,
    /// Envelopes around envelopes.
    pub(crate) nested: usize,
    /// What was no request of this project's.
    pub(crate) broken: Vec<String>,
    /// How often each call came.
    pub(crate) attempts: HashMap<usize, usize>,
    /// Under which keys each call came.
    pub(crate) keys: HashMap<usize, HashSet<String>>,
    pub(crate) fired: usize,
}

impl Proxy {
    pub(crate) async fn start(server: SocketAddr, secret: &str, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let link = Link { server, envelope: Envelope::new(secret).unwrap(), fault, seen: Arc::clone(&seen) };
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let _ = stream.set_nodelay(true);
                let link = link.clone();
                // Its errors are the client's: a connection that is closed or given up.
                tokio::spawn(async move { link.serve(stream).await });
            }
        });
        Self { url, seen, task }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Link {
    server: SocketAddr,
    envelope: Envelope,
    fault: Fault,
    seen: Arc<Mutex<Seen>>,
}

impl Link {
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        loop {
            let Some(request) = Message::read(&mut client).await? else { return Ok(()) };
            match self.note(&request) {
                Some(Fault::UnavailableTwice) => client.write_all(UNAVAILABLE).await?,
                Some(Fault::RetryAfter) => client.write_all(TOO_MANY).await?,
                Some(Fault::DropBefore) => return Ok(()),
                Some(Fault::DropAfter) => {
                    self.forward(&request).await?;
                    return Ok(());
                }
                Some(Fault::Html) => {
                    self.forward(&request).await?;
                    client.write_all(PAGE).await?;
                }
                Some(Fault::Delay) => {
                    let answer = self.forward(&request).await?;
                    sleep(DELAY).await;
                    client.write_all(&answer).await?;
                }
                Some(Fault::Duplicate) => {
                    let first = self.forward(&request).await?;
                    let answer = self.forward(&request).await?;
                    let was_accepted = |answer: &[u8]| !answer.starts_with(b"HTTP/1.1 400 ");
                    self.seen.lock().unwrap().replayed += usize::from(was_accepted(&first) && was_accepted(&answer));
                    client.write_all(&answer).await?;
                }
                Some(Fault::DropIdle) => {
                    let answer = self.forward(&request).await?;
                    client.write_all(&answer).await?;
                    return Ok(());
                }
                Some(Fault::Mixed) | None => {
                    let answer = self.forward(&request).await?;
                    client.write_all(&answer).await?;
                }
            }
        }
    }

    /// Writes an attempt down, and gives what is to be done to it.
    fn note(&self, request: &Message) -> Option<Fault> {
        let opened = self.open(&request.body);
        let mut seen = self.seen.lock().unwrap();
        if !seen.bodies.insert(request.body.clone()) {
            seen.identical += 1;
        }
        let payload = match opened {
            Ok(payload) => payload,
            Err(error) => {
                seen.broken.push(error);
                return None;
            }
        };
        if payload.keys().filter(|name| *name != "request_timestamp").eq(["encrypted"]) {
            seen.nested += 1;
        }
        let id = payload.get(MARK).and_then(Value::as_u64).map(|id| id as usize)?;
        let attempts = seen.attempts.entry(id).or_default();
        *attempts += 1;
        let hit = id % self.fault.every() == 0 && self.fault.hits(*attempts);
        if let Some(key) = request.header("idempotency-key") {
            seen.keys.entry(id).or_default().insert(key);
        }
        seen.fired += usize::from(hit);
        hit.then(|| self.fault.of(id))
    }

    fn open(&self, body: &[u8]) -> Result<Map<String, Value>, String> {
        let now = Timestamp::now().map_err(|error| error.to_string())?;
        let opened = self.envelope.open_request(body, now, Window::MAX).map_err(|error| error.to_string())?;
        opened.payload.parse().map_err(|error| error.to_string())
    }

    /// Hands a request on, over a connection of its own, and gives the answer.
    async fn forward(&self, request: &Message) -> io::Result<Vec<u8>> {
        let mut server = TcpStream::connect(self.server).await?;
        server.write_all(&request.head).await?;
        server.write_all(&request.body).await?;
        let answer = Message::read(&mut server).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok([answer.head, answer.body].concat())
    }
}

const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
const PAGE: &[u8] =
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<h1>502 Bad Gateway</h1>\r\n";

/// A request or an answer.
struct Message {
    /// With the empty line.
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Message {
    /// `None` at the end of the connection.
    async fn read(stream: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut bytes = Vec::with_capacity(2048);
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(None);
            }
        };
        let body = bytes.split_off(end);
        let mut message = Self { head: bytes, body };
        assert!(message.header("transfer-encoding").is_none(), "a body without its length");
        let length = message.header("content-length").map_or(0, |length| length.parse().unwrap());
        while message.body.len() < length {
            if stream.read_buf(&mut message.body).await? == 0 {
                return Ok(None);
            }
        }
        assert_eq!(message.body.len(), length, "more than one request at once");
        Ok(Some(message))
    }

    fn header(&self, name: &str) -> Option<String> {
        let head = std::str::from_utf8(&self.head).unwrap();
        let mut lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }
}
