//! The API's own example: a payload is encrypted and decrypted again. It needs the crate `cardseal` alone.
//!
//! Run it with `cargo run --bin encrypted_payload`; in a crate of your own after `cargo add cardseal`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use cardseal::Envelope;

fn main() -> Result<(), Box<dyn Error>> {
    let secret = std::env::var("CARDSEAL_SECRET").unwrap_or_else(|_| "your_api_secret_key_here".to_owned());
    let envelope = Envelope::new(&secret)?;
    let payload = r#"{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}"#;

    // As the document does it: text in, the field out, and back.
    let field = envelope.encrypt(payload.as_bytes())?;
    println!("field   {field}");
    let decrypted = String::from_utf8(envelope.decrypt(&field)?)?;
    println!("payload {decrypted}");

    // The same in one step each: the whole HTTP body, with a timestamp of now unless there is one. With the feature
    // `serde` there are `seal` and `open` too, for types of your own.
    let body = envelope.seal_json(r#"{"card_id": "card_abc123"}"#)?;
    println!("body    {body}");
    println!("payload {}", envelope.open_json(&body)?.as_str());

    if decrypted != payload {
        return Err("another payload came out".into());
    }
    Ok(())
}
