//! The cipher seam: NaCl secretbox (XSalsa20-Poly1305) in place, by whichever engine is built in.
//!
//! Both engines verify the tag before they touch the buffer, so that a buffer that one key does not open can be tried
//! with the next.

use crate::key::Key;

pub(crate) const NONCE_BYTES: usize = 24;
pub(crate) const TAG_BYTES: usize = 16;

/// What makes each envelope different under one key: 24 bytes, never the same twice.
pub type Nonce = [u8; NONCE_BYTES];
pub(crate) type Tag = [u8; TAG_BYTES];

#[cfg(not(feature = "simd"))]
pub(crate) use portable::{open, seal};
#[cfg(feature = "simd")]
pub(crate) use simd::{open, seal};

/// `dryoc`, through its box calls, which for a shared key are secretbox and work detached and in place.
#[cfg(feature = "simd")]
mod simd {
    use dryoc::classic::crypto_box::{crypto_box_detached_afternm_inplace, crypto_box_open_detached_afternm_inplace};

    use super::{Key, Nonce, TAG_BYTES, Tag};

    /// Encrypts `message` where it stands and returns its tag.
    pub(crate) fn seal(key: &Key, nonce: &Nonce, message: &mut [u8]) -> Tag {
        let mut tag = [0; TAG_BYTES];
        crypto_box_detached_afternm_inplace(message, &mut tag, nonce, key.bytes());
        tag
    }

    /// Decrypts `message` where it stands if the tag is right; else leaves it as it is.
    #[must_use]
    pub(crate) fn open(key: &Key, nonce: &Nonce, tag: &Tag, message: &mut [u8]) -> bool {
        crypto_box_open_detached_afternm_inplace(message, tag, nonce, key.bytes()).is_ok()
    }
}

/// RustCrypto's `crypto_secretbox`.
#[cfg(all(feature = "portable", any(test, not(feature = "simd"))))]
mod portable {
    use crypto_secretbox::XSalsa20Poly1305;
    use crypto_secretbox::aead::{AeadInPlace, KeyInit};

    use super::{Key, Nonce, Tag};

    /// Encrypts `message` where it stands and returns its tag.
    pub(crate) fn seal(key: &Key, nonce: &Nonce, message: &mut [u8]) -> Tag {
        let cipher = XSalsa20Poly1305::new(key.bytes().into());
        match cipher.encrypt_in_place_detached(nonce.into(), b"", message) {
            Ok(tag) => tag.into(),
            Err(_) => unreachable!("a secretbox refuses associated data alone, and there is none"),
        }
    }

    /// Decrypts `message` where it stands if the tag is right; else leaves it as it is.
    #[must_use]
    pub(crate) fn open(key: &Key, nonce: &Nonce, tag: &Tag, message: &mut [u8]) -> bool {
        let cipher = XSalsa20Poly1305::new(key.bytes().into());
        cipher.decrypt_in_place_detached(nonce.into(), b"", message, tag.into()).is_ok()
    }
}

#[cfg(test)]
#[cfg(all(feature = "simd", feature = "portable"))]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::{Key, Nonce, portable, simd};

    #[test]
    fn both_engines_give_the_same_bytes_at_every_length() {
        let mut random = Random(0x243f_6a88_85a3_08d3);
        for length in 0..=1_100 {
            compare(&mut random, length);
        }
    }

    #[test]
    fn both_engines_give_the_same_bytes_at_random_lengths_up_to_a_mebibyte() {
        let mut random = Random(0x1319_8a2e_0370_7344);
        for _ in 0..2_000 {
            // As many short ones as long ones.
            let bits = random.below(21);
            let length = random.below(1 << bits);
            compare(&mut random, length);
        }
        compare(&mut random, 1 << 20);
    }

    fn compare(random: &mut Random, length: usize) {
        let key = Key::from_bytes(&random.bytes(32)).unwrap();
        let nonce: Nonce = random.bytes(24).try_into().unwrap();
        let message = random.bytes(length);
        let (mut one, mut other) = (message.clone(), message.clone());
        let tag = simd::seal(&key, &nonce, &mut one);
        assert_eq!(tag, portable::seal(&key, &nonce, &mut other), "{length}");
        assert_eq!(one, other, "{length}");

        let mut forged = tag;
        forged[random.below(16)] ^= 1 << random.below(8);
        for open in [simd::open, portable::open] {
            let mut sealed = one.clone();
            assert!(!open(&key, &nonce, &forged, &mut sealed), "{length}");
            assert_eq!(sealed, one, "a buffer that does not open stays as it is, {length}");
            if length > 0 {
                sealed[random.below(length)] ^= 1 << random.below(8);
                assert!(!open(&key, &nonce, &tag, &mut sealed), "{length}");
                sealed.copy_from_slice(&one);
            }
            assert!(open(&key, &nonce, &tag, &mut sealed), "{length}");
            assert_eq!(sealed, message, "{length}");
        }
    }

    /// xorshift64: the same numbers in every run.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn below(&mut self, end: usize) -> usize {
            (self.next() % end as u64) as usize
        }

        fn bytes(&mut self, length: usize) -> Vec<u8> {
            let mut bytes = vec![0; length];
            for chunk in bytes.chunks_mut(8) {
                let random = self.next().to_le_bytes();
                chunk.copy_from_slice(&random[..chunk.len()]);
            }
            bytes
        }
    }
}
