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

    #[cfg(all(feature = "std", feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn engine() -> &'static base64::engine::Simd {
        use base64::engine::{Simd, general_purpose::PAD};
        static ENGINE: std::sync::LazyLock<Simd> = std::sync::LazyLock::new(|| Simd::standard(PAD));
        &ENGINE
    }

    #[cfg(not(all(feature = "std", feature = "simd", any(target_arch = "x86_64", target_arch = "aarch64"))))]
    fn engine() -> &'static base64::engine::GeneralPurpose {
        &base64::engine::general_purpose::STANDARD
    }
}

/// Group by group, and four at once where WebAssembly has vectors: a sixth of the crate's code.
#[cfg(any(test, feature = "small"))]
mod small {
    use super::blocks;

    /// Writes the text of `bytes` over `out`, which has to be as long as that is.
    pub(crate) fn encode(bytes: &[u8], out: &mut [u8]) {
        let (bytes, out) = blocks::encode(bytes, out);
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
        let mut wrong = 0;
        let (groups, slots) = blocks::decode(whole, out, &mut wrong);
        let (slots, _) = slots.as_chunks_mut::<3>();
        for (group, slot) in groups.iter().zip(slots) {
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

    pub(super) const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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

/// Group by group is how it is done where there are no vectors.
#[cfg(all(any(test, feature = "small"), not(all(target_arch = "wasm32", target_feature = "simd128"))))]
mod blocks {
    pub(super) fn encode<'b, 'o>(bytes: &'b [u8], out: &'o mut [u8]) -> (&'b [u8], &'o mut [u8]) {
        (bytes, out)
    }

    pub(super) fn decode<'t, 'o>(
        text: &'t [[u8; 4]],
        out: &'o mut [u8],
        _wrong: &mut u8,
    ) -> (&'t [[u8; 4]], &'o mut [u8]) {
        (text, out)
    }
}

/// Four groups at once, 12 bytes and 16 characters, in the vectors of WebAssembly.
#[cfg(all(feature = "small", target_arch = "wasm32", target_feature = "simd128"))]
mod blocks {
    use core::arch::wasm32::*;

    use super::small::ALPHABET;
    use crate::simd128::{load, store};

    /// Encodes from the start on what fills blocks, and gives what is left of both.
    pub(super) fn encode<'b, 'o>(mut bytes: &'b [u8], mut out: &'o mut [u8]) -> (&'b [u8], &'o mut [u8]) {
        // Sixteen bytes are loaded and twelve of them taken.
        while let (Some(block), true) = (bytes.first_chunk(), out.len() >= BLOCK) {
            let (slot, rest) = out.split_at_mut(BLOCK);
            slot.copy_from_slice(&store(characters(load(block))));
            (bytes, out) = (bytes.get(BYTES..).unwrap_or_default(), rest);
        }
        (bytes, out)
    }

    /// Decodes from the start on what fills blocks, and gives what is left of both; `wrong` is 64 or more from the first
    /// character on that is none.
    pub(super) fn decode<'t, 'o>(
        mut text: &'t [[u8; 4]],
        mut out: &'o mut [u8],
        wrong: &mut u8,
    ) -> (&'t [[u8; 4]], &'o mut [u8]) {
        let mut all_known = u8x16_splat(0xff);
        while let (Some((groups, rest)), true) = (text.split_first_chunk::<4>(), out.len() >= BYTES) {
            let (values, known) = values(load(groups.as_flattened().first_chunk().unwrap_or(&[0; BLOCK])));
            all_known = v128_and(all_known, known);
            let (slot, rest_of_out) = out.split_at_mut(BYTES);
            slot.copy_from_slice(store(bytes(values)).get(..BYTES).unwrap_or_default());
            (text, out) = (rest, rest_of_out);
        }
        if !u8x16_all_true(all_known) {
            *wrong = 0xff;
        }
        (text, out)
    }

    /// The sixteen characters of the first twelve bytes.
    fn characters(bytes: v128) -> v128 {
        // Each three bytes as one number: first byte highest.
        let bits = i8x16_shuffle::<2, 1, 0, 16, 5, 4, 3, 16, 8, 7, 6, 16, 11, 10, 9, 16>(bytes, u8x16_splat(0));
        let six = |shifted: v128, place: u32| v128_and(shifted, u32x4_splat(63 << place));
        let first = v128_or(six(u32x4_shr(bits, 18), 0), six(u32x4_shr(bits, 4), 8));
        let last = v128_or(six(u32x4_shl(bits, 10), 16), six(u32x4_shl(bits, 24), 24));
        let values = v128_or(first, last);
        // Looking up beyond a table's sixteen characters gives zero: one of the four has the character.
        let look_up = |from: u8| {
            let table = ALPHABET.get(usize::from(from)..).and_then(<[u8]>::first_chunk).unwrap_or(&[0; BLOCK]);
            u8x16_swizzle(load(table), u8x16_sub(values, u8x16_splat(from)))
        };
        v128_or(v128_or(look_up(0), look_up(16)), v128_or(look_up(32), look_up(48)))
    }

    /// The six bits of each character, and which bytes are characters.
    fn values(text: v128) -> (v128, v128) {
        // A run of the alphabet: its first character, how many there are, and what the first one stands for.
        let run = |first: u8, count: u8, value: u8| {
            let place = u8x16_sub(text, u8x16_splat(first));
            let is_in = u8x16_lt(place, u8x16_splat(count));
            (v128_and(is_in, u8x16_add(place, u8x16_splat(value))), is_in)
        };
        let both = |one: (v128, v128), other: (v128, v128)| (v128_or(one.0, other.0), v128_or(one.1, other.1));
        let letters = both(run(b'A', 26, 0), run(b'a', 26, 26));
        both(both(letters, run(b'0', 10, 52)), both(run(b'+', 1, 62), run(b'/', 1, 63)))
    }

    /// The twelve bytes of sixteen times six bits, in front of zeros.
    fn bytes(values: v128) -> v128 {
        let six = |place: u32| v128_and(values, u32x4_splat(63 << place));
        let first = v128_or(u32x4_shl(six(0), 18), u32x4_shl(six(8), 4));
        let last = v128_or(u32x4_shr(six(16), 10), u32x4_shr(six(24), 24));
        let bits = v128_or(first, last);
        i8x16_shuffle::<2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 16, 16, 16, 16>(bits, u8x16_splat(0))
    }

    /// Characters, and bytes of a vector.
    const BLOCK: usize = 16;
    const BYTES: usize = 12;
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
