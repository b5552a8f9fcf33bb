//! The key holder that everybody calls.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::{Deref, Range};

use zeroize::Zeroize;

use crate::error::{Error, ErrorCode, Result};
use crate::json::{self, Fault, Members, Sink, Unescaped, decimal};
use crate::key::Key;
use crate::layout::{self, Encrypted, FIELD_NAME, Layout};
use crate::payload::{Edit, JsonText};
use crate::secretbox::{self, Nonce};
use crate::timestamp::Timestamp;
use crate::wipe::{Wipe, Wiped};

/// Holds a key and seals and opens with it.
///
/// Cheap to share between threads by reference; make one and keep it. Its keys are wiped when it is dropped and never
/// printed. When you outgrow it: [`EnvelopeBuilder`] has the options, [`crate::hazmat`] takes nonces from you.
///
#[cfg_attr(all(feature = "std", feature = "serde"), doc = "```")]
#[cfg_attr(not(all(feature = "std", feature = "serde")), doc = "```ignore")]
/// use cardseal::{Envelope, RequestOptions};
/// use serde_json::json;
///
/// let envelope = Envelope::new("your_api_secret_key_here")?;
/// let options = RequestOptions::new("key_1").idempotency_key("topup-invoice-42");
/// let request = envelope.seal_request("/cards/topup", &json!({"card_id": "card_abc123", "amount": "10.00"}), &options)?;
/// assert_eq!(request.path, "/api/v1/cards/topup");
/// assert_eq!(request.headers[2], ("Idempotency-Key", "topup-invoice-42".to_owned()));
/// # Ok::<(), cardseal::Error>(())
/// ```
#[derive(Clone)]
pub struct Envelope {
    sealing: Key,
    older: Vec<Key>,
    layout: Layout,
    max_bytes: usize,
}

/// How large an HTTP body may be unless told otherwise: 10 MiB.
pub const DEFAULT_MAX_BYTES: usize = 10 * 1024 * 1024;

/// How many older secrets an envelope takes.
pub const MAX_OPEN_SECRETS: usize = 4;

impl Envelope {
    /// An envelope for an API secret, with the versioned layout.
    ///
    /// # Errors
    /// `invalid_key` for a secret of fewer than 8 bytes.
    pub fn new(secret: &str) -> Result<Self> {
        Self::builder().secret(secret).build()
    }

    /// An envelope for a raw key of 32 bytes, which is used as it is.
    ///
    /// # Errors
    /// `invalid_key` for any other length.
    pub fn from_key(key: &[u8]) -> Result<Self> {
        Self::builder().key(key).build()
    }

    /// An envelope with options.
    pub fn builder() -> EnvelopeBuilder {
        EnvelopeBuilder::default()
    }

