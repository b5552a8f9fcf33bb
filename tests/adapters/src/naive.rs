//! The adapter as it is usually written: seals once, and sends the same bytes again until it gets an answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cardseal::{Envelope, RequestOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::exchange::on_the_wire;

pub(crate) async fn run() {
    let environment: HashMap<String, String> = std::env::vars().collect();
    let account = Arc::new(Account {
        url: environment["CARDSEAL_URL"].clone(),
        api_key: environment["CARDSEAL_API_KEY"].clone(),
        envelope: Envelope::new(&environment["CARDSEAL_SECRET"]).unwrap(),
    });
    let (mut lines, mut calls) = (BufReader::new(tokio::io::stdin()).lines(), JoinSet::new());
    while let Some(line) = lines.next_line().await.unwrap() {
        if calls.len() == 16 {
            calls.join_next().await.unwrap().unwrap();
        }
        let account = Arc::clone(&account);
        calls.spawn(async move { println!("{}", call(&account, &line).await) });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
}

struct Account {
    url: String,
    api_key: String,
    envelope: Envelope,
}

async fn call(account: &Account, line: &str) -> Value {
    let Account { url, api_key, envelope } = account;
    let call: Value = serde_json::from_str(line).unwrap();
    let options = RequestOptions::new(api_key);
    let options = match call["idempotency_key"].as_str() {
        Some(key) => options.idempotency_key(key),
        None => options,
    };
    let request = envelope.seal_request(call["path"].as_str().unwrap(), &call["payload"], &options).unwrap();
    let text = on_the_wire(&request);
    for _ in 0..3 {
        let Ok(Ok(Some((status, body)))) = timeout(Duration::from_secs(2), send(url, &text)).await else { continue };
        if status < 500 {
            return match envelope.open_response::<Value>(status, body.as_bytes(), Some(&request.body)) {
                Ok(payload) => json!({"id": call["id"], "ok": payload}),
                Err(error) => json!({"id": call["id"], "error": error.code().unwrap_or("other")}),
            };
        }
    }
    json!({"id": call["id"], "error": "transport"})
}

async fn send(url: &str, text: &str) -> std::io::Result<Option<(u16, String)>> {
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).await?;
    stream.write_all(text.as_bytes()).await?;
    let mut answer = Vec::new();
    // The proxy keeps its connections: the answer ends where it says that it does.
    loop {
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Ok(Some((head[9..12].parse().unwrap(), body.to_owned())));
            }
        }
        if stream.read_buf(&mut answer).await? == 0 {
            return Ok(None);
        }
    }
}
