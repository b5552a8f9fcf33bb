//! The ciphers beneath: bytes in place, and bytes to the base64 field of a body.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cardseal::{Envelope, hazmat};
use crypto_secretbox::XSalsa20Poly1305;
use crypto_secretbox::aead::{AeadInPlace, KeyInit};
use dryoc::classic::crypto_box::crypto_box_detached_afternm_inplace;

use crate::Result;
use crate::peers::{Base64, HEADER_BYTES, KEY, NONCE_BYTES, TAG_BYTES, VERSION, base64_engine, encode};
use crate::sodium::Sodium;

/// One implementation of NaCl's secretbox.
///
/// The nonce is an argument, and here always the same: a benchmark has no secrets, and the system's generator would
/// be measured as well.
pub trait Cipher {
    /// Encrypts `message` where it stands and returns its tag.
    ///
    /// # Errors
    /// None, in truth.
    fn seal_in_place(&mut self, message: &mut [u8], nonce: &[u8; NONCE_BYTES]) -> Result<[u8; TAG_BYTES]>;

    /// Encrypts `message` into the field of a body.
    ///
    /// # Errors
    /// None, in truth.
    fn encrypt(&mut self, message: &[u8], nonce: &[u8; NONCE_BYTES]) -> Result<String>;
}

/// The implementations, the one that the others are compared with first.
///
/// # Errors
/// When libsodium does not start.
pub fn all() -> Result<Vec<(&'static str, Box<dyn Cipher>)>> {
    let cardseal = Cardseal { envelope: Envelope::from_key(&KEY)? };
    let libsodium = Libsodium { sodium: Sodium::new()?, base64: base64_engine(), working: Vec::new() };
    let crypto_secretbox = CryptoSecretbox { cipher: XSalsa20Poly1305::new(&KEY.into()) };
    Ok(vec![
        ("cardseal", Box::new(cardseal)),
        ("libsodium", Box::new(libsodium)),
        ("crypto_secretbox", Box::new(crypto_secretbox)),
    ])
}

/// Makes sure that all make the same of a message.
///
/// # Errors
/// When they do not.
pub fn check(message: &[u8]) -> Result<()> {
    let mut results = Vec::new();
    for (name, mut cipher) in all()? {
        let mut text = message.to_vec();
        let tag = cipher.seal_in_place(&mut text, &NONCE)?;
        results.push((name, tag, text, cipher.encrypt(message, &NONCE)?));
    }
    let differs = |pair: &&[(&str, [u8; TAG_BYTES], Vec<u8>, String)]| {
        let [(_, tag, text, field), (_, other_tag, other_text, other_field)] = pair else { return true };
        (tag, text, field) != (other_tag, other_text, other_field)
    };
    match results.windows(2).find(differs) {
        None => Ok(()),
        Some(_) => Err(format!("the ciphers do not agree about a message of {} bytes", message.len()).into()),
    }
}

/// The nonce of every measurement.
pub const NONCE: [u8; NONCE_BYTES] = *b"a nonce for benches only";

/// This project, and in place `dryoc`, its engine.
#[derive(Debug)]
struct Cardseal {
    envelope: Envelope,
}

impl Cipher for Cardseal {
    fn seal_in_place(&mut self, message: &mut [u8], nonce: &[u8; NONCE_BYTES]) -> Result<[u8; TAG_BYTES]> {
        let mut tag = [0; TAG_BYTES];
        crypto_box_detached_afternm_inplace(message, &mut tag, nonce, &KEY);
        Ok(tag)
    }

    fn encrypt(&mut self, message: &[u8], nonce: &[u8; NONCE_BYTES]) -> Result<String> {
        Ok(hazmat::encrypt(&self.envelope, message, nonce)?)
    }
}

/// The library in C, with the quickest base64 and a buffer kept from call to call.
#[derive(Debug)]
struct Libsodium {
    sodium: Sodium,
    base64: Base64,
    working: Vec<u8>,
}

impl Cipher for Libsodium {
    fn seal_in_place(&mut self, message: &mut [u8], nonce: &[u8; NONCE_BYTES]) -> Result<[u8; TAG_BYTES]> {
        Ok(self.sodium.seal_in_place(message, nonce, &KEY))
    }

    fn encrypt(&mut self, message: &[u8], nonce: &[u8; NONCE_BYTES]) -> Result<String> {
        let Self { sodium, base64, working } = self;
        working.clear();
        working.push(VERSION);
        working.extend_from_slice(nonce);
        working.extend_from_slice(&[0; TAG_BYTES]);
        working.extend_from_slice(message);
        let (header, message) = working.split_at_mut(HEADER_BYTES);
        let tag = sodium.seal_in_place(message, nonce, &KEY);
        header[1 + NONCE_BYTES..].copy_from_slice(&tag);
        encode(base64, "", working, "")
    }
}

/// RustCrypto's, with plain base64.
struct CryptoSecretbox {
    cipher: XSalsa20Poly1305,
}

impl fmt::Debug for CryptoSecretbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CryptoSecretbox")
    }
}

impl Cipher for CryptoSecretbox {
    fn seal_in_place(&mut self, message: &mut [u8], nonce: &[u8; NONCE_BYTES]) -> Result<[u8; TAG_BYTES]> {
        let tag = self.cipher.encrypt_in_place_detached(nonce.into(), b"", message);
        Ok(tag.map_err(|_| "does not encrypt")?.into())
    }

    fn encrypt(&mut self, message: &[u8], nonce: &[u8; NONCE_BYTES]) -> Result<String> {
        let mut working = Vec::with_capacity(HEADER_BYTES + message.len());
        working.push(VERSION);
        working.extend_from_slice(nonce);
        working.extend_from_slice(&[0; TAG_BYTES]);
        working.extend_from_slice(message);
        let (header, message) = working.split_at_mut(HEADER_BYTES);
        let tag = self.seal_in_place(message, nonce)?;
        header[1 + NONCE_BYTES..].copy_from_slice(&tag);
        Ok(BASE64_STANDARD.encode(working))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ciphers_agree() -> Result<()> {
        [0, 1, 31, 32, 33, 63, 64, 65, 1_000].iter().try_for_each(|&length| check(&vec![b'x'; length]))
    }
}
