//! Copying the plain part of a string while looking for its end.

use super::scan::{has_special, is_special, special_bytes};

/// Copies plain string bytes to the start of `to`, which is at least as long, up to the first that is not; gives how
/// many those are. Bytes of `to` behind them may change as well, as far as `from` reaches.
///
/// Whole blocks first; what is left of a text is copied with the bytes before it, once more, in one piece. Only where
/// something special stands are bytes looked at one by one.
#[inline(always)]
pub(super) fn copy_plain(from: &[u8], to: &mut [u8]) -> usize {
    match from.len() {
        16.. => copy_plain_blocks(from, to),
        8..16 => copy_both_ends::<8>(from, to, |first, last| {
            special_bytes(u64::from_le_bytes(*first)) | special_bytes(u64::from_le_bytes(*last))
        }),
        4..8 => copy_both_ends::<4>(from, to, |[a, b, c, d], [e, f, g, h]| {
            special_bytes(u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
        }),
        2..4 => copy_both_ends::<2>(from, to, |[a, b], [c, d]| {
            special_bytes(u64::from_le_bytes([*a, *b, *c, *d, b' ', b' ', b' ', b' ']))
        }),
        _ => copy_plain_bytes(from, to, 0),
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
            return copy_plain_bytes(from, to, at);
        }
        at += block.len();
    }
    let last = from.len() - 16;
    if let Some(block) = from.last_chunk::<16>()
        && let Some(slot) = to.get_mut(last..).and_then(<[u8]>::first_chunk_mut::<16>)
    {
        *slot = *block;
        if has_special(block) {
            return copy_plain_bytes(from, to, at);
        }
    }
    from.len()
}

/// A text of at least `N` and at most twice as many bytes; `special` has a bit for each special one of its first and last `N`.
#[inline(always)]
fn copy_both_ends<const N: usize>(from: &[u8], to: &mut [u8], special: impl Fn(&[u8; N], &[u8; N]) -> u64) -> usize {
    if let (Some(first), Some(last)) = (from.first_chunk(), from.last_chunk())
        && special(first, last) == 0
        && let Some(to) = to.get_mut(..from.len())
    {
        if let Some(slot) = to.first_chunk_mut() {
            *slot = *first;
        }
        if let Some(slot) = to.last_chunk_mut() {
            *slot = *last;
        }
        return from.len();
    }
    copy_plain_bytes(from, to, 0)
}

#[inline]
fn copy_plain_bytes(from: &[u8], to: &mut [u8], start: usize) -> usize {
    let mut at = start;
    for (&byte, slot) in from.iter().zip(to).skip(start) {
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
