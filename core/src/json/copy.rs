//! Copying the plain part of a string while looking for its end.

use super::scan::{has_special, is_special, special_bytes};

/// Copies plain string bytes to the start of `to`, which is at least as long, up to the first that is not; gives how
/// many those are. Bytes of `to` behind them may change as well, as far as `from` reaches.
///
/// A short text is copied as its first and its last bytes, which overlap. Only where something special stands are bytes looked
/// at more closely.
#[inline(always)]
pub(super) fn copy_plain(from: &[u8], to: &mut [u8]) -> usize {
    match from.len() {
        33.. => copy_plain_blocks(from, to),
        16..=32 => copy_both_ends::<16>(from, to, |first, last| has_special(first) | has_special(last)),
        8..16 => copy_both_ends::<8>(from, to, |first, last| {
            special_bytes(u64::from_le_bytes(*first)) | special_bytes(u64::from_le_bytes(*last)) != 0
        }),
        4..8 => copy_both_ends::<4>(from, to, |[a, b, c, d], [e, f, g, h]| {
            special_bytes(u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h])) != 0
        }),
        2..4 => copy_both_ends::<2>(from, to, |[a, b], [c, d]| {
            special_bytes(u64::from_le_bytes([*a, *b, *c, *d, b' ', b' ', b' ', b' '])) != 0
        }),
        _ => copy_plain_words(from, to, 0),
    }
}

/// Copies a text, whatever is in it, to the start of `to`, which is at least as long. For short ones, which a call would
/// take longer for.
#[inline(always)]
pub(super) fn copy_short(from: &[u8], to: &mut [u8]) {
    let Some(to) = to.get_mut(..from.len()) else { return };
    match from.len() {
        33.. => to.copy_from_slice(from),
        16..=32 => put_both_ends::<16>(from, to),
        8..16 => put_both_ends::<8>(from, to),
        4..8 => put_both_ends::<4>(from, to),
        2..4 => put_both_ends::<2>(from, to),
        _ => put_both_ends::<1>(from, to),
    }
}

#[inline(never)]
fn copy_plain_blocks(from: &[u8], to: &mut [u8]) -> usize {
    let (blocks, _) = from.as_chunks::<64>();
    let (slots, _) = to.as_chunks_mut::<64>();
    let mut at = 0;
    for (block, slot) in blocks.iter().zip(slots) {
        *slot = *block;
        if has_special(block) {
            break;
        }
        at += block.len();
    }
    while let Some(block) = from.get(at..).and_then(<[u8]>::first_chunk::<16>)
        && let Some(slot) = to.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<16>)
    {
        *slot = *block;
        if has_special(block) {
            return copy_plain_words(from, to, at);
        }
        at += block.len();
    }
    let last = from.len() - 16;
    if let Some(block) = from.last_chunk::<16>()
        && let Some(slot) = to.get_mut(last..).and_then(<[u8]>::first_chunk_mut::<16>)
    {
        *slot = *block;
        if has_special(block) {
            return copy_plain_words(from, to, at);
        }
    }
    from.len()
}

/// A text of at least `N` and at most twice as many bytes.
#[inline(always)]
fn copy_both_ends<const N: usize>(
    from: &[u8],
    to: &mut [u8],
    is_special: impl Fn(&[u8; N], &[u8; N]) -> bool,
) -> usize {
    if let (Some(first), Some(last)) = (from.first_chunk(), from.last_chunk())
        && !is_special(first, last)
        && let Some(to) = to.get_mut(..from.len())
    {
        put_both_ends::<N>(from, to);
        return from.len();
    }
    copy_plain_words(from, to, 0)
}

/// A text of at most twice `N` bytes, over another of its length; nothing where it has fewer than `N`.
#[inline(always)]
fn put_both_ends<const N: usize>(from: &[u8], to: &mut [u8]) {
    if let (Some(first), Some(slot)) = (from.first_chunk::<N>(), to.first_chunk_mut()) {
        *slot = *first;
    }
    if let (Some(last), Some(slot)) = (from.last_chunk::<N>(), to.last_chunk_mut()) {
        *slot = *last;
    }
}

/// Goes on from `at`, and says where it has come to.
#[inline(never)]
pub(super) fn copy_plain_words(from: &[u8], to: &mut [u8], mut at: usize) -> usize {
    while let Some(word) = from.get(at..).and_then(<[u8]>::first_chunk::<8>)
        && let Some(slot) = to.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<8>)
    {
        *slot = *word;
        let hits = special_bytes(u64::from_le_bytes(*word));
        at += (hits.trailing_zeros() / 8) as usize;
        if hits != 0 {
            return at;
        }
    }
    for (&byte, slot) in from.iter().zip(to).skip(at) {
        if is_special(byte) {
            break;
        }
        *slot = byte;
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::copy_plain;

    #[test]
    fn copying_stops_where_a_byte_loop_stops() {
        for length in 0..200 {
            for special in [Some(b'"'), Some(b'\\'), Some(0), Some(0x1f), None] {
                for at in 0..length {
                    let mut bytes: alloc::vec::Vec<u8> = (0..length)
                        .map(|index| [b'a', 0x7f, 0x20, 0xc3, 0xff, b'!', b'#', b'[', b']'][index % 9])
                        .collect();
                    let plain = special.map_or(length, |special| {
                        bytes[at] = special;
                        at
                    });
                    let mut copy = alloc::vec![0; length + 3];
                    assert_eq!(copy_plain(&bytes, &mut copy), plain);
                    assert_eq!(copy[..plain], bytes[..plain]);
                    assert_eq!(copy[length..], [0; 3]);
                }
            }
        }
    }
}
