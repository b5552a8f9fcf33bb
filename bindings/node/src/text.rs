//! Between the encodings of JavaScript's strings and UTF-8.

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

/// Writes a text in UTF-16 over `wide`: by V8's own decoder, opening a text of wide characters took twice as long.
pub(crate) fn write_utf16(text: &str, wide: &mut Vec<u16>) {
    wide.clear();
    wide.reserve(text.len()); // no character has more units than bytes
    let mut rest = text;
    while !rest.is_empty() {
        let (plain, after) = rest.split_at_checked(ascii_bytes(rest.as_bytes())).unwrap_or((rest, ""));
        wide.extend(plain.bytes().map(u16::from));
        let mut characters = after.chars();
        rest = loop {
            let before = characters.as_str();
            match characters.next() {
                Some(character) if !character.is_ascii() => {
                    wide.extend_from_slice(character.encode_utf16(&mut [0; 2]));
                }
                _ => break before,
            }
        };
    }
}

/// How many bytes at the start are ASCII: in blocks that the compiler turns into vector compares, then one by one.
fn ascii_bytes(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<32>();
    let whole = blocks.iter().take_while(|block| block.is_ascii()).count() * 32;
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().position(|byte| !byte.is_ascii()).unwrap_or(rest.len())
}
