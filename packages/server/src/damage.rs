//! Sealed bodies that a client has to refuse, for the faults that send them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cardseal::Envelope;
use serde_json::{Value, json};

/// The body with the lowest bit of its authentication tag flipped.
pub(crate) fn flip_tag(body: &str) -> Option<String> {
    change(body, TAG_START, |byte| byte ^ 1)
}

/// The body with a version byte of a format to come.
pub(crate) fn change_version(body: &str) -> Option<String> {
    change(body, 0, |_| 3)
}

/// The payload sealed with a key that nobody has.
pub(crate) fn seal_with_other_key(payload: &Value) -> Option<String> {
    let stranger = Envelope::new("a secret that belongs to nobody").ok()?;
    stranger.seal_response_json(&payload.to_string()).ok()
}

fn change(body: &str, at: usize, with: impl FnOnce(u8) -> u8) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let mut bytes = STANDARD.decode(body.get("encrypted")?.as_str()?).ok()?;
    let byte = bytes.get_mut(at)?;
    *byte = with(*byte);
    Some(json!({"encrypted": STANDARD.encode(bytes)}).to_string())
}

/// After the version byte and the nonce.
const TAG_START: usize = 25;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_damage_is_told_apart_by_a_client() {
        let envelope = Envelope::new("your_api_secret_key_here").unwrap();
        let payload = json!({"a": 1});
        let body = envelope.seal_response(&payload).unwrap();
        let code = |body: Option<String>| envelope.open_json(&body.unwrap()).unwrap_err().code();
        assert_eq!(code(flip_tag(&body)), "decryption_failed");
        assert_eq!(code(change_version(&body)), "unsupported_version");
        assert_eq!(code(seal_with_other_key(&payload)), "decryption_failed");
    }
}
