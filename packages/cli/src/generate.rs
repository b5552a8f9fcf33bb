//! `cardseal timestamp`, `cardseal idempotency-key` and `cardseal generate-secret`.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cardseal::{Error, ErrorCode, IdempotencyKey as Key, Timestamp};
use clap::Args;
use zeroize::Zeroizing;

use crate::failure::{Failure, Stop};
use crate::{answer, output};

/// Print an idempotency key, random or derived from an event
#[derive(Args)]
#[command(after_help = KEY_HELP)]
pub(crate) struct IdempotencyKey {
    /// Derive the key from a namespace and the event's id
    #[arg(long, num_args = 2, value_names = ["NAMESPACE", "ID"])]
    derive: Vec<String>,
}

const KEY_HELP: &str = "\
Keep a random key with its event and send it with every retry: the API charges once for each key.
A derived key is the same on every machine and needs no keeping.

Example: cardseal idempotency-key --derive topup invoice-42";

/// Print a new API secret of 256 random bits
#[derive(Args)]
#[command(after_help = SECRET_HELP)]
pub(crate) struct GenerateSecret {
    /// Write it as 64 hexadecimal digits
    #[arg(long)]
    hex: bool,
}

const SECRET_HELP: &str = "\
32 bytes from the operating system, written as 43 characters of url-safe base64 without padding.
Nobody can guess it. The secret is the text itself: nothing decodes it before use.

Example: (umask 077; cardseal generate-secret > secret.txt)";

pub(crate) fn timestamp() -> Result<(), Stop> {
    let timestamp = Timestamp::now()?;
    output::write_line(&timestamp.to_string())
}

pub(crate) fn idempotency_key(IdempotencyKey { derive }: &IdempotencyKey) -> Result<(), Stop> {
    let key: Result<Key, Error> = match derive.as_slice() {
        [namespace, id] => Key::derive(namespace, id),
        _ => Key::generate(),
    };
    output::write_line(key?.as_str())
}

pub(crate) fn secret(GenerateSecret { hex }: &GenerateSecret) -> Result<(), Stop> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes)
        .map_err(|_| Failure::refusal(ErrorCode::EntropyUnavailable, "the operating system gives no random bytes"))?;
    let text = if *hex { answer::hex(&*bytes) } else { BASE64_URL_SAFE_NO_PAD.encode(*bytes) };
    output::write_line(&Zeroizing::new(text))
}
