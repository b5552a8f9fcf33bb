//! Each kind of error, met and handled: what the code says, and whether it is worth trying again.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use account::{ask_sandbox, card, variable};
use cardseal::{Envelope, ResponseError};
use cardseal_http::{Client, Error, Options};
use serde_json::{Value, json};
use tokio::net::TcpSocket;

/// Every error of a call in one place: these arms serve an integration as well.
fn show(title: &str, result: Result<Value, Error>) -> Result<(), String> {
    let shown = match result {
        // The API has said no: sealed with a slug, or plain before it opened the request.
        Err(Error::Response(ResponseError::Api(error))) => {
            let code = error.code.as_deref().unwrap_or("no code");
            format!("{code} · status {}, {}", error.status, error.failure_class)
        }
        // It may have been done: ask the API, or call again with the same key.
        Err(Error::OutcomeUnknown(lost)) => {
            format!("outcome unknown · key {:?}, {} attempt", lost.idempotency_key, lost.attempts)
        }
        Err(Error::Envelope(error)) => format!("{} · {}", error.code(), error.message()), // refused before it was sent
        Err(Error::Transport(_)) => "no answer · nothing was done".to_owned(), // it was not sent, or was a read
        Err(error) => error.to_string(), // an answer that cannot be believed or does not fit; an order that goes on
        Ok(_) => return Err(format!("{title}: no error")),
    };
    println!("{title:24} {shown}");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (url, key, secret) = (variable("CARDSEAL_URL")?, variable("CARDSEAL_API_KEY")?, variable("CARDSEAL_SECRET")?);
    let once = Options::default().attempts(1);
    let client = Client::new(&url, &key, &secret)?.options(once.clone());
    let ((card_id, user_id), none) = (card().await?, json!({}));
    let [small, large] = ["20.00", "9999999.00"].map(|amount| json!({"card_id": card_id, "amount": amount}));
    show("an unknown card", client.call("/cards/get", &json!({"card_id": "card_0"})).await)?;
    show("too much", client.call_keyed("/cards/topup", &large, &format!("much-{card_id}")).await)?;
    show("no idempotency key", client.call("/cards/topup", &small).await)?;
    show("an unknown API key", Client::new(&url, "key_of_nobody", &secret)?.call("/project/balance", &none).await)?;
    show("another secret", Client::new(&url, &key, "another_secret")?.call("/project/balance", &none).await)?;
    let other = Envelope::new("another_secret")?.seal(&none)?;
    show("a body of somebody else", Envelope::new(&secret)?.open(&other).map_err(Error::from))?;
    let unused = TcpSocket::new_v4()?;
    unused.bind(([127, 0, 0, 1], 0).into())?;
    let nobody = Client::new(&format!("http://{}", unused.local_addr()?), &key, &secret)?.options(once);
    show("nobody listens", nobody.call("/project/balance", &none).await)?;
    let busy = json!({"kind": "status", "status": 503, "when": "before", "path": "/cards/get", "count": 1});
    if ask_sandbox("/control/faults", &busy).await? {
        show("a busy server", client.call("/cards/get", &json!({"card_id": card_id})).await)?;
    }
    let lost = json!({"kind": "drop", "when": "after", "path": "/cards/freeze", "count": 1});
    if ask_sandbox("/control/faults", &lost).await? {
        let card = json!({"card_id": card_id, "external_user_id": user_id});
        show("an answer that is lost", client.call("/cards/freeze", &card).await)?;
    }
    Ok(())
}
