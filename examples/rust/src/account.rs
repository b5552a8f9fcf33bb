//! What the other examples start from: the account in the environment, and a card of it to try things with.

use std::env;
use std::error::Error;
use std::time::Duration;

use cardseal::IdempotencyKey;
use cardseal_http::{Client, api_error};
use reqwest_middleware::RequestBuilder;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A variable of the environment: `CARDSEAL_URL`, `CARDSEAL_API_KEY`, `CARDSEAL_SECRET` are the account.
pub fn variable(name: &str) -> Result<String, String> {
    let value = env::var(name).ok().filter(|value| !value.is_empty());
    value.ok_or_else(|| format!("the environment variable {name} is not set"))
}

/// Sends a request with a payload over a client that seals; gives what the API answers, or its error.
pub async fn call<T: DeserializeOwned>(request: RequestBuilder, payload: &Value) -> Result<T, Box<dyn Error>> {
    let response = request.json(payload).send().await?;
    match api_error(&response) {
        Some(error) => Err(error.clone().into()),
        None => Ok(response.json().await?),
    }
}

/// Creates a user with a cardholder; gives the user's id.
pub async fn cardholder() -> Result<String, Box<dyn Error>> {
    let (client, user_id) = (Client::from_env()?, format!("user-{}", IdempotencyKey::generate()?)); // a random UUID
    let _: Value = client.call("/users/create", &json!({"external_user_id": user_id})).await?;
    let person = json!({
        "external_user_id": user_id, "subprovider_code": "sandbox", "first_name": "Ada", "last_name": "Lovelace",
        "birth_date": "1990-12-10", "email": "ada@example.com", "phone_number_full": "+4915112345678", "country_iso": "DE",
    });
    let _: Value = client.call("/cardholders/create", &person).await?;
    Ok(user_id)
}

/// Issues an active card; gives its id and its user's.
pub async fn card() -> Result<(String, String), Box<dyn Error>> {
    let (client, user_id) = (Client::from_env()?, cardholder().await?);
    let payload = json!({"product_code": "virtual_usd", "external_user_id": user_id, "amount": "10.00"});
    let order: Value = client.call_keyed("/cards/create", &payload, &format!("issue-{user_id}")).await?;
    let order_id = order["order_id"].as_str().ok_or("the order has no id")?;
    let order = client.wait_for_order(order_id, Duration::from_secs(60)).await?;
    let card_id = order["card_id"].as_str().ok_or("the order has no card")?;
    Ok((card_id.to_owned(), user_id))
}

/// Asks the sandbox for what no real API does, such as a fault; false where `CARDSEAL_URL` is no sandbox of yours.
pub async fn ask_sandbox(path: &str, payload: &Value) -> Result<bool, Box<dyn Error>> {
    let Ok(url) = variable("CARDSEAL_CONTROL_URL") else { return Ok(false) };
    let request = reqwest::Client::new().post(format!("{url}{path}")).bearer_auth(variable("CARDSEAL_CONTROL_TOKEN")?);
    request.json(payload).send().await?.error_for_status()?;
    Ok(true)
}
