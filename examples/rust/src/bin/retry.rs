//! A top-up whose answer is lost is repeated: same idempotency key, new timestamp and nonce, charged once.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use account::{ask_sandbox, card};
use cardseal::IdempotencyKey;
use cardseal_http::{AttemptEvent, Client, Error, Options};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{from_value, json};

#[derive(Deserialize)]
struct Order {
    order_id: String,
    balance_before: Decimal,
    balance_after: Decimal,
}

fn on_attempt(event: &AttemptEvent<'_>) {
    let answer = event.status.map_or("no answer".to_owned(), |status| status.to_string());
    println!("attempt {} of {}: {answer}", event.attempt, event.path);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::from_env()?.options(Options::default().on_attempt(on_attempt));
    let (card_id, _) = card().await?;
    let (topup, key) = (json!({"card_id": card_id, "amount": "20.00"}), IdempotencyKey::derive("retry", &card_id)?);
    let lost = json!({"kind": "drop", "when": "after", "path": "/cards/topup", "count": 1});

    // By itself: the client seals again and sends again, since the call has a key.
    ask_sandbox("/control/faults", &lost).await?;
    let order: Order = client.call_keyed("/cards/topup", &topup, key.as_str()).await?;

    // By hand, as after a crash: whoever finds the key in their data base calls again with it.
    let impatient = client.clone().options(Options::default().attempts(1).on_attempt(on_attempt));
    ask_sandbox("/control/faults", &lost).await?;
    let again: Order = match impatient.call_keyed("/cards/topup", &topup, key.as_str()).await {
        Err(Error::OutcomeUnknown(unknown)) => client.call_keyed(&unknown.path, &topup, key.as_str()).await?,
        result => result?,
    };

    let minute = Duration::from_secs(60);
    let order: Order = from_value(client.wait_for_order(&order.order_id, minute).await?)?;
    let again: Order = from_value(client.wait_for_order(&again.order_id, minute).await?)?;
    let charged = order.balance_before - order.balance_after;
    println!("one order {} · charged {charged} once", order.order_id);
    if again.order_id != order.order_id || charged >= Decimal::from(40) {
        return Err("it was charged twice".into());
    }
    Ok(())
}
