//! A user and a cardholder, so that cards can be issued; over reqwest.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use account::{call, variable};
use cardseal::{CardholderKycLevel, CardholderKycStatus, CardholderRegistrationStatus, Envelope, IdempotencyKey};
use cardseal_http::SealMiddleware;
use reqwest_middleware::ClientBuilder;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Products {
    products: Vec<Product>,
}

#[derive(Deserialize)]
struct Product {
    product_code: String,
    subprovider_code: String,
    is_active: bool,
}

#[derive(Deserialize)]
struct Cardholder {
    cardholder_id: String,
    registration_status: CardholderRegistrationStatus,
    kyc_status: CardholderKycStatus,
    kyc_level: CardholderKycLevel,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, envelope) = (variable("CARDSEAL_URL")?, Envelope::new(&variable("CARDSEAL_SECRET")?)?);
    let seal = SealMiddleware::new(&variable("CARDSEAL_API_KEY")?, envelope);
    let http = ClientBuilder::new(reqwest::Client::new()).with(seal).build();
    let post = |path| http.post(format!("{url}/api/v1{path}"));

    let user_id = format!("user-{}", IdempotencyKey::generate()?); // or what you call your users
    let _: Value = call(post("/users/create"), &json!({"external_user_id": user_id})).await?;
    println!("user        {user_id}");

    let Products { products } = call(post("/cards/products"), &json!({})).await?;
    let product = products.iter().find(|product| product.is_active).ok_or("no product is active")?;
    println!("product     {} issued by {}", product.product_code, product.subprovider_code);

    let payload = json!({
        "external_user_id": user_id, "subprovider_code": product.subprovider_code, "first_name": "Ada", "last_name": "Lovelace",
        "birth_date": "1990-12-10", "email": "ada@example.com", "phone_number_full": "+4915112345678", "country_iso": "DE",
    });
    let cardholder: Cardholder = call(post("/cardholders/create"), &payload).await?;
    println!("cardholder  {} {}", cardholder.cardholder_id, cardholder.registration_status);
    println!("KYC         {} at level {}", cardholder.kyc_status, cardholder.kyc_level);
    if cardholder.kyc_status != CardholderKycStatus::Approved {
        return Err("no card can be issued before the KYC is approved: ask again later".into());
    }
    Ok(())
}
