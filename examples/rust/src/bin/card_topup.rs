//! A card is topped up once, whatever happens on the way; over reqwest.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use account::{call, card, variable};
use cardseal::{Envelope, IdempotencyKey, OrderStatus};
use cardseal_http::SealMiddleware;
use reqwest_middleware::ClientBuilder;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Order {
    order_id: String,
    status: OrderStatus,
    balance_before: String,
    balance_after: String,
    last_error: Option<String>,
}

#[derive(Deserialize)]
struct Card {
    balance: String,
    currency: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, envelope) = (variable("CARDSEAL_URL")?, Envelope::new(&variable("CARDSEAL_SECRET")?)?);
    let seal = SealMiddleware::new(&variable("CARDSEAL_API_KEY")?, envelope);
    let http = ClientBuilder::new(reqwest::Client::new()).with(seal).build();
    let post = |path| http.post(format!("{url}/api/v1{path}"));

    let (card_id, _) = card().await?;
    let key = IdempotencyKey::derive("card-topup", &format!("invoice 42 of {card_id}"))?;
    let payload = json!({"card_id": card_id, "amount": "20.00"});
    let mut order: Order = call(post("/cards/topup").header("Idempotency-Key", key.as_str()), &payload).await?;
    while !order.status.is_terminal() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        order = call(post("/orders/check"), &json!({"order_id": order.order_id})).await?;
    }
    if order.status != OrderStatus::Completed {
        let reason = order.last_error.unwrap_or_default();
        return Err(format!("the top-up failed, and what it cost is given back: {reason}").into());
    }
    let card: Card = call(post("/cards/get"), &json!({"card_id": card_id})).await?;
    println!("wallet {} → {}", order.balance_before, order.balance_after);
    println!("card   {} {}", card.balance, card.currency);
    Ok(())
}
