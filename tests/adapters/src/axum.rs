//! The driver of `cardseal-http`'s layer: an axum application behind it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, post_service};
use axum::{Json, Router};
use cardseal::{ENDPOINTS, Envelope, MemoryReplayStore, Webhook};
use cardseal_http::server::{
    Access, ClaimStore, MemoryWebhookStore, RedisReplayStore, SealLayer, SharedReplayStore, WebhookReceiver,
    WebhookStore,
};
use serde_json::{Map, Value, json};
use tokio::io::AsyncReadExt as _;

pub(crate) async fn run() {
    let environment: HashMap<String, String> = std::env::vars().collect();
    let app = match environment.get("CARDSEAL_REDIS") {
        Some(url) => {
            let webhooks = RedisReplayStore::connect(url).await.unwrap();
            app(&environment, RedisReplayStore::connect(url).await.unwrap(), webhooks)
        }
        None => app(&environment, SharedReplayStore::new(MemoryReplayStore::new()), MemoryWebhookStore::new()),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", json!({"url": format!("http://{}", listener.local_addr().unwrap())}));
    let ended = async {
        let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    };
    tokio::select! {
        served = axum::serve(listener, app) => served.unwrap(),
        () = ended => {}
    }
}

fn app(environment: &HashMap<String, String>, store: impl ClaimStore, webhooks: impl WebhookStore) -> Router {
    let envelope = Envelope::new(&environment["CARDSEAL_SECRET"]).unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let handled = Arc::clone(&events);
    let receiver = WebhookReceiver::new(envelope.clone(), webhooks, move |webhook: Webhook| {
        let events = Arc::clone(&events);
        async move {
            let payload: Value = webhook.payload.parse().unwrap();
            if payload["refuse"] == true {
                return Err("refused");
            }
            events.lock().unwrap().push(webhook.dedupe_key);
            Ok(())
        }
    });
    let api_key = environment["CARDSEAL_API_KEY"].clone();
    let find = move |key: String| {
        let found = if key == api_key { Access::Granted(envelope.clone()) } else { Access::Unknown };
        async move { found }
    };
    let count = Arc::new(AtomicUsize::new(0));
    let (shown, emptied) = (Arc::clone(&count), Arc::clone(&count));
    let mut app = Router::new();
    for endpoint in ENDPOINTS {
        let count = Arc::clone(&count);
        app = app.route(endpoint.path, post(async move |payload| handle(&count, payload)));
    }
    app.layer(SealLayer::new(find, store))
        .route("/count", get(async move || Json(shown.load(SeqCst))).post(async move || emptied.store(0, SeqCst)))
        .route("/webhooks", post_service(receiver))
        .route("/events", get(async move || Json(handled.lock().unwrap().clone())))
}

fn handle(count: &AtomicUsize, Json(mut payload): Json<Map<String, Value>>) -> Response {
    count.fetch_add(1, SeqCst);
    payload.remove("request_timestamp");
    if payload.contains_key("raise") {
        return "this is no JSON".into_response();
    }
    if let Some(answer) = payload.get("answer") {
        let status = answer["status"].as_u64().unwrap() as u16;
        return (StatusCode::from_u16(status).unwrap(), Json(answer["body"].clone())).into_response();
    }
    Json(json!({"seen": payload})).into_response()
}
