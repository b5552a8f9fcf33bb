//! Between the encodings of JavaScript's strings and UTF-8.

/// Appends UTF-16 as UTF-8; half of a surrogate pair becomes U+FFFD.
pub(crate) fn append_utf8(units: &[u16], out: &mut Vec<u8>) {
    out.reserve(units.len());
    let mut rest = units;
    while !rest.is_empty() {
        let ascii = ascii_units(rest);
        let (narrow, wide) = rest.split_at_checked(ascii).unwrap_or((rest, &[]));
        out.extend(narrow.iter().map(|&unit| unit as u8));
        let run = wide.iter().position(|&unit| unit < 0x80).unwrap_or(wide.len());
        let (wide, after) = wide.split_at_checked(run).unwrap_or((wide, &[]));
        for character in char::decode_utf16(wide.iter().copied()) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        rest = after;
    }
}

/// How many units at the start are ASCII: in blocks that the compiler turns into vector compares, then one by one.
fn ascii_units(units: &[u16]) -> usize {
    let (blocks, _) = units.as_chunks::<32>();
    let whole = blocks.iter().take_while(|block| block.iter().fold(0, |all, unit| all | unit) < 0x80).count() * 32;
    let rest = units.get(whole..).unwrap_or_default();
    whole + rest.iter().position(|&unit| unit >= 0x80).unwrap_or(rest.len())
}

/// Writes a text in Latin-1 over `narrow`, if it has no character beyond: in runs, most of which are ASCII.
pub(crate) fn write_latin1(text: &str, narrow: &mut Vec<u8>) -> bool {
    narrow.clear();
    narrow.reserve(text.len());
    let mut rest = text.as_bytes();
    loop {
        let (plain, after) = rest.split_at_checked(ascii_bytes(rest)).unwrap_or((rest, &[]));
        narrow.extend_from_slice(plain);
        match after {
            [] => return true,
            // U+0080 to U+00FF are the characters of two bytes that begin with 0xC2 or 0xC3.
            [lead @ (0xc2 | 0xc3), next, after @ ..] => {
                narrow.push((lead & 0b11) << 6 | (next & 0x3f));
                rest = after;
            }
            _ => return false,
        }
    }
}

/// How many bytes at the start are ASCII: in blocks, as above.
fn ascii_bytes(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<32>();
    let whole = blocks.iter().take_while(|block| block.is_ascii()).count() * 32;
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().position(|byte| !byte.is_ascii()).unwrap_or(rest.len())
}
