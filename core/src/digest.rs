//! SHA-256, over parts too, and its hexadecimal form.

use alloc::string::String;

use sha2::{Digest as _, Sha256};

/// SHA-256 in steps. What they are made of stands in the code once, not wherever something is hashed.
pub(crate) struct Digest(Sha256);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    #[cfg_attr(feature = "small", inline(never))]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds a part, led by its length as four big-endian bytes, so that no two lists of parts give the same input.
    pub(crate) fn update_part(&mut self, part: &[u8]) {
        self.update_length(part.len());
        self.update(part);
    }

    /// Adds the four bytes that lead a part. No part is longer: texts and bodies end at 4 GiB.
    pub(crate) fn update_length(&mut self, length: usize) {
        self.update(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }

    /// Writes the digest, and leaves no copy behind.
    #[cfg_attr(feature = "small", inline(never))]
    pub(crate) fn finish_into(self, digest: &mut [u8; 32]) {
        self.0.finalize_into(digest.into());
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        let mut digest = [0; 32];
        self.finish_into(&mut digest);
        digest
    }
}

/// SHA-256 of a text or of bytes.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    let mut digest = Digest::new();
    digest.update(bytes);
    digest.finish()
}

/// SHA-256 over parts.
pub(crate) fn digest_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Digest::new();
    parts.iter().for_each(|part| digest.update_part(part));
    digest.finish()
}

/// Lowercase hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
        }
    }
    text
}
