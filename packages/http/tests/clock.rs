//! A clock that is wrong, and a server over TLS that knows better. A process of its own: the correction is the process's.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it does not expect")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use cardseal::{Envelope, Timestamp, Window};
use cardseal_http::{Client, Error, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const SECRET: &str = "your_api_secret_key_here";

/// Answers requests by a clock that is `ahead_seconds` ahead of ours, and says another date than that if `date_seconds` does.
struct Server {
    tls: Option<(TlsAcceptor, reqwest::Certificate)>,
    ahead_seconds: i64,
    date_seconds: i64,
}

impl Server {
    fn over_tls(ahead_seconds: i64, date_seconds: i64) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let certificate = reqwest::Certificate::from_der(made.cert.der()).unwrap();
        Self { tls: Some((TlsAcceptor::from(Arc::new(config)), certificate)), ahead_seconds, date_seconds }
    }

    /// A client of it, and by how much the client's clock was corrected.
    async fn client(self, corrects: bool) -> (Client, Arc<Mutex<Vec<i64>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut http = reqwest::Client::builder();
        if let Some((_, certificate)) = &self.tls {
            http = http.add_root_certificate(certificate.clone());
        }
        let base_url = format!("{}://{address}", if self.tls.is_some() { "https" } else { "http" });
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                match &self.tls {
                    Some((acceptor, _)) => self.answer(acceptor.accept(stream).await.unwrap()).await,
                    None => self.answer(stream).await,
                }
            }
        });
        let told = Arc::<Mutex<Vec<i64>>>::default();
        let mut options = Options::default();
        if corrects {
            let told = Arc::clone(&told);
            options = options.correct_clock(move |millis| told.lock().unwrap().push(millis));
        }
        let client = Client::new(&base_url, "key_1", SECRET).unwrap().http(http.build().unwrap()).options(options);
        (client, told)
    }

    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let envelope = Envelope::new(SECRET).unwrap();
        let mut bytes = Vec::new();
        let body = loop {
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
            let text = str::from_utf8(&bytes).unwrap();
            if let Some((_, body)) = text.split_once("\r\n\r\n")
                && body.ends_with('}')
            {
                break body;
            }
        };
        let now = Timestamp::wall_clock().unwrap().as_micros().checked_add_signed(self.ahead_seconds * 1_000_000);
        let (status, body) =
            match envelope.open_request(body, Timestamp::from_micros(now.unwrap()).unwrap(), Window::MAX) {
                Ok(_) => (200, envelope.seal_response_json(r#"{"available":"1.00"}"#).unwrap()),
                Err(error) => {
                    assert_eq!(error.code(), "timestamp_outside_window");
                    (400, r#"{"error":"Request timestamp outside allowed window"}"#.to_owned())
                }
            };
        let ahead = Duration::from_secs(self.date_seconds.unsigned_abs());
        let now = SystemTime::now();
        let date = httpdate::fmt_http_date(if self.date_seconds < 0 { now - ahead } else { now + ahead });
        let head =
            format!("HTTP/1.1 {status} x\r\nDate: {date}\r\nConnection: close\r\nContent-Length: {}", body.len());
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    }
}

async fn balance(client: &Client) -> Result<Value, Error> {
    client.call("/project/balance", &json!({})).await
}

fn code(outcome: Result<Value, Error>) -> String {
    outcome.unwrap_err().code().unwrap().to_owned()
}

const OUTSIDE: &str = "timestamp_outside_window";

async fn is_put_right(ahead: i64) {
    let (client, told) = Server::over_tls(ahead, ahead).client(true).await;
    assert_eq!(balance(&client).await.unwrap()["available"], "1.00");
    assert_eq!(balance(&client).await.unwrap()["available"], "1.00");
    let told = told.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!((told[0] - ahead * 1_000).abs() <= 2_000, "{told:?}");
}

async fn is_not_believed() {
    let (client, told) = Server::over_tls(300, 300).client(false).await;
    assert_eq!(code(balance(&client).await), OUTSIDE, "nobody asked for it");
    assert_eq!(told.lock().unwrap().len(), 0);

    let (client, told) = Server { tls: None, ahead_seconds: 300, date_seconds: 300 }.client(true).await;
    assert_eq!(code(balance(&client).await), OUTSIDE, "anybody can write a date into plain HTTP");
    assert_eq!(told.lock().unwrap().len(), 0);

    let (client, told) = Server::over_tls(960, 960).client(true).await;
    assert_eq!(code(balance(&client).await), OUTSIDE, "16 minutes are not believed");
    assert_eq!(told.lock().unwrap().len(), 0);

    // And once more it is, in this process: its date is as wrong after the correction as before: there is one correction a minute.
    let (client, told) = Server::over_tls(300, -300).client(true).await;
    assert_eq!(code(balance(&client).await), OUTSIDE);
    assert_eq!(code(balance(&client).await), OUTSIDE);
    assert_eq!(told.lock().unwrap().len(), 1);
}

/// Runs itself once more for each: a process corrects its clock once a minute.
#[tokio::test]
async fn the_clock_is_put_right_where_that_was_asked_for() {
    const CASE: &str = "CARDSEAL_CLOCK_CASE";
    match std::env::var(CASE).as_deref() {
        Ok("behind") => return is_put_right(300).await,
        Ok("ahead") => return is_put_right(-300).await,
        Ok(_) => return is_not_believed().await,
        Err(_) => {}
    }
    for case in ["behind", "ahead", "not believed"] {
        let output = std::process::Command::new(std::env::current_exe().unwrap()).env(CASE, case).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && printed.contains("1 passed"), "{case}: {printed}");
    }
}
