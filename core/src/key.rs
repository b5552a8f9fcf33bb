//! From the API secret to the cipher's key.

use alloc::boxed::Box;
use core::fmt;

use zeroize::Zeroize;

use crate::digest::Digest;
use crate::error::{Error, ErrorCode, Result};
use crate::json::decimal;

/// A secretbox key. Boxed so that moving it leaves no copy behind; wiped when dropped; never printed.
#[derive(Clone)]
pub(crate) struct Key(Box<[u8; KEY_BYTES]>);

pub(crate) const KEY_BYTES: usize = 32;

const MIN_SECRET_BYTES: usize = 8;

impl Key {
    /// SHA-256 of the secret's UTF-8 bytes: nothing trimmed, nothing normalised.
    pub(crate) fn from_secret(secret: &str) -> Result<Self> {
        if secret.len() < MIN_SECRET_BYTES {
            let message = [
                "the secret has ",
                &decimal(secret.len() as u64),
                " bytes: use at least ",
                &decimal(MIN_SECRET_BYTES as u64),
            ]
            .concat();
            return Err(Error::new(ErrorCode::InvalidKey, message));
        }
        let mut key = Box::new([0; KEY_BYTES]);
        let mut digest = Digest::new();
        digest.update(secret.as_bytes());
        digest.finish_into(&mut key);
        Ok(Self(key))
    }

    /// The bytes as they are.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut key = Box::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            let message =
                ["the key has ", &decimal(bytes.len() as u64), " bytes: a raw key has ", &decimal(KEY_BYTES as u64)]
                    .concat();
            return Err(Error::new(ErrorCode::InvalidKey, message));
        }
        key.copy_from_slice(bytes);
        Ok(Self(key))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let Self(bytes) = self;
        bytes.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}
