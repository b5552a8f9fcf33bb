//! A card is ordered, and its order polled by the status models until it has ended; over reqwest.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use account::{call, cardholder, variable};
use cardseal::{CardIssueStatus, CardStatus, Envelope, IdempotencyKey, OrderStatus};
use cardseal_http::SealMiddleware;
use reqwest_middleware::ClientBuilder;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Order {
    order_id: String,
    status: OrderStatus,
    issue_status: CardIssueStatus,
    card_id: String,
    last_error: Option<String>,
}

#[derive(Deserialize)]
struct Card {
    masked_number: String,
    provider_card_status: CardStatus,
    balance: String,
    currency: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, envelope) = (variable("CARDSEAL_URL")?, Envelope::new(&variable("CARDSEAL_SECRET")?)?);
    let seal = SealMiddleware::new(&variable("CARDSEAL_API_KEY")?, envelope);
    let http = ClientBuilder::new(reqwest::Client::new()).with(seal).build();
    let post = |path| http.post(format!("{url}/api/v1{path}"));

    let user_id = cardholder().await?;
    // The key is made of what is ordered, so that it is the same however often this runs, also after a crash.
    let key = IdempotencyKey::derive("card-issue", &user_id)?;
    let payload = json!({"product_code": "virtual_usd", "external_user_id": user_id, "amount": "10.00"});
    let mut order: Order = call(post("/cards/create").header("Idempotency-Key", key.as_str()), &payload).await?;

    while !order.status.is_terminal() {
        println!("order {} · {}", order.status, order.issue_status);
        tokio::time::sleep(Duration::from_millis(100)).await;
        order = call(post("/orders/check"), &json!({"order_id": order.order_id})).await?;
    }
    println!("order {} · {}", order.status, order.issue_status);
    if order.status != OrderStatus::Completed {
        return Err(format!("the card was not issued: {}", order.last_error.unwrap_or_default()).into());
    }

    let card: Card = call(post("/cards/get"), &json!({"card_id": order.card_id})).await?;
    println!("card  {} {} {} {}", card.masked_number, card.provider_card_status, card.balance, card.currency);
    Ok(())
}
