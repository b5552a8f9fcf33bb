//! Byte work that the reader, the names and the canonical writer share.

use alloc::string::String;

/// The text without JSON's white space at either end.
pub fn trim(text: &str) -> &str {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let start = text.bytes().take_while(is_space).count();
    let end = text.len() - text.bytes().rev().take_while(is_space).count();
    text.get(start..end).unwrap_or_default()
}

/// Appends a string literal: quotes, the short escapes, `\u00xx` for other control characters, all else as it is.
pub fn write_string(out: &mut String, value: &str) {
    out.push('"');
    for character in value.chars() {
        write_character(character, |piece| out.push_str(piece));
    }
    out.push('"');
}

/// Hands one character of a string literal to `write`, escaped where RFC 8785 escapes it.
pub(super) fn write_character(character: char, mut write: impl FnMut(&str)) {
    let (escape, length) = u8::try_from(character).map_or(NO_ESCAPE, escape);
    match escape.get(..length) {
        Some(escape @ [_, ..]) => write(core::str::from_utf8(escape).unwrap_or_default()),
        _ => write(character.encode_utf8(&mut [0; 4])),
    }
}

/// How RFC 8785 escapes a byte of a string, and how long that is; nothing for a byte that it leaves as it is.
#[inline]
pub(super) const fn escape(byte: u8) -> ([u8; LONGEST_ESCAPE], usize) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        ..0x20 => {
            let last = byte & 15;
            let last = if last < 10 { b'0' + last } else { b'a' + last - 10 };
            return ([b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), last], LONGEST_ESCAPE);
        }
        _ => return NO_ESCAPE,
    };
    ([b'\\', short, 0, 0, 0, 0], 2)
}

pub(super) const LONGEST_ESCAPE: usize = 6;

const NO_ESCAPE: ([u8; LONGEST_ESCAPE], usize) = ([0; LONGEST_ESCAPE], 0);

/// The decimal digits of a number, written at the end of `digits`.
pub fn write_digits(number: u64, digits: &mut [u8; 20]) -> &str {
    let start = 20 - put_digits(number, digits);
    digits.get(start..).and_then(|digits| core::str::from_utf8(digits).ok()).unwrap_or_default()
}

/// Puts the decimal digits of a number at the end of `digits`, two for each division, and says how many they are.
#[inline]
pub(crate) fn put_digits(number: u64, digits: &mut [u8; 20]) -> usize {
    let (pairs, _) = digits.as_chunks_mut::<2>();
    let mut count = 0;
    let mut rest = number;
    for pair in pairs.iter_mut().rev() {
        let [tens, ones] = [rest % 100 / 10, rest % 10].map(|digit| b'0' + digit as u8);
        *pair = [tens, ones];
        count += if rest < 10 { 1 } else { 2 };
        rest /= 100;
        if rest == 0 {
            break;
        }
    }
    count
}

/// The decimal digits of a number as a piece of a message.
///
/// Messages are put together from pieces, with `concat`: the machinery of `format!` would be a tenth of the WebAssembly
/// module.
pub(crate) fn decimal(number: u64) -> String {
    write_digits(number, &mut [0; 20]).into()
}

/// Index of the first byte at or after `from` that ends a run of plain string bytes: a quote, a backslash, a control
/// character; or the length.
///
/// Two words of eight in line, because most strings end within them; then blocks that the compiler turns into vector
/// compares, and words again to find the place. Small code has the words alone.
#[inline(always)]
pub(super) fn skip_plain(bytes: &[u8], from: usize) -> usize {
    if cfg!(feature = "small") {
        return skip_plain_words(bytes, from);
    }
    let mut at = from;
    for _ in 0..2 {
        match plain_in_word(bytes, at) {
            Some(8) => at += 8,
            Some(count) => return at + count,
            None => return skip_plain_words(bytes, at),
        }
    }
    skip_plain_blocks(bytes, at)
}

/// Without an early end and without a branch, so that the compiler makes a few vector compares of it.
#[inline(always)]
pub(super) fn has_special<const N: usize>(block: &[u8; N]) -> bool {
    let hits = block
        .iter()
        .fold(0, |hits, &byte| hits | u8::from(byte == b'"') | u8::from(byte == b'\\') | u8::from(byte < 0x20));
    hits != 0
}