    /// The layout that this envelope writes and reads.
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// The largest HTTP body, in bytes, that this envelope writes and reads.
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Opens a sealed body and returns its JSON text, whatever value that is.
    ///
    /// No timestamp rule applies: a server uses [`open_request`](Self::open_request).
    ///
    /// # Errors
    /// `too_large`, `invalid_json`, `envelope_not_found`, `invalid_envelope`, `unsupported_version`,
    /// `decryption_failed`, `invalid_payload`, in this order.
    pub fn open_json<'b>(&self, body: impl Into<Body<'b>>) -> Result<Plaintext> {
        self.unseal(body.into())?.into_json(&mut json::Nothing)
    }

    /// Opens a sealed body into a type of yours.
    ///
    /// # Errors
    /// As [`open_json`](Self::open_json); `invalid_payload` also where the payload does not fit the type.
    ///
    /// ```
    /// let envelope = cardseal::Envelope::new("your_api_secret_key_here")?;
    /// let body = envelope.seal_response(&["card_abc123"])?;
    /// assert_eq!(envelope.open::<Vec<String>>(&body)?, ["card_abc123"]);
    /// # Ok::<(), cardseal::Error>(())
    /// ```
    #[cfg(feature = "serde")]
    pub fn open<'b, T: serde::de::DeserializeOwned>(&self, body: impl Into<Body<'b>>) -> Result<T> {
        self.open_json(body)?.parse()
    }

    /// Opens the `encrypted` field alone: whatever bytes were encrypted, which nobody wipes.
    ///
    /// # Errors
    /// `too_large`, `invalid_envelope`, `unsupported_version`, `decryption_failed`.
    pub fn decrypt(&self, field: &str) -> Result<Vec<u8>> {
        let mut opened = self.open_sealed(self.find_field(Body::Field(field))?.decode(self.layout)?)?;
        Ok(core::mem::take(&mut *opened.message))
    }

    /// A request payload, stamped unless it is.
    pub(crate) fn seal_with<'j>(
        &self,
        json: impl Into<JsonText<'j>>,
        stamp: impl FnOnce() -> Result<Timestamp>,
        nonce: impl FnOnce() -> Result<Nonce>,
    ) -> Result<Encrypted> {
        let json = json.into();
        let edit = json.read_object()?.stamped(stamp)?;
        self.encrypt_json(json, &edit, nonce)
    }

    /// Any JSON value as it is.
    pub(crate) fn seal_response_with<'j>(
        &self,
        json: impl Into<JsonText<'j>>,
        nonce: impl FnOnce() -> Result<Nonce>,
    ) -> Result<Encrypted> {
        let json = json.into();
        json.read_unsealed()?;
        self.encrypt_json(json, &Edit::NONE, nonce)
    }

    /// Encrypts text that the caller has made sure of, changed as `edit` says.
    pub(crate) fn encrypt_json(
        &self,
        json: JsonText<'_>,
        edit: &Edit,
        nonce: impl FnOnce() -> Result<Nonce>,
    ) -> Result<Encrypted> {
        match json {
            JsonText::Given(_) => self.encrypt_pieces(&edit.pieces(json.as_bytes()), &nonce()?),
            #[cfg(feature = "writer")]
            JsonText::Placed(placed) => self.encrypt_buffer(placed.into_buffer(), edit, nonce),
            #[cfg(feature = "writer")]
            JsonText::Written(writer) => self.encrypt_buffer(writer.into_buffer(), edit, nonce),
        }
    }

    /// Encrypts a text where it stands, with room before it, changed as `edit` says.
    #[cfg(feature = "writer")]
    fn encrypt_buffer(
        &self,
        (mut buffer, Range { start, end }): (Wiped<Vec<u8>>, Range<usize>),
        edit: &Edit,
        nonce: impl FnOnce() -> Result<Nonce>,
    ) -> Result<Encrypted> {
        let start = edit.apply(&mut buffer, start).ok_or_else(|| too_large(self.max_bytes))?;
        self.check_size(layout::field_bytes(self.layout, end.saturating_sub(start)))?;
        self.encrypt_in_place(buffer, start..end, &nonce()?)
    }

    /// Encrypts any bytes.
    pub(crate) fn encrypt_with(&self, message: &[u8], nonce: &Nonce) -> Result<Encrypted> {
        self.encrypt_pieces(&[message], nonce)
    }

    /// Puts `pieces` behind room for a header and encrypts them there: one buffer, of its final size from the start.
    fn encrypt_pieces(&self, pieces: &[&[u8]], nonce: &Nonce) -> Result<Encrypted> {
        let message_bytes = pieces.iter().map(|piece| piece.len()).sum();
        self.check_size(layout::field_bytes(self.layout, message_bytes))?;
        let header_bytes = self.layout.header_bytes();
        let mut working = Wiped::new(Vec::with_capacity(header_bytes + message_bytes));
        working.resize(header_bytes, 0);
        for piece in pieces {
            working.extend_from_slice(piece);
        }
        let message = header_bytes..working.len();
        self.encrypt_in_place(working, message, nonce)
    }

    /// Encrypts a message where it stands in a buffer, and puts the header before it.
    fn encrypt_in_place(&self, mut buffer: Wiped<Vec<u8>>, message: Range<usize>, nonce: &Nonce) -> Result<Encrypted> {
        let Range { start, end } = message;
        let header_start = start.checked_sub(self.layout.header_bytes());
        let parts = buffer.split_at_mut_checked(start).and_then(|(before, rest)| {
            let message = rest.get_mut(..end.checked_sub(start)?)?;
            let header = before.get_mut(header_start?..)?;
            let (version, rest) = header.split_at_mut_checked(self.layout.version().len())?;
            let (nonce, tag) = rest.split_first_chunk_mut()?;
            Some((version, nonce, tag.first_chunk_mut()?, message))
        });
        let (Some(header_start), Some((version_slot, nonce_slot, tag_slot, message))) = (header_start, parts) else {
            return Err(too_large(self.max_bytes)); // cannot be: but if it were, nothing may leave in plaintext
        };
        version_slot.copy_from_slice(self.layout.version());
        *nonce_slot = *nonce;
        *tag_slot = secretbox::seal(&self.sealing, nonce, message);
        if let Some(unused) = buffer.get_mut(..header_start) {
            unused.zeroize(); // an edit may have moved text out of it
        }
        // What is in the buffer now is ciphertext, of this message or an earlier one: there is nothing left to wipe.
        Ok(Encrypted::new(core::mem::take(&mut *buffer), header_start..end))
    }

    fn check_size(&self, field_bytes: Option<usize>) -> Result<()> {
        match field_bytes {
            Some(field_bytes) if layout::body_bytes(field_bytes) <= self.max_bytes => Ok(()),
            _ => Err(too_large(self.max_bytes)),
        }
    }

    /// Finds the field of a body that is not too large.
    ///
    /// A body that is exactly as sealing writes one is not read as JSON: if its middle is canonical base64, which has no
    /// character that JSON would treat specially, then it is strict JSON with that field and nothing else. If not, the
    /// reader says what is wrong.
    pub(crate) fn find_field<'b>(&self, body: Body<'b>) -> Result<Field<'b>> {
        match body {
            Body::Bytes(bytes) => {
                if cfg!(not(feature = "small"))
                    && bytes.len() <= self.max_bytes
                    && let Some(text) = layout::field_alone(bytes)
                    && let Ok(decoded) = layout::decode(self.layout, text)
                {
                    return Ok(Field { text: Cow::Borrowed(text), decoded: Some(decoded) });
                }
                let text = match find_field_within(bytes, self.max_bytes)? {
                    Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                    Cow::Owned(text) => Cow::Owned(text.into_bytes()),
                };
                Ok(Field { text, decoded: None })
            }
            Body::Field(field) => {
                self.check_size(Some(field.len()))?;
                Ok(Field { text: Cow::Borrowed(field.as_bytes()), decoded: None })
            }
        }
    }

    /// Decrypts a body that is not too large.
    pub(crate) fn unseal(&self, body: Body<'_>) -> Result<Opened> {
        self.open_field(self.find_field(body)?)
    }

    /// Decrypts a field into text.
    pub(crate) fn open_field(&self, field: Field<'_>) -> Result<Opened> {
        self.open_sealed(field.decode(self.layout)?)?.into_text()
    }

    pub(crate) fn open_sealed(&self, sealed: layout::Sealed) -> Result<Message> {
        let layout::Sealed { nonce, tag, mut message } = sealed;
        let mut keys = core::iter::once(&self.sealing).chain(&self.older);
        match keys.position(|key| secretbox::open(key, &nonce, &tag, &mut message)) {
            Some(key_index) => Ok(Message { message, nonce, key_index }),
            None => Err(Error::new(
                ErrorCode::DecryptionFailed,
                "no secret opens this envelope: it was sealed with another secret, or altered on the way",
            )),
        }
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sealing: _, older, layout, max_bytes } = self;
        f.debug_struct("Envelope")
            .field("layout", layout)
            .field("open_secrets", &older.len())
            .field("max_bytes", max_bytes)
            .finish_non_exhaustive()
    }
}

