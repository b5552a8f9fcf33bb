//! The drivers of `cardseal-http`: its client, and its middleware in a client that exists already.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cardseal::{Envelope, ResponseError};
use cardseal_http::{Client, Error, SealMiddleware, api_error};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::JoinSet;

/// Makes the calls that come in on standard input, sixteen at once.
pub(crate) async fn run(adapter: &str) {
    let adapter = Arc::new(Adapter::new(adapter));
    let (mut lines, mut calls) = (BufReader::new(tokio::io::stdin()).lines(), JoinSet::new());
    while let Some(line) = lines.next_line().await.unwrap() {
        if calls.len() == 16 {
            calls.join_next().await.unwrap().unwrap();
        }
        let (adapter, call) = (Arc::clone(&adapter), serde_json::from_str::<Value>(&line).unwrap());
        calls.spawn(async move {
            let (path, key) = (call["path"].as_str().unwrap(), call["idempotency_key"].as_str());
            let mut outcome =
                adapter.call(path, &call["payload"], key).await.map_or_else(told, |payload| json!({"ok": payload}));
            outcome["id"] = call["id"].clone();
            println!("{outcome}");
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
}

enum Adapter {
    Client(Client),
    Middleware { http: ClientWithMiddleware, url: String },
}

impl Adapter {
    fn new(name: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build().unwrap();
        if name == "client" {
            return Self::Client(Client::from_env().unwrap().http(http));
        }
        assert_eq!(name, "middleware");
        let environment: HashMap<String, String> = std::env::vars().collect();
        let envelope = Envelope::new(&environment["CARDSEAL_SECRET"]).unwrap();
        let seal = SealMiddleware::new(&environment["CARDSEAL_API_KEY"], envelope);
        let url = format!("{}/api/v1", environment["CARDSEAL_URL"]);
        Self::Middleware { http: ClientBuilder::new(http).with(seal).build(), url }
    }

    async fn call(&self, path: &str, payload: &Value, key: Option<&str>) -> Result<Value, Failed> {
        match self {
            Self::Client(client) => match key {
                Some(key) => client.call_keyed(path, payload, key).await,
                None => client.call(path, payload).await,
            }
            .map_err(Failed::Call),
            Self::Middleware { http, url } => {
                let mut request = http.post(format!("{url}{path}")).body(payload.to_string());
                if let Some(key) = key {
                    request = request.header("Idempotency-Key", key);
                }
                let response = request.send().await.map_err(Failed::Middleware)?;
                let error = api_error(&response).cloned();
                let text = response.text().await.unwrap();
                match error {
                    Some(error) => Err(Failed::Call(Error::Response(ResponseError::Api(Box::new(error))))),
                    None => Ok(serde_json::from_str(&text).unwrap()),
                }
            }
        }
    }
}

enum Failed {
    Call(Error),
    Middleware(reqwest_middleware::Error),
}

fn told(failed: Failed) -> Value {
    let error = match &failed {
        Failed::Call(error) => Some(error),
        Failed::Middleware(reqwest_middleware::Error::Middleware(error)) => error.downcast_ref(),
        Failed::Middleware(reqwest_middleware::Error::Reqwest(_)) => None,
    };
    match error {
        Some(Error::OutcomeUnknown(unknown)) => {
            json!({"error": "outcome_unknown", "idempotency_key": unknown.idempotency_key})
        }
        Some(Error::Response(ResponseError::Api(error))) => {
            json!({"error": error.code.clone().unwrap_or_else(|| format!("http_{}", error.status))})
        }
        error => json!({"error": error.and_then(|error| error.code()).unwrap_or("transport")}),
    }
}
