//! One POST to a place that somebody else chose: resolved once, sent to the address that was looked at, bounded in all.
//!
//! hyper without a client on top: what those add (pools, redirects, proxies, decompression) is what must not happen here.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::Host;

use super::address::{Target, judge};

/// What webhooks are sent with.
#[derive(Debug)]
pub(super) struct Client {
    private: bool,
    /// Made when it is first needed: reading the system's certificates takes a while.
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Client {
    /// `private`: whether webhooks may go to loopback and private addresses.
    pub(super) fn new(private: bool) -> Self {
        Self { private, tls: OnceLock::new() }
    }

    /// Sends a sealed webhook; fine only if the receiver has taken it. The caller bounds the time.
    ///
    /// # Errors
    /// What went wrong, in one line; nothing of what the receiver said.
    pub(super) async fn post(&self, url: &str, api_key: &str, body: String) -> Result<(), String> {
        let target = Target::parse(url).map_err(|wrong| format!("the url {wrong}"))?;
        let request = Request::builder()
            .method(Method::POST)
            .uri(&target.path)
            .header(header::HOST, target.authority())
            .header("API-KEY", api_key)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("cardseal-sandbox/", env!("CARGO_PKG_VERSION")))
            .header(header::CONNECTION, "close")
            .body(Full::from(body))
            .map_err(|error| error.to_string())?;
        let stream = self.connect(&target).await?;
        if !target.is_https {
            return exchange(stream, request).await;
        }
        let name = match target.ip() {
            Some(ip) => ServerName::from(ip),
            None => ServerName::try_from(target.host.to_string()).map_err(|error| error.to_string())?,
        };
        let stream = TlsConnector::from(self.tls()?).connect(name, stream).await;
        exchange(stream.map_err(|error| format!("no TLS with the receiver: {error}"))?, request).await
    }

    async fn connect(&self, target: &Target) -> Result<TcpStream, String> {
        let addresses = resolve(target).await?;
        let mut wrong = "the name of the receiver has no address".to_owned();
        for ip in addresses.into_iter().take(MOST_ADDRESSES) {
            if let Err(forbidden) = judge(ip, self.private) {
                wrong = format!("the url leads to {forbidden}");
                continue;
            }
            match TcpStream::connect(SocketAddr::new(ip, target.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => wrong = format!("cannot connect: {error}"),
            }
        }
        Err(wrong)
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, String> {
        if let Some(known) = self.tls.get() {
            return Ok(Arc::clone(known));
        }
        let mut roots = RootCertStore::empty();
        // Some of a system's certificates may be of no use; without any, every receiver is unknown and said to be.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let made = trusting(roots)?;
        Ok(Arc::clone(self.tls.get_or_init(|| made)))
    }
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("no TLS: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

async fn resolve(target: &Target) -> Result<Vec<IpAddr>, String> {
    match &target.host {
        Host::Domain(name) => {
            let found = lookup_host((name.as_str(), target.port)).await;
            let found = found.map_err(|_| "the name of the receiver does not resolve")?;
            Ok(found.map(|address| address.ip()).collect())
        }
        _ => Ok(target.ip().into_iter().collect()),
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Result<(), String> {
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MOST_HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("no HTTP with the receiver: {error}"))?;
    // Ends with this call, however it ends.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await.map_err(|error| format!("no answer: {error}"))?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(format!("answered {status}: only 200 with {{\"success\": true}} counts"));
    }
    let body = Limited::new(response.into_body(), MOST_BODY_BYTES).collect().await;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() { "the answer is too long" } else { "the answer ended before its time" }
    })?;
    if is_success(&body.to_bytes()) { Ok(()) } else { Err("answered 200, but not with {\"success\": true}".to_owned()) }
}

/// Whether the core's strict reader finds an object whose `success` is true.
fn is_success(body: &[u8]) -> bool {
    let text = std::str::from_utf8(body).ok().and_then(|text| cardseal::Payload::parse(text).ok());
    let answer = text.and_then(|payload| serde_json::from_str::<Map<String, Value>>(payload.as_str()).ok());
    answer.is_some_and(|answer| answer.get("success") == Some(&Value::Bool(true)))
}

const MOST_ADDRESSES: usize = 4;
const MOST_HEAD_BYTES: usize = 16 * 1024;
const MOST_BODY_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;

    #[test]
    fn only_a_strict_true_is_success() {
        for body in [r#"{"success":true}"#, " {\"a\": 1, \"success\": true}\n", r#"{"succ\u0065ss":true}"#] {
            assert!(is_success(body.as_bytes()), "{body}");
        }
        for body in [
            "",
            "true",
            "<html>",
            "[true]",
            r#"{"success":"true"}"#,
            r#"{"success":1}"#,
            r#"{"success":false}"#,
            r#"{"success":true} x"#,
            r#"{"success":false,"success":true}"#,
            r#"{"success":true,}"#,
            r#"{"Success":true}"#,
            r#"{"data":{"success":true}}"#,
            "\u{feff}{\"success\":true}",
        ] {
            assert!(!is_success(body.as_bytes()), "{body}");
        }
    }

    #[tokio::test]
    async fn https_works_with_a_known_authority_and_its_name_alone() {
        let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = issued.cert.der().clone();
        let key = issued.signing_key.serialize_der().try_into().unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut head = Vec::new();
                while !head.ends_with(b"}") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"success\":true}";
                stream.write_all(answer).await.unwrap();
                let _ = stream.shutdown().await;
            }
        });

        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let client = Client { private: true, tls: OnceLock::from(trusting(roots).unwrap()) };
        let post =
            async |client: &Client, host| client.post(&format!("https://{host}:{port}/"), "key", "{}".into()).await;
        assert_eq!(post(&client, "localhost").await, Ok(()));
        assert!(post(&client, "127.0.0.1").await.unwrap_err().starts_with("no TLS"));
        assert!(post(&Client::new(true), "localhost").await.unwrap_err().starts_with("no TLS"));
    }
}
