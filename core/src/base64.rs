//! Base64 by whichever engine is built in: the standard alphabet, padded, and in decoding nothing but the one spelling
//! that encoding gives.

#[cfg(not(feature = "small"))]
pub(crate) use fast::{decode, encode};
#[cfg(feature = "small")]
pub(crate) use small::{decode, encode};

/// The crate `base64`, which with the feature `simd` works on vectors.
#[cfg(any(test, not(feature = "small")))]
mod fast {
    use base64::Engine as _;

    /// Writes the text of `bytes` over `out`, which has to be as long as that is.
    pub(crate) fn encode(bytes: &[u8], out: &mut [u8]) {
        let written = engine().encode_slice(bytes, out);
        debug_assert_eq!(written, Ok(bytes.len().div_ceil(3) * 4));
    }

    /// Writes the bytes of `text` at the start of `out`, and says how many those are.
    pub(crate) fn decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
        engine().decode_slice(text, out).ok()
    }

    #[cfg(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn engine() -> &'static base64::engine::Simd {
        use base64::engine::{Simd, general_purpose::PAD};
        static ENGINE: std::sync::LazyLock<Simd> = std::sync::LazyLock::new(|| Simd::standard(PAD));
        &ENGINE
    }

    #[cfg(not(all(feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    fn engine() -> &'static base64::engine::GeneralPurpose {
        &base64::engine::general_purpose::STANDARD
    }
}

/// Group by group: a sixth of the crate's code.
#[cfg(any(test, feature = "small"))]
mod small {
    /// Writes the text of `bytes` over `out`, which has to be as long as that is.
    pub(crate) fn encode(bytes: &[u8], out: &mut [u8]) {
        let (slots, _) = out.as_chunks_mut();
        let (groups, rest) = bytes.as_chunks::<3>();
        for (group, slot) in groups.iter().zip(&mut *slots) {
            *slot = characters(*group);
        }
        if let Some(slot) = slots.get_mut(groups.len()) {
            match *rest {
                [a] => *slot = characters([a, 0, 0]),
                [a, b] => *slot = characters([a, b, 0]),
                _ => {}
            }
            slot.iter_mut().skip(1 + rest.len()).for_each(|padding| *padding = b'=');
        }
    }

    #[inline]
    fn characters([a, b, c]: [u8; 3]) -> [u8; 4] {
        let bits = u32::from_be_bytes([0, a, b, c]);
        let character = |shift: u32| ALPHABET[(bits >> shift & 63) as usize];
        [character(18), character(12), character(6), character(0)]
    }

    /// Writes the bytes of `text` at the start of `out`, and says how many those are.
    pub(crate) fn decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
        let (groups, rest) = text.as_chunks::<4>();
        let Some((last, whole)) = groups.split_last() else { return rest.is_empty().then_some(0) };
        let (slots, _) = out.as_chunks_mut::<3>();
        let mut wrong = 0;
        for (group, slot) in whole.iter().zip(slots) {
            let [_, a, b, c] = bytes(*group, &mut wrong);
            *slot = [a, b, c];
        }
        let padding = last.iter().rev().take_while(|&&character| character == b'=').count();
        let mut group = *last;
        group.iter_mut().rev().take(padding.min(2)).for_each(|padding| *padding = ZERO);
        let [_, bytes @ ..] = bytes(group, &mut wrong);
        let (bytes, unused) = bytes.split_at(3 - padding.min(2));
        out.get_mut(3 * whole.len()..)?.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let is_canonical = rest.is_empty() && wrong < 64 && unused.iter().all(|&byte| byte == 0);
        is_canonical.then_some(3 * whole.len() + bytes.len())
    }

    /// The three bytes of a group, behind a zero. `wrong` is 64 or more from the first character on that is none.
    #[inline]
    fn bytes(group: [u8; 4], wrong: &mut u8) -> [u8; 4] {
        let [a, b, c, d] = group.map(|character| VALUES[usize::from(character)]);
        *wrong |= a | b | c | d;
        (u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d)).to_be_bytes()
    }

    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    /// The character whose six bits are zero.
    const ZERO: u8 = ALPHABET[0];

    /// The six bits of each character; both bits above them for what is none.
    static VALUES: [u8; 256] = {
        let mut values = [0xff; 256];
        let mut value = 0;
        while value < ALPHABET.len() {
            values[ALPHABET[value] as usize] = value as u8;
            value += 1;
        }
        values
    };
}

#[cfg(test)]
mod tests {
    use super::{fast, small};

    fn decoded(decode: fn(&[u8], &mut [u8]) -> Option<usize>, text: &[u8]) -> Option<alloc::vec::Vec<u8>> {
        let mut bytes = alloc::vec![0; text.len()];
        let count = decode(text, &mut bytes)?;
        bytes.truncate(count);
        Some(bytes)
    }

    #[test]
    fn both_engines_give_the_same_text_and_the_same_bytes() {
        let bytes: alloc::vec::Vec<u8> = (0..768_u32).map(|index| (index * index % 251 + index / 3) as u8).collect();
        for length in 0..bytes.len() {
            let bytes = &bytes[..length];
            let mut texts = [(); 2].map(|()| alloc::vec![0; length.div_ceil(3) * 4]);
            fast::encode(bytes, &mut texts[0]);
            small::encode(bytes, &mut texts[1]);
            assert_eq!(texts[0], texts[1], "{length}");
            assert_eq!(decoded(small::decode, &texts[0]).as_deref(), Some(bytes), "{length}");
        }
    }

    #[test]
    fn both_engines_refuse_the_same() {
        let mut compared = 0;
        for stem in [&b""[..], b"QUJD", b"QU=D"] {
            for first in b"AQZaz09+/=-_ \n\x80".iter() {
                for second in 0..=255 {
                    for end in [&b"AA"[..], b"A=", b"==", b"=A", b"E=", b"=", b"", b"A", b"AA=", b"AA==", b"===="] {
                        let text = [stem, &[*first, second], end].concat();
                        assert_eq!(decoded(small::decode, &text), decoded(fast::decode, &text), "{text:?}");
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared > 100_000);
        for position in 0..8 {
            for byte in 0..=255 {
                let mut text = *b"QUJDRA==";
                text[position] = byte;
                assert_eq!(decoded(small::decode, &text), decoded(fast::decode, &text), "{text:?}");
            }
        }
    }
}