/// The field of a body, and what it decodes to where that is known already.
pub(crate) struct Field<'b> {
    pub(crate) text: Cow<'b, [u8]>,
    decoded: Option<layout::Sealed>,
}

impl Field<'_> {
    fn decode(self, layout: Layout) -> Result<layout::Sealed> {
        self.decoded.map_or_else(|| layout::decode(layout, &self.text), Ok)
    }
}

/// Finds the field of an HTTP body that is not too large.
pub(crate) fn find_field_within(body: &[u8], max_bytes: usize) -> Result<Cow<'_, str>> {
    if body.len() > max_bytes { Err(too_large(max_bytes)) } else { find_field(body) }
}

fn too_large(max_bytes: usize) -> Error {
    let message =
        ["the body has more than ", &decimal(max_bytes as u64), " bytes: send less, or raise `max_bytes`"].concat();
    Error::new(ErrorCode::TooLarge, message)
}

/// Reads an HTTP body strictly and finds its field.
pub(crate) fn find_field(body: &[u8]) -> Result<Cow<'_, str>> {
    let mut members = Members::new([FIELD_NAME]);
    let text = json::read_utf8(body, &mut members.finder()).map_err(|fault| {
        Error::new(ErrorCode::InvalidJson, ["the body is not strict JSON: ", &fault.description()].concat())
    })?;
    let [field] = members.found();
    let field = field.as_ref().ok_or_else(|| {
        let message = "the body has no `encrypted` member: it was not sealed, or it is an error in plain text";
        Error::new(ErrorCode::EnvelopeNotFound, message)
    })?;
    field
        .string(text)
        .map(Unescaped::into_cow)
        .ok_or_else(|| Error::new(ErrorCode::InvalidEnvelope, "`encrypted` is not a string: put the base64 text there"))
}

