//! The master wallet: where to send USDT to, and waiting until it has arrived.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use account::ask_sandbox;
use cardseal_http::Client;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Wallet {
    usdt_trc20: String,
}

#[derive(Deserialize)]
struct Balance {
    available: Decimal,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::from_env()?;
    let wallet: Wallet = client.call("/project/wallet/trc20", &json!({})).await?;
    let Balance { available: before } = client.call("/project/balance", &json!({})).await?;
    println!("balance {before} · send USDT (TRC-20) to {}", wallet.usdt_trc20);

    // Here somebody sends it. The sandbox has no chain to wait for, and is told instead.
    if !ask_sandbox("/control/fund", &json!({"amount": "250.00"})).await? {
        println!("waiting for a transfer …");
    }

    for _ in 0..600 {
        let Balance { available } = client.call("/project/balance", &json!({})).await?;
        if available > before {
            println!("arrived {} · balance {available}", available - before);
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err("nothing has arrived in ten minutes".into())
}