#[inline(never)]
fn skip_plain_blocks(bytes: &[u8], from: usize) -> usize {
    let (blocks, _) = bytes.get(from..).unwrap_or_default().as_chunks::<64>();
    let plain = blocks.iter().take_while(|block| !has_special(block)).count();
    skip_plain_words(bytes, from + plain * 64)
}

#[inline(never)]
fn skip_plain_words(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    #[cfg(all(feature = "small", target_arch = "wasm32", target_feature = "simd128"))]
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk)
        && is_plain(block)
    {
        at += block.len();
    }
    while let Some(count) = plain_in_word(bytes, at) {
        at += count;
        if count < 8 {
            return at;
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|&byte| is_special(byte)).map_or(bytes.len(), |count| at + count)
}

/// What the compiler makes of [`has_special`] on its own, where it may have the room.
#[cfg(all(feature = "small", target_arch = "wasm32", target_feature = "simd128"))]
fn is_plain(block: &[u8; 16]) -> bool {
    use core::arch::wasm32::*;
    let bytes = crate::simd128::load(block);
    let is_either = v128_or(u8x16_eq(bytes, u8x16_splat(b'"')), u8x16_eq(bytes, u8x16_splat(b'\\')));
    !v128_any_true(v128_or(is_either, u8x16_lt(bytes, u8x16_splat(0x20))))
}

/// How many of the eight bytes from `at` on are plain before the first that is not; nothing where eight are not left.
#[inline(always)]
fn plain_in_word(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..)?.first_chunk::<8>()?;
    let hits = special_bytes(u64::from_le_bytes(*word));
    Some((hits.trailing_zeros() / 8) as usize)
}

/// The high bit of each byte that is a quote, a backslash or below 0x20; exact up to and including the first hit.
#[inline(always)]
pub(super) fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    // With its second bit turned over, a quote (0x22) is 0x20, and what was below 0x20 still is: one compare finds both.
    let turned = word ^ (ONES * 0x02);
    let quote_or_below = turned.wrapping_sub(ONES * 0x21) & !turned;
    let backslash = word ^ (ONES * b'\\' as u64);
    let backslash = backslash.wrapping_sub(ONES) & !backslash;
    (quote_or_below | backslash) & HIGH
}

#[inline]
pub(super) fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// The value of four hexadecimal digits at `at`, if there are four.
pub(super) fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..)?.first_chunk::<4>()?;
    digits.iter().try_fold(0, |value, &digit| Some(value << 4 | (digit as char).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_stops_where_a_byte_loop_stops() {
        for length in 0..200 {
            for special in [b'"', b'\\', 0, 0x1f] {
                for at in 0..length {
                    let mut bytes = alloc::vec![b'a'; length];
                    for (index, byte) in bytes.iter_mut().enumerate() {
                        *byte = [b'a', 0x7f, 0x20, 0xc3, 0xff, b'!', b'#', b'[', b']'][index % 9];
                    }
                    bytes[at] = special;
                    assert_eq!(skip_plain(&bytes, 0), at);
                    assert_eq!(skip_plain(&bytes, at + 1), length);
                }
            }
        }
    }

    #[test]
    fn digits_are_those_that_formatting_gives() {
        let powers = (0..20).map(|exponent| 10_u64.pow(exponent));
        for number in powers.flat_map(|power| [power - 1, power, power + 1, power.wrapping_mul(7)]).chain([u64::MAX]) {
            assert_eq!(write_digits(number, &mut [0; 20]), alloc::format!("{number}"));
        }
    }

    #[test]
    fn control_characters_are_written_as_rfc_8785_writes_them() {
        let mut out = String::new();
        write_string(&mut out, "\u{0}\u{8}\t\n\u{b}\u{c}\r\u{1f}\"\\/\u{7f}é");
        assert_eq!(out, r#""\u0000\b\t\n\u000b\f\r\u001f\"\\/"#.to_owned() + "\u{7f}é\"");
    }

    use alloc::borrow::ToOwned;
}
