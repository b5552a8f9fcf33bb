//! A secret is replaced without an interruption: old bodies open as long as the old secret is there, new ones are sealed anew.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use account::variable;
use cardseal::{Envelope, Timestamp, Window};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct CardRequest {
    card_id: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (old_secret, new_secret) = (variable("CARDSEAL_SECRET")?, "the_secret_that_comes_next");
    let (before, after) = (Envelope::new(&old_secret)?, Envelope::new(new_secret)?);

    // 1. Wherever bodies are opened, the new secret comes first, and the old one stays for opening.
    let rotating = Envelope::builder().secret(new_secret).open_secret(&old_secret).build()?;
    let request = CardRequest { card_id: "card_abc123".to_owned() };
    let (old_body, new_body) = (before.seal(&request)?, rotating.seal(&request)?);

    // 2. Both kinds of bodies open. `key_index` says which secret a body has: 0 is the new one.
    for body in [&old_body, &new_body] {
        let request = rotating.open_request(body, Timestamp::wall_clock()?, Window::MAX)?;
        println!("opened with secret {} · {}", request.key_index, request.payload.parse::<CardRequest>()?.card_id);
    }
    let opened: CardRequest = after.open(&new_body)?;
    println!("what it seals opens with the new secret alone: {}", opened.card_id);

    // 3. When no old body has come for long enough, the old secret goes.
    match after.open::<CardRequest>(&old_body) {
        Err(error) => println!("the old secret is gone: {}", error.code()),
        Ok(_) => return Err("the old body still opens".into()),
    }
    Ok(())
}