pub(crate) fn opened_text_invalid(fault: &Fault) -> Error {
    Error::new(
        ErrorCode::InvalidPayload,
        ["what the envelope holds is not strict JSON: ", &fault.description()].concat(),
    )
}

/// What came out of the cipher.
pub(crate) struct Message {
    pub(crate) message: Wiped<Vec<u8>>,
    nonce: Nonce,
    pub(crate) key_index: usize,
}

impl Message {
    pub(crate) fn into_text(mut self) -> Result<Opened> {
        match String::from_utf8(core::mem::take(&mut *self.message)) {
            Ok(text) => Ok(Opened { plaintext: Plaintext::new(text), nonce: self.nonce, key_index: self.key_index }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                error.into_bytes().wipe();
                Err(opened_text_invalid(&Fault::new(json::FaultKind::Utf8, at)))
            }
        }
    }
}

/// A body that decrypted to text, and under which of the secrets. Nothing has read the text yet.
#[derive(Debug)]
pub struct Opened {
    pub(crate) plaintext: Plaintext,
    pub(crate) nonce: Nonce,
    pub(crate) key_index: usize,
}

impl Opened {
    /// Reads the text, whatever value it is, and hands it to `sink` on the way.
    ///
    /// # Errors
    /// `invalid_payload`, also where the sink stops.
    pub fn into_json(self, sink: &mut impl Sink<Error = Fault>) -> Result<Plaintext> {
        self.read(sink)?;
        Ok(self.plaintext)
    }

    /// Reads the text strictly, once, for `members` and for the caller's sink.
    pub(crate) fn members<const N: usize>(
        &self,
        names: [&'static str; N],
        sink: &mut impl Sink<Error = Fault>,
    ) -> Result<Members<N>> {
        let mut members = Members::new(names);
        self.read(&mut (&mut members.finder(), sink))?;
        Ok(members)
    }

    fn read(&self, sink: &mut impl Sink<Error = Fault>) -> Result<()> {
        json::read(&self.plaintext, sink).map_err(|fault| opened_text_invalid(&fault))
    }
}

/// A sealed HTTP body as it reaches an opener: bytes or text, or the field of a body that a framework has parsed.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Body<'b> {
    /// The whole body.
    Bytes(&'b [u8]),
    /// The string that stood under `encrypted`: the outer body's syntax was the framework's to check.
    Field(&'b str),
}

impl<'b> From<&'b str> for Body<'b> {
    fn from(body: &'b str) -> Self {
        Self::Bytes(body.as_bytes())
    }
}

impl<'b> From<&'b String> for Body<'b> {
    fn from(body: &'b String) -> Self {
        Self::Bytes(body.as_bytes())
    }
}

