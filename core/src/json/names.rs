//! Finding a member name that stands twice in one object, without letting hostile names make it slow or large.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::scan::skip_plain;
use super::text::{Characters, unescape};

/// The names of all objects that are still open, innermost last.
///
/// An entry is `hash << 32 | offset of the name's first byte`: eight bytes, no copy of the name. Where hashes differ the
/// names do, and where they agree the names themselves are compared, so that the hash needs no secret: names made to
/// collide cost one sort by their bytes.
#[derive(Debug)]
pub(super) struct Names {
    few: [u64; FEW],
    many: Vec<u64>,
    count: usize,
}

/// Open names that need no allocation.
const FEW: usize = 32;

/// Up to here every pair is compared; above, sorting is quicker.
const PAIRWISE: usize = 16;

impl Names {
    pub(super) const fn new() -> Self {
        Self { few: [0; FEW], many: Vec::new(), count: 0 }
    }

    /// How many names are open: the mark to hand to [`close`](Self::close).
    pub(super) const fn mark(&self) -> usize {
        self.count
    }

    /// Adds a name by its inside `text[start..end]`.
    #[inline]
    pub(super) fn push(&mut self, text: &str, start: usize, end: usize, escaped: bool) {
        let hash = if escaped {
            hash_escaped(text.get(start..end).unwrap_or_default())
        } else {
            hash_plain(text.as_bytes().get(start..end).unwrap_or_default())
        };
        let entry = u64::from(hash) << 32 | start as u64;
        match self.few.get_mut(self.count) {
            Some(slot) if self.many.is_empty() => *slot = entry,
            _ => self.push_many(entry),
        }
        self.count += 1;
    }

    #[cold]
    fn push_many(&mut self, entry: u64) {
        if self.many.is_empty() {
            self.many.reserve(4 * FEW);
            self.many.extend_from_slice(self.few.get(..self.count).unwrap_or_default());
        } else if self.many.len() == self.many.capacity() {
            // By half, not double: five bytes of text can be a member, and the table must stay below three times the text.
            self.many.reserve_exact(self.many.len() / 2);
        }
        self.many.push(entry);
    }

    /// Forgets the names since `mark` and tells the offset of one that stands twice among them.
    #[inline]
    pub(super) fn close(&mut self, text: &str, mark: usize) -> Option<usize> {
        let all = if self.many.is_empty() { self.few.get_mut(..self.count) } else { self.many.get_mut(..) };
        let names = all.and_then(|names| names.get_mut(mark..)).unwrap_or_default();
        let repeated = if names.len() <= PAIRWISE { find_pairwise(text, names) } else { find_sorted(text, names) };
        self.count = mark;
        // An empty `many` means that `few` is in use, which has room again only once nothing is left here.
        self.many.truncate(mark);
        repeated
    }
}

#[inline]
fn find_pairwise(text: &str, names: &[u64]) -> Option<usize> {
    for (index, &name) in names.iter().enumerate() {
        for &earlier in names.get(..index).unwrap_or_default() {
            if (name ^ earlier) >> 32 == 0 && compare(text, name, earlier).is_eq() {
                return Some(offset(name));
            }
        }
    }
    None
}

fn find_sorted(text: &str, names: &mut [u64]) -> Option<usize> {
    names.sort_unstable();
    for same_hash in names.chunk_by_mut(|a, b| (a ^ b) >> 32 == 0) {
        if same_hash.len() > PAIRWISE {
            same_hash.sort_unstable_by(|&a, &b| compare(text, a, b));
            let twin = same_hash.array_windows().find(|[a, b]| compare(text, *a, *b).is_eq());
            if let Some([_, name]) = twin {
                return Some(offset(*name));
            }
        } else if let Some(at) = find_pairwise(text, same_hash) {
            return Some(at);
        }
    }
    None
}

const fn offset(entry: u64) -> usize {
    (entry & 0xffff_ffff) as usize
}

fn compare(text: &str, a: u64, b: u64) -> Ordering {
    compare_names(text, offset(a), offset(b))
}

/// Orders two accepted names, given by the offsets of their first bytes, by the UTF-8 bytes of their values.
pub(super) fn compare_names(text: &str, a: usize, b: usize) -> Ordering {
    match (plain_name(text.as_bytes(), a), plain_name(text.as_bytes(), b)) {
        (Some(a), Some(b)) => a.cmp(b),
        // Code point order is the order of UTF-8 bytes.
        _ => characters(text, a).cmp(characters(text, b)),
    }
}

/// The name that begins at `start`, unless an escape stands in it.
fn plain_name(bytes: &[u8], start: usize) -> Option<&[u8]> {
    let end = skip_plain(bytes, start);
    (bytes.get(end) == Some(&b'"')).then(|| bytes.get(start..end)).flatten()
}

fn characters(text: &str, start: usize) -> Characters<'_> {
    Characters::new(text.get(start..literal_end(text.as_bytes(), start)).unwrap_or_default())
}

/// Where the accepted literal whose inside begins at `start` has its closing quote.
pub(super) fn literal_end(bytes: &[u8], start: usize) -> usize {
    let mut at = skip_plain(bytes, start);
    while bytes.get(at) == Some(&b'\\') {
        at = skip_plain(bytes, at + 2);
    }
    at
}

#[inline]
fn hash_plain(name: &[u8]) -> u32 {
    let mut hash = FACTOR ^ name.len() as u64;
    let (words, tail) = name.as_chunks::<8>();
    for word in words {
        hash = mix(hash ^ u64::from_le_bytes(*word));
    }
    let tail = tail.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    (mix(hash ^ tail) >> 32) as u32
}

#[cold]
fn hash_escaped(raw: &str) -> u32 {
    hash_plain(unescape(raw).as_bytes())
}

#[inline]
const fn mix(word: u64) -> u64 {
    let word = word.wrapping_mul(FACTOR);
    word ^ word >> 29
}

/// An odd number with bits all over: 2⁶⁴ divided by the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
