//! SHA-256 over parts, and its hexadecimal form.

use alloc::string::String;

use sha2::{Digest, Sha256};

/// SHA-256 over `parts`, each led by its length as four big-endian bytes, so that no two lists give the same input.
pub(crate) fn digest_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        update_length(&mut hash, part.len());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Feeds the four bytes that lead a part. No part is longer: texts and bodies end at 4 GiB.
pub(crate) fn update_length(hash: &mut Sha256, length: usize) {
    hash.update(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
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
