//! A card is frozen, and unfrozen again; over reqwest.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use account::{call, card, variable};
use cardseal::{CardStatus, Envelope, OrderStatus};
use cardseal_http::SealMiddleware;
use reqwest_middleware::ClientBuilder;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Order {
    order_id: String,
    status: OrderStatus,
    last_error: Option<String>,
}

#[derive(Deserialize)]
struct Card {
    provider_card_status: CardStatus,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, envelope) = (variable("CARDSEAL_URL")?, Envelope::new(&variable("CARDSEAL_SECRET")?)?);
    let seal = SealMiddleware::new(&variable("CARDSEAL_API_KEY")?, envelope);
    let http = ClientBuilder::new(reqwest::Client::new()).with(seal).build();
    let post = |path| http.post(format!("{url}/api/v1{path}"));

    let (card_id, user_id) = card().await?;
    for (path, wanted) in [("/cards/freeze", CardStatus::Frozen), ("/cards/unfreeze", CardStatus::Active)] {
        let payload = json!({"card_id": card_id, "external_user_id": user_id});
        let mut order: Order = call(post(path), &payload).await?;
        while !order.status.is_terminal() {
            tokio::time::sleep(Duration::from_millis(100)).await;
            order = call(post("/orders/check"), &json!({"order_id": order.order_id})).await?;
        }
        let Card { provider_card_status: status } = call(post("/cards/get"), &json!({"card_id": card_id})).await?;
        println!("{path} → {status}");
        if status != wanted {
            return Err(format!("the card is {status}: {}", order.last_error.unwrap_or_default()).into());
        }
    }
    Ok(())
}
