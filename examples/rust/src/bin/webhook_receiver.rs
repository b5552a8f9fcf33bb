//! A receiver of webhooks: an axum server that opens them, drops repeats and answers; subscribed, called, unsubscribed.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use account::{card, variable};
use axum::{Router, routing::post_service};
use cardseal::{Envelope, OrderStatus, Webhook};
use cardseal_http::Client;
use cardseal_http::server::{MemoryWebhookStore, WebhookReceiver};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, time::timeout};

/// What has changed: an order or a card, by the webhook's type.
#[derive(Deserialize)]
struct Event {
    order: Option<Changed>,
    card: Option<Changed>,
}

#[derive(Deserialize)]
struct Changed {
    card_id: String,
    status: Option<OrderStatus>,
}

/// Called once for each event, though the sender may deliver it more often. If it fails, the sender comes again.
async fn on_webhook(webhook: Webhook, has_ended: Arc<Notify>) -> Result<(), cardseal::Error> {
    let Event { order, card } = webhook.payload.parse()?;
    let event_type = webhook.event_type.unwrap_or_default();
    if let Some(changed) = order.or(card) {
        println!("webhook {event_type} · {}", changed.card_id);
        if changed.status == Some(OrderStatus::Completed) {
            has_ended.notify_one();
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, envelope) = (Client::from_env()?, Envelope::new(&variable("CARDSEAL_SECRET")?)?);
    let has_ended = Arc::new(Notify::new());
    let ended = Arc::clone(&has_ended);
    let handle = move |webhook| on_webhook(webhook, Arc::clone(&ended));
    let receiver = WebhookReceiver::new(envelope, MemoryWebhookStore::new(), handle);
    let app = Router::new().route("/webhooks", post_service(receiver));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/webhooks", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, app).await });

    let subscription: Value = client.call("/wh/subscribe", &json!({"url": url})).await?;
    card().await?; // whose order now ends, as a webhook says
    let arrived = timeout(Duration::from_secs(30), has_ended.notified()).await;
    let _: Value = client.call("/wh/unsubscribe", &json!({"id": subscription["id"]})).await?;
    arrived.map_err(|_| "no webhook said that the order has ended".into())
}