impl<'b> From<&'b [u8]> for Body<'b> {
    fn from(body: &'b [u8]) -> Self {
        Self::Bytes(body)
    }
}

impl<'b> From<&'b Vec<u8>> for Body<'b> {
    fn from(body: &'b Vec<u8>) -> Self {
        Self::Bytes(body)
    }
}

impl<'b, const N: usize> From<&'b [u8; N]> for Body<'b> {
    fn from(body: &'b [u8; N]) -> Self {
        Self::Bytes(body)
    }
}

/// Decrypted JSON text. Reads as a `str`, is wiped when dropped, and never printed by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Plaintext(Wiped<String>);

impl Plaintext {
    pub(crate) fn new(text: String) -> Self {
        Self(Wiped::new(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as a plain `String`, which nobody wipes.
    pub fn into_string(mut self) -> String {
        core::mem::take(&mut *self.0)
    }

    /// The value as a type of yours, the same that `serde_json` gives.
    ///
    /// It is asked itself where a type takes bytes, integers of 128 bits or raw JSON, and where the text does not fit: then what it
    /// keeps on the way, of strings with escapes, is not wiped, and the type has been asked twice.
    ///
    /// # Errors
    /// `invalid_payload` where the text does not fit the type.
    #[cfg(feature = "serde")]
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        if let Some(value) = json::parse(self) {
            return Ok(value);
        }
        // serde's messages quote the value, which is plaintext: only the place is kept.
        let mut reader = serde_json::Deserializer::from_str(self);
        reader.disable_recursion_limit(); // the strict reader has counted the levels, one more than serde_json would
        let value = T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
        value.map_err(|error| {
            let message = alloc::format!("the payload does not fit the type asked for (column {})", error.column());
            Error::new(ErrorCode::InvalidPayload, message)
        })
    }
}

impl Deref for Plaintext {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext({} bytes)", self.0.len())
    }
}

/// The options of an [`Envelope`].
///
/// ```
/// use cardseal::{Envelope, Layout};
/// let envelope = Envelope::builder()
///     .secret("the_new_secret")
///     .open_secret("the_old_secret") // opens, never seals: for the days of a rotation
///     .layout(Layout::Bare)
///     .max_bytes(1024 * 1024)
///     .build()?;
/// assert_eq!(format!("{envelope:?}"), "Envelope { layout: Bare, open_secrets: 1, max_bytes: 1048576, .. }");
/// # Ok::<(), cardseal::Error>(())
/// ```
#[derive(Default)]
pub struct EnvelopeBuilder {
    sealing: Option<(Source, Result<Key>)>,
    older: Vec<(Source, Result<Key>)>,
    layout: Layout,
    max_bytes: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Secret,
    RawKey,
}

impl EnvelopeBuilder {
    /// The API secret to seal and open with.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        self.sealing = Some((Source::Secret, Key::from_secret(secret)));
        self
    }

    /// The raw key of 32 bytes to seal and open with, in the place of a secret.
    #[must_use]
    pub fn key(mut self, key: &[u8]) -> Self {
        self.sealing = Some((Source::RawKey, Key::from_bytes(key)));
        self
    }

    /// One more older secret that only opens; at most four, tried in order.
    #[must_use]
    pub fn open_secret(mut self, secret: &str) -> Self {
        self.older.push((Source::Secret, Key::from_secret(secret)));
        self
    }

    /// One more older raw key that only opens; at most four, tried in order.
    #[must_use]
    pub fn open_key(mut self, key: &[u8]) -> Self {
        self.older.push((Source::RawKey, Key::from_bytes(key)));
        self
    }

