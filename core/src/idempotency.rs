//! Idempotency keys, and the fingerprint that tells a retry from another request.

use alloc::string::String;
use core::fmt;

use crate::digest::{Digest, digest_parts, hex};
use crate::error::{Error, ErrorCode, Result};
use crate::json::Canonical;
use crate::path::normalize_path;
use crate::payload::{invalid_payload, not_an_object};

/// What makes the server run a request once, however often it arrives (protocol: overview, idempotency).
///
/// Keep the key with the business event it stands for and send the same one with every retry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// A random key: a UUID of version 4 from the operating system's randomness.
    ///
    /// # Errors
    /// `entropy_unavailable`.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn generate() -> Result<Self> {
        Ok(Self::from_random(crate::host::random()?))
    }

    /// A random key from 16 random bytes.
    pub fn from_random(random: [u8; 16]) -> Self {
        Self(uuid(random, 4))
    }

    /// The key that belongs to an event: the same for the same `namespace` and `id`, on every machine.
    ///
    /// A UUID of version 8 made from SHA-256, in the manner of RFC 9562, appendix B.2.
    ///
    /// # Errors
    /// `invalid_idempotency_key` when a part is empty.
    ///
    /// ```
    /// use cardseal::IdempotencyKey;
    /// let key = IdempotencyKey::derive("topup", "invoice-42")?;
    /// assert_eq!(key.as_str(), "0d070fd6-04af-8724-b89c-f24408c2ec71");
    /// # Ok::<(), cardseal::Error>(())
    /// ```
    pub fn derive(namespace: &str, id: &str) -> Result<Self> {
        if namespace.is_empty() || id.is_empty() {
            return Err(invalid("a derived idempotency key needs a namespace and an id: one of them is empty"));
        }
        let digest = digest_parts(&[b"cardseal idempotency key v1", namespace.as_bytes(), id.as_bytes()]);
        Ok(Self(uuid(digest.first_chunk().copied().unwrap_or_default(), 8)))
    }

    /// A key of the caller's: 1 to 255 printable ASCII characters without space.
    ///
    /// # Errors
    /// `invalid_idempotency_key` for anything else.
    pub fn parse(key: &str) -> Result<Self> {
        if is_token(key) {
            return Ok(Self(key.into()));
        }
        Err(invalid("the idempotency key has to be 1 to 255 printable ASCII characters without spaces"))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for IdempotencyKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<IdempotencyKey> for String {
    fn from(key: IdempotencyKey) -> Self {
        key.0
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorCode::InvalidIdempotencyKey, message)
}

/// Whether a text can be a key in a header: API keys and idempotency keys alike.
pub(crate) fn is_token(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
}

fn uuid(mut bytes: [u8; 16], version: u8) -> String {
    let [.., version_byte, _, variant_byte, _, _, _, _, _, _, _] = &mut bytes;
    *version_byte = *version_byte & 0x0f | version << 4;
    *variant_byte = *variant_byte & 0x3f | 0x80;
    let mut text = hex(&bytes);
    for hyphen in [20, 16, 12, 8] {
        text.insert(hyphen, '-');
    }
    text
}

/// What a server compares when an idempotency key comes again: SHA-256 of path and canonical payload, in hexadecimal.
///
/// The root's `request_timestamp` is left out, so that a retry has the fingerprint of the first try.
///
/// # Errors
/// `invalid_path`, `invalid_payload`.
///
/// ```
/// let first = cardseal::fingerprint("/cards/topup", r#"{"request_timestamp":1,"card_id":"card_abc123","amount":"10.00"}"#)?;
/// let retry = cardseal::fingerprint("/api/v1/cards/topup", r#"{"amount":"10.00","card_id":"card_abc123"}"#)?;
/// assert_eq!(first, retry);
/// # Ok::<(), cardseal::Error>(())
/// ```
pub fn fingerprint(path: &str, payload: &str) -> Result<String> {
    let path = normalize_path(path)?;
    let canonical = read_canonical(payload)?;
    let mut digest = Digest::new();
    digest.update_part(b"cardseal fingerprint v1");
    digest.update_part(path.as_bytes());
    digest.update_length(canonical.len());
    canonical.write(&mut |piece| digest.update(piece.as_bytes()));
    Ok(hex(&digest.finish()))
}

/// The canonical form of a payload: members in the byte order of their names, one spelling for every escape, number
/// tokens as written, no white space, the root's `request_timestamp` left out.
///
/// # Errors
/// `invalid_payload` where the text is no strict JSON object.
///
/// ```
/// let text = r#"{ "b": 1.0, "a": "\u00e9\/", "request_timestamp": 5 }"#;
/// assert_eq!(cardseal::canonical_json(text)?, r#"{"a":"é/","b":1.0}"#);
/// # Ok::<(), cardseal::Error>(())
/// ```
pub fn canonical_json(json: &str) -> Result<String> {
    Ok((&read_canonical(json)?).into())
}

/// SHA-256 of a text's canonical form, in hexadecimal.
pub(crate) fn canonical_digest(json: &str) -> Result<String> {
    let mut digest = Digest::new();
    read_canonical(json)?.write(&mut |piece| digest.update(piece.as_bytes()));
    Ok(hex(&digest.finish()))
}

fn read_canonical(json: &str) -> Result<Canonical<'_>> {
    let canonical = Canonical::read(json).map_err(|fault| invalid_payload(&fault))?;
    if canonical.is_object() { Ok(canonical) } else { Err(not_an_object()) }
}
