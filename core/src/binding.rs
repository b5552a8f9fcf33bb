//! What the bindings of this project call beneath the public API: the same rules in smaller steps.
//!
//! **Unstable**: it may change in any release. The steps are apart where a host needs them to be: to let other threads
//! run during the one that touches no object of the host, to build the host's objects while a text is read, and to write
//! a result where the host keeps it.

pub use crate::envelope::Opened;
#[cfg(all(feature = "writer", feature = "std"))]
pub use crate::json::buffers::{keep, writer};
pub use crate::layout::Encrypted;
pub use crate::payload::JsonText;
#[cfg(feature = "writer")]
pub use crate::payload::Placed;
pub use crate::request::RequestHead;
pub use crate::response::{OpenedResponse, PLAIN_MEMBERS};
pub use crate::wipe::{Wipe, Wiped};

use crate::envelope::{Body, Envelope};
use crate::error::{Result, quoted};
use crate::hazmat::Host;
use crate::json::{Fault, FaultKind};
use crate::payload;
use crate::request::SealedRequest;
use crate::response::ResponseError;

/// User input as it stands in a message.
pub fn quote(input: &str) -> alloc::string::String {
    quoted(input)
}

/// Bytes that a host hands over as JSON text to be sealed.
///
/// # Errors
/// `invalid_payload` for what is no UTF-8.
pub fn payload_text(bytes: &[u8]) -> Result<&str> {
    let fault = |error: core::str::Utf8Error| Fault::new(FaultKind::Utf8, error.valid_up_to());
    core::str::from_utf8(bytes).map_err(|error| payload::invalid_payload(&fault(error)))
}

/// [`Envelope::seal_json`] with the time and the nonces of a host, without its last step.
///
/// # Errors
/// As there.
pub fn seal_on<'j>(host: &impl Host, envelope: &Envelope, json: impl Into<JsonText<'j>>) -> Result<Encrypted> {
    envelope.seal_with(json, || host.stamp(), || host.nonce())
}

/// [`Envelope::seal_request_json`] with the time and the nonces of a host, without its first step and its last.
///
/// # Errors
/// As there.
pub fn seal_request_on<'j>(
    host: &impl Host,
    envelope: &Envelope,
    head: RequestHead,
    json: impl Into<JsonText<'j>>,
) -> Result<SealedRequest<Encrypted>> {
    envelope.seal_request_with(head, json, || host.stamp(), || host.nonce())
}

/// [`Envelope::seal_response_json`] with the nonces of a host, without its last step.
///
/// # Errors
/// As there.
pub fn seal_response_on<'j>(host: &impl Host, envelope: &Envelope, json: impl Into<JsonText<'j>>) -> Result<Encrypted> {
    envelope.seal_response_with(json, || host.nonce())
}

/// [`Envelope::seal_webhook_json`] with the nonces of a host, without its last step.
///
/// # Errors
/// As there.
pub fn seal_webhook_on<'j>(host: &impl Host, envelope: &Envelope, json: impl Into<JsonText<'j>>) -> Result<Encrypted> {
    envelope.seal_webhook_with(json, || host.nonce())
}

/// The first step of every opening: decrypts, and leaves the text unread.
///
/// # Errors
/// As [`Envelope::open_json`] up to `decryption_failed`; `invalid_payload` for what is no UTF-8.
pub fn unseal(envelope: &Envelope, body: Body<'_>) -> Result<Opened> {
    envelope.unseal(body)
}

/// The first step of [`Envelope::open_response_json`].
///
/// # Errors
/// `reflected_response`; everything else is for the second step to say.
pub fn unseal_response<'b>(
    envelope: &Envelope,
    status: u16,
    body: Body<'b>,
    request: Option<&str>,
) -> Result<OpenedResponse<'b>, ResponseError> {
    envelope.unseal_response(status, body, request)
}

#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
pub use with_host::{encrypt, seal, seal_request, seal_response, seal_webhook};

#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
mod with_host {
    use super::{Encrypted, Envelope, JsonText, Result};
    use crate::host::random;
    use crate::request::{RequestHead, SealedRequest};
    use crate::timestamp::Timestamp;

    /// [`Envelope::seal_json`] without its last step.
    ///
    /// # Errors
    /// As there.
    pub fn seal(envelope: &Envelope, json: JsonText<'_>) -> Result<Encrypted> {
        envelope.seal_with(json, Timestamp::now, random)
    }

    /// [`Envelope::seal_request_json`] without its first step and its last.
    ///
    /// # Errors
    /// As there.
    pub fn seal_request(
        envelope: &Envelope,
        head: RequestHead,
        json: JsonText<'_>,
    ) -> Result<SealedRequest<Encrypted>> {
        envelope.seal_request_with(head, json, Timestamp::now, random)
    }

    /// [`Envelope::seal_response_json`] without its last step.
    ///
    /// # Errors
    /// As there.
    pub fn seal_response(envelope: &Envelope, json: JsonText<'_>) -> Result<Encrypted> {
        envelope.seal_response_with(json, random)
    }

    /// [`Envelope::seal_webhook_json`] without its last step.
    ///
    /// # Errors
    /// As there.
    pub fn seal_webhook(envelope: &Envelope, json: JsonText<'_>) -> Result<Encrypted> {
        envelope.seal_webhook_with(json, random)
    }

    /// [`Envelope::encrypt`] without its last step.
    ///
    /// # Errors
    /// As there.
    pub fn encrypt(envelope: &Envelope, message: &[u8]) -> Result<Encrypted> {
        envelope.encrypt_with(message, &random()?)
    }
}