    /// The layout; [`Layout::Versioned`] unless called.
    #[must_use]
    pub const fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// The largest HTTP body in bytes, 1 to 4,294,967,295; 10 MiB unless called.
    #[must_use]
    pub const fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = Some(max_bytes);
        self
    }

    /// The envelope.
    ///
    /// # Errors
    /// `invalid_option` for more than four older secrets, secrets and raw keys mixed, or `max_bytes` out of range;
    /// `invalid_key` for a secret that is too short or a raw key of another length than 32, or for none.
    pub fn build(self) -> Result<Envelope> {
        let Self { sealing, older, layout, max_bytes } = self;
        let invalid_option = |message: &'static str| Err(Error::new(ErrorCode::InvalidOption, message));
        let Some((source, sealing)) = sealing else {
            return Err(Error::new(ErrorCode::InvalidKey, "there is no secret: hand one in"));
        };
        if older.len() > MAX_OPEN_SECRETS {
            return invalid_option("there are more than 4 older secrets: keep those of the last rotations alone");
        }
        if older.iter().any(|(older, _)| *older != source) {
            return invalid_option("secrets and raw keys are mixed: use one kind for sealing and opening");
        }
        let max_bytes = max_bytes.unwrap_or(DEFAULT_MAX_BYTES);
        if max_bytes == 0 || u32::try_from(max_bytes).is_err() {
            return invalid_option("`max_bytes` is out of range: use 1 to 4294967295");
        }
        let older = older.into_iter().map(|(_, key)| key).collect::<Result<_>>()?;
        Ok(Envelope { sealing: sealing?, older, layout, max_bytes })
    }
}

impl fmt::Debug for EnvelopeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sealing: _, older, layout, max_bytes } = self;
        f.debug_struct("EnvelopeBuilder")
            .field("layout", layout)
            .field("open_secrets", &older.len())
            .field("max_bytes", max_bytes)
            .finish_non_exhaustive()
    }
}

/// The calls that draw on the system's clock and randomness.
#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
mod with_host {
    use super::{Encrypted, Envelope, Result, String};
    use crate::host;
    #[cfg(feature = "serde")]
    use crate::json;
    use crate::timestamp::Timestamp;

    impl Envelope {
        /// Seals a request payload given as JSON text, and returns the HTTP body.
        ///
        /// The text is kept to the letter, but for white space around it and a `request_timestamp`, which is added as
        /// the first member unless one is there.
        ///
        /// # Errors
        /// `invalid_payload`, `already_sealed`, `invalid_timestamp`, `too_large`, in this order; `clock_unavailable`,
        /// `entropy_unavailable`.
        pub fn seal_json(&self, json: &str) -> Result<String> {
            self.seal_with(json, Timestamp::now, host::random).map(Encrypted::into_body)
        }

        /// Seals a response, any JSON value given as text, without a timestamp.
        ///
        /// # Errors
        /// `invalid_payload`, `already_sealed`, `too_large`; `entropy_unavailable`.
        pub fn seal_response_json(&self, json: &str) -> Result<String> {
            self.seal_response_with(json, host::random).map(Encrypted::into_body)
        }

        /// Encrypts any bytes into what goes under `encrypted`.
        ///
        /// # Errors
        /// `too_large`, `entropy_unavailable`.
        pub fn encrypt(&self, message: &[u8]) -> Result<String> {
            self.encrypt_with(message, &host::random()?).map(Encrypted::into_field)
        }

        /// Seals a request payload and returns the HTTP body.
        ///
        /// # Errors
        /// As [`seal_json`](Self::seal_json); `invalid_payload` also where the payload has no JSON form. (`serde_json`
        /// gives NaN and the infinities the form `null`.)
        #[cfg(feature = "serde")]
        pub fn seal<T: serde::Serialize + ?Sized>(&self, payload: &T) -> Result<String> {
            self.seal_with(json::written(payload)?, Timestamp::now, host::random).map(json::into_body)
        }

        /// Seals a response, any value, without a timestamp.
        ///
        /// # Errors
        /// As [`seal_response_json`](Self::seal_response_json); `invalid_payload` also where the payload has no JSON form.
        #[cfg(feature = "serde")]
        pub fn seal_response<T: serde::Serialize + ?Sized>(&self, payload: &T) -> Result<String> {
            self.seal_response_with(json::written(payload)?, host::random).map(json::into_body)
        }
    }
}
