//! Webhooks: sealed like everything else, told apart by a dedupe key.

use alloc::string::{String, ToString};
use core::fmt;

use crate::envelope::{Body, Envelope, Opened, Plaintext};
use crate::error::Result;
use crate::idempotency::canonical_digest;
use crate::json::{Fault, Found, Nothing, Sink};
use crate::layout::Encrypted;
use crate::payload::{Edit, JsonText, not_an_object};
use crate::secretbox::Nonce;

/// A webhook that a receiver has opened (protocol: webhooks page, both versions).
///
/// Delivery is at least once: remember `dedupe_key` and answer `{"success": true}` with HTTP 200 to a repeat as well.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Webhook {
    /// The JSON object, to the letter.
    pub payload: Plaintext,
    /// `type`, or `event_type`: whichever is a string, in this order.
    pub event_type: Option<String>,
    /// The JSON text of `timestamp`, whatever it is.
    pub timestamp: Option<String>,
    /// `delivery_id`, if it is a string and not empty.
    pub delivery_id: Option<String>,
    /// `id:` and the delivery id, else `sha256:` and the digest of the canonical payload.
    pub dedupe_key: String,
    /// Which secret opened it: 0 for the one that seals, 1 and up for the older ones.
    pub key_index: usize,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { payload, event_type, timestamp: _, delivery_id: _, dedupe_key: _, key_index } = self;
        f.debug_struct("Webhook")
            .field("payload", payload)
            .field("event_type", event_type)
            .field("key_index", key_index)
            .finish_non_exhaustive()
    }
}

impl Envelope {
    /// Opens a webhook. It has no timestamp rule; anything sealed with the same secret opens as one.
    ///
    /// # Errors
    /// As [`open_json`](Self::open_json); `invalid_payload` also where the payload is no object.
    ///
    #[cfg_attr(feature = "std", doc = "```")]
    #[cfg_attr(not(feature = "std"), doc = "```ignore")]
    /// let envelope = cardseal::Envelope::new("your_api_secret_key_here")?;
    /// let body = envelope.seal_webhook_json(r#"{"event_type": "card.activated", "delivery_id": "d-1"}"#)?;
    /// let webhook = envelope.open_webhook(&body)?;
    /// assert_eq!(webhook.event_type.as_deref(), Some("card.activated"));
    /// assert_eq!(webhook.dedupe_key, "id:d-1");
    /// # Ok::<(), cardseal::Error>(())
    /// ```
    pub fn open_webhook<'b>(&self, body: impl Into<Body<'b>>) -> Result<Webhook> {
        self.unseal(body.into())?.into_webhook(&mut Nothing)
    }

    pub(crate) fn seal_webhook_with<'j>(
        &self,
        json: impl Into<JsonText<'j>>,
        nonce: impl FnOnce() -> Result<Nonce>,
    ) -> Result<Encrypted> {
        let json = json.into();
        json.read_object()?;
        self.encrypt_json(json, &Edit::NONE, nonce)
    }
}

impl Opened {
    /// Reads the text as a webhook, and hands it to `sink` on the way.
    ///
    /// # Errors
    /// `invalid_payload`.
    pub fn into_webhook(self, sink: &mut impl Sink<Error = Fault>) -> Result<Webhook> {
        let members = self.members(["type", "event_type", "timestamp", "delivery_id"], sink)?;
        if !members.is_object() {
            return Err(not_an_object());
        }
        let text = self.plaintext;
        let [type_member, event_type, timestamp, delivery_id] = members.found();
        let string = |member: &Option<Found>| {
            member.as_ref().and_then(|found| Some(found.string(&text)?.into_cow().into_owned()))
        };
        let event_type = string(type_member).or_else(|| string(event_type));
        let timestamp = timestamp.as_ref().map(|found| found.raw(&text).to_string());
        let delivery_id = string(delivery_id).filter(|id| !id.is_empty());
        let dedupe_key = match &delivery_id {
            Some(id) => ["id:", id].concat(),
            None => ["sha256:", &canonical_digest(&text)?].concat(),
        };
        Ok(Webhook { payload: text, event_type, timestamp, delivery_id, dedupe_key, key_index: self.key_index })
    }
}

#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
impl Envelope {
    /// Seals a webhook, an object given as JSON text, and returns the HTTP body. Nothing is added.
    ///
    /// # Errors
    /// `invalid_payload`, `already_sealed`, `too_large`; `entropy_unavailable`.
    pub fn seal_webhook_json(&self, json: &str) -> Result<String> {
        self.seal_webhook_with(json, crate::host::random).map(Encrypted::into_body)
    }

    /// Seals a webhook and returns the HTTP body. Nothing is added.
    ///
    /// # Errors
    /// As [`seal_webhook_json`](Self::seal_webhook_json); `invalid_payload` also where the payload has no JSON form.
    #[cfg(feature = "serde")]
    pub fn seal_webhook<T: serde::Serialize + ?Sized>(&self, payload: &T) -> Result<String> {
        self.seal_webhook_with(crate::json::written(payload)?, crate::host::random).map(crate::json::into_body)
    }
}
