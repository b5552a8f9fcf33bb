//! Finding a member name that stands twice in one object, without letting hostile names make it slow or large.

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use crate::wipe::Wiped;

use super::scan::skip_plain;
use super::sort::sort_by;
use super::text::{Characters, unescape};

/// The names of all objects that are still open, innermost last.
///
/// An entry is `hash << 32 | offset of the name's first byte`: eight bytes, no copy of the name. Where hashes differ the
/// names do, and where they agree the names themselves are compared, so that the hash needs no secret: names made to
/// collide cost one sort by their bytes.
#[derive(Debug)]
pub(super) struct Names {
    /// Behind the open ones stand those of objects that have ended: objects of a list have the same names as a rule, each
    /// in the same place as in the object before.
    few: [u64; FEW],
    /// How many bytes each of `few` takes with the `":` behind it; zero where that is not next, for one with an escape, or a
    /// long one.
    reach: [u8; FEW],
    many: Vec<u64>,
    count: usize,
    /// Places of `few` whose names are known to differ from each other.
    proven: Range<usize>,
}

/// Where a name stands among those of all open objects, counted from the outermost one's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Here, where the last name was spelled the same.
    Same(usize),
    /// Here, where the last name was another, if there was one.
    New(usize),
    /// Beyond the places that are remembered.
    Far,
}

/// Open names that need no allocation.
const FEW: usize = 32;

/// Up to here every pair is compared; above, looking for equal hashes first is quicker.
const PAIRWISE: usize = 8;

impl Names {
    pub(super) const fn new() -> Self {
        Self { few: [UNUSED; FEW], reach: [0; FEW], many: Vec::new(), count: 0, proven: 0..0 }
    }

    /// How many names are open: the mark that the names of the next object are counted from.
    pub(super) const fn mark(&self) -> usize {
        self.count
    }

    /// Adds the name whose inside begins at `start` if it is spelled as the last one in its place was, with the `":` behind
    /// it, and gives its place and where its inside ends. One compare then, in the place of a search for its end.
    #[inline(always)]
    pub(super) fn push_again(&mut self, bytes: &[u8], start: usize) -> Option<(Place, usize)> {
        let index = self.count;
        let (slot, reach) = (self.few.get_mut(index)?, usize::from(*self.reach.get(index)?));
        if cfg!(feature = "small") || reach == 0 || !self.many.is_empty() {
            return None;
        }
        if !is_same(bytes.get(offset(*slot)..)?.get(..reach)?, bytes.get(start..)?.get(..reach)?) {
            return None;
        }
        *slot = *slot >> 32 << 32 | start as u64;
        self.count += 1;
        Some((Place::Same(index), start + reach - COLON.len()))
    }

    /// Adds a name by its inside `text[start..end]`.
    #[inline(never)]
    pub(super) fn push(&mut self, text: &str, start: usize, end: usize, escaped: bool) -> Place {
        let index = self.count;
        self.count += 1;
        let entry = entry(text, start, end, escaped);
        match (self.few.get_mut(index), self.reach.get_mut(index)) {
            (Some(slot), Some(reach)) if self.many.is_empty() => {
                *slot = entry;
                let is_followed = || text.as_bytes().get(end..).is_some_and(|rest| rest.starts_with(COLON));
                let is_known = cfg!(not(feature = "small")) && !escaped && is_followed();
                let length = if is_known { end - start + COLON.len() } else { 0 };
                *reach = u8::try_from(length).unwrap_or_default();
                self.proven.end = self.proven.end.min(index);
                Place::New(index)
            }
            _ => {
                self.push_many(index, entry);
                Place::Far
            }
        }
    }

    #[inline(never)]
    fn push_many(&mut self, count: usize, entry: u64) {
        if self.many.is_empty() {
            self.many.reserve(4 * FEW);
            self.many.extend_from_slice(self.few.get(..count).unwrap_or_default());
        } else if self.many.len() == self.many.capacity() {
            // By half, not double: five bytes of text can be a member, and the table must stay below three times the text.
            self.many.reserve_exact(self.many.len() / 2);
        }
        self.many.push(entry);
    }

    /// The offset of a name that stands twice among those since `mark`.
    #[inline]
    pub(super) fn find_repeated(&mut self, text: &str, mark: usize) -> Option<usize> {
        if self.proven.start == mark && self.count <= self.proven.end && self.many.is_empty() {
            return None; // the names of an object before, in the same places
        }
        let few = self.many.is_empty();
        let names = self.since_mut(mark);
        let repeated = if names.len() <= PAIRWISE {
            find_pairwise(text, names)
        } else if few {
            // Sorted out in a copy: the next object's names are compared with these in their places.
            let mut copy = [UNUSED; FEW];
            let copy = copy.get_mut(..names.len()).unwrap_or_default();
            copy.copy_from_slice(names);
            find_among_many(text, copy)
        } else {
            find_among_many(text, names)
        };
        if few {
            self.proven = mark..self.count;
        }
        repeated
    }

    /// The names since `mark`, in any order.
    #[inline]
    pub(super) fn since(&mut self, mark: usize) -> MemberNames<'_> {
        MemberNames(self.since_mut(mark))
    }

    /// Forgets the names since `mark`.
    #[inline]
    pub(super) fn truncate(&mut self, mark: usize) {
        self.count = mark;
        // An empty `many` means that `few` is in use, which has room again only once nothing is left here.
        self.many.truncate(mark);
    }

    #[inline]
    fn since_mut(&mut self, mark: usize) -> &mut [u64] {
        let all = if self.many.is_empty() { self.few.get_mut(..self.count) } else { self.many.get_mut(..) };
        all.and_then(|names| names.get_mut(mark..)).unwrap_or_default()
    }
}

/// An entry that is none: no text reaches so far.
const UNUSED: u64 = u64::MAX;

#[inline]
fn entry(text: &str, start: usize, end: usize, escaped: bool) -> u64 {
    let hash = if escaped { hash_escaped(text, start..end) } else { hash(text.as_bytes(), start..end) };
    u64::from(hash) << 32 | start as u64
}

/// What stands behind a name where nobody has put white space.
const COLON: &[u8] = b"\":";

/// Whether two texts of one length are the same. Short ones by words that cover all of their bytes, some twice: a call would
/// take longer.
#[inline(always)]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    fn ends<const N: usize>(one: &[u8], other: &[u8]) -> bool {
        let differ = |one: Option<&[u8; N]>, other: Option<&[u8; N]>| one != other;
        !differ(one.first_chunk(), other.first_chunk()) & !differ(one.last_chunk(), other.last_chunk())
    }
    match one.len() {
        2..4 => ends::<2>(one, other),
        4..8 => ends::<4>(one, other),
        8..=16 => ends::<8>(one, other),
        _ => one == other,
    }
}

/// The names of an object that has just ended, in any order.
#[derive(Debug, Clone, Copy)]
pub struct MemberNames<'n>(&'n [u64]);

impl MemberNames<'_> {
    /// How many members the object has.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Where the names' insides begin.
    pub fn offsets(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|&name| offset(name))
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

#[inline(never)]
fn find_among_many(text: &str, names: &mut [u64]) -> Option<usize> {
    let suspects = match names.len() {
        0..=64 => keep_suspects(names, &mut [0; 8], &mut [0; 8]),
        65..=512 => keep_suspects(names, &mut [0; 64], &mut [0; 64]),
        // Four to eight bits a name in each: a quarter of the names' own table at most.
        many => {
            let words = (many / 16).next_power_of_two();
            keep_suspects(names, &mut vec![0; words], &mut vec![0; words])
        }
    };
    let names = names.get_mut(..suspects).unwrap_or_default();
    if suspects <= PAIRWISE { find_pairwise(text, names) } else { find_sorted(text, names) }
}

/// Moves to the front, and counts, the names whose hash falls on a bit that another's falls on too.
///
/// Both bitmaps have the same length, a power of two.
#[cfg_attr(not(feature = "small"), inline(always))]
#[cfg_attr(feature = "small", inline(never))]
fn keep_suspects(names: &mut [u64], seen: &mut [u64], twice: &mut [u64]) -> usize {
    let mask = seen.len() - 1;
    let place = |name: u64| ((name >> 38) as usize & mask, 1 << (name >> 32 & 63));
    let mut collisions = 0;
    for &name in &*names {
        let (word, bit) = place(name);
        if let (Some(seen), Some(twice)) = (seen.get_mut(word), twice.get_mut(word)) {
            collisions |= *seen & bit;
            *twice |= *seen & bit;
            *seen |= bit;
        }
    }
    if collisions == 0 {
        return 0;
    }
    let mut suspects = 0;
    for index in 0..names.len() {
        let Some(&name) = names.get(index) else { break };
        let (word, bit) = place(name);
        if twice.get(word).is_some_and(|twice| twice & bit != 0) {
            names.swap(suspects, index);
            suspects += 1;
        }
    }
    suspects
}

fn find_sorted(text: &str, names: &mut [u64]) -> Option<usize> {
    sort_by(names, u64::cmp);
    for same_hash in names.chunk_by_mut(|a, b| (a ^ b) >> 32 == 0) {
        if same_hash.len() <= PAIRWISE {
            if let Some(at) = find_pairwise(text, same_hash) {
                return Some(at);
            }
            continue;
        }
        sort_by(same_hash, |&a, &b| compare(text, a, b));
        let twin = same_hash.array_windows().find(|[a, b]| compare(text, *a, *b).is_eq());
        if let Some([_, name]) = twin {
            return Some(offset(*name));
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
///
/// Looks no further than the first difference: who makes names that collide with one huge name must not make every
/// comparison walk through it.
pub(super) fn compare_names(text: &str, a: usize, b: usize) -> Ordering {
    let tail = |start: usize| text.as_bytes().get(start..).unwrap_or_default();
    let plain = |(a, b): &(&u8, &u8)| a == b && !b"\"\\".contains(a);
    let common = tail(a).iter().zip(tail(b)).take_while(plain).count();
    let rest = |start: usize| Characters::new(text.get(start + common..).unwrap_or_default());
    match (tail(a).get(common), tail(b).get(common)) {
        (Some(b'\\'), _) | (_, Some(b'\\')) => rest(a).cmp(rest(b)), // code point order is the order of UTF-8 bytes
        (Some(b'"'), Some(b'"')) => Ordering::Equal,
        (Some(b'"'), _) => Ordering::Less,
        (_, Some(b'"')) => Ordering::Greater,
        (a, b) => a.cmp(&b),
    }
}

/// Where the accepted literal whose inside begins at `start` has its closing quote.
pub(super) fn literal_end(bytes: &[u8], start: usize) -> usize {
    let mut at = skip_plain(bytes, start);
    while bytes.get(at) == Some(&b'\\') {
        at = skip_plain(bytes, at + 2);
    }
    at
}

/// The hash of the name `bytes[name]`. Whole words are loaded, beyond a short name's end too, and cut off there.
#[inline]
fn hash(bytes: &[u8], name: Range<usize>) -> u32 {
    let length = name.end - name.start;
    let mut hash = FACTOR ^ length as u64;
    let mut at = name.start;
    while name.end - at > 8 {
        hash = mix(hash ^ word_at(bytes, at));
        at += 8;
    }
    // A shift by 64 for the empty name would be one too far: it keeps nothing of its word in any case.
    let rest = (name.end - at) as u32;
    let last = if rest == 0 { 0 } else { word_at(bytes, at) << (64 - 8 * rest) };
    (mix(hash ^ last) >> 32) as u32
}

/// Eight bytes from `at` on, zeros beyond the end.
#[inline]
fn word_at(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

#[cold]
fn hash_escaped(text: &str, name: Range<usize>) -> u32 {
    let value = Wiped::new(unescape(text.get(name).unwrap_or_default()));
    hash(value.as_bytes(), 0..value.len())
}

#[inline]
const fn mix(word: u64) -> u64 {
    // Once for the bits above each, folded, and once more: a difference in the last byte alone reaches all of them.
    let word = word.wrapping_mul(FACTOR);
    (word ^ word >> 32).wrapping_mul(FACTOR)
}

/// An odd number with bits all over: 2⁶⁴ divided by the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;
    use crate::json::check;

    fn object<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
        let members: Vec<String> = names.into_iter().map(|name| format!("\"{name}\":0")).collect();
        format!("{{{}}}", members.join(","))
    }

    /// Names of eight printable characters that all have one hash, found by running the hash backwards.
    fn colliding_names() -> Vec<String> {
        let inverse =
            (0..6).fold(FACTOR, |inverse, _| inverse.wrapping_mul(2_u64.wrapping_sub(FACTOR.wrapping_mul(inverse))));
        assert_eq!(inverse.wrapping_mul(FACTOR), 1);
        let word_of = |hash: u64| {
            let word = hash.wrapping_mul(inverse);
            (word ^ word >> 32).wrapping_mul(inverse) ^ FACTOR ^ 8
        };
        let words = (0..1 << 21).map(|low| word_of(0x1234_5678 << 32 | low).to_le_bytes());
        let printable =
            words.filter(|word| word.iter().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(byte)));
        printable.map(|word| String::from_utf8(word.to_vec()).unwrap()).collect()
    }

    #[test]
    fn names_whose_hashes_collide_are_compared_themselves() {
        let names = colliding_names();
        assert!(names.len() > 300, "{}", names.len());
        let hashes = names.iter().map(|name| hash(name.as_bytes(), 0..8));
        assert!(hashes.into_iter().all(|hash| hash == 0x1234_5678));
        for count in [2, PAIRWISE, PAIRWISE + 1, 64, names.len()] {
            let some = names.iter().take(count).map(String::as_str);
            assert!(check(&object(some.clone())).is_ok(), "{count}");
            for repeated in [0, count / 2, count - 1] {
                let twice = some.clone().chain([names[repeated].as_str()]);
                assert!(check(&object(twice)).is_err(), "{count}, {repeated}");
            }
        }
    }

    #[test]
    fn comparing_looks_no_further_than_the_first_difference() {
        // One name as long as all others together: comparisons that walked to its end would take minutes.
        let mut names: Vec<String> = (0..100_000).map(|index| format!("{index}")).collect();
        names.push("x".repeat(1_000_000));
        let mut text = object(names.iter().map(String::as_str));
        text.push(' ');
        let mut offsets = Vec::new();
        let mut at = 2;
        for name in &names {
            offsets.push(at);
            at += name.len() + 5;
        }
        let huge = offsets[100_000];
        assert!(
            offsets[..100_000].iter().cycle().take(1_000_000).all(|&short| compare_names(&text, short, huge).is_lt())
        );
        let sorted = |a: &str, b: &str| {
            let text = object([a, b]);
            compare_names(&text, 2, 2 + a.len() + 5)
        };
        for (a, b) in [
            ("", "a"),
            ("a", "ab"),
            ("a", "\\u0061b"),
            ("\\u0061", "ab"),
            ("é", "\\ud83d\\ude00"),
            ("a\\n", "a "),
            ("\\\"", "#"),
        ] {
            assert_eq!((sorted(a, b), sorted(b, a)), (Ordering::Less, Ordering::Greater), "{a} {b}");
        }
        for (a, b) in [("", ""), ("a", "\\u0061"), ("\\u00e9x", "éx"), ("\\\"", "\\u0022")] {
            assert_eq!(sorted(a, b), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn a_repeated_name_is_found_in_objects_of_every_size() {
        for count in (1..80).chain([255, 256, 257, 511, 512, 513, 1_023, 5_000]) {
            let names: Vec<String> = (0..count).map(|index| format!("name{index}")).collect();
            let names = names.iter().map(String::as_str);
            assert!(check(&object(names.clone())).is_ok(), "{count}");
            for at in [0, count / 3, count - 1] {
                let twin = format!("\\u006eame{at}");
                assert!(check(&object(names.clone().chain([twin.as_str()]))).is_err(), "{count}, {at}");
                let nested = format!("[{{}},{},{}]", object(names.clone()), object(names.clone()));
                assert!(check(&nested).is_ok(), "{count}");
            }
        }
    }

    #[test]
    fn outer_names_survive_many_inner_ones() {
        let inner: Vec<String> = (0..100).map(|index| format!("inner{index}")).collect();
        let inner = object(inner.iter().map(String::as_str));
        assert!(check(&format!("{{\"a\":{inner},\"b\":{inner},\"c\":0}}")).is_ok());
        assert!(check(&format!("{{\"a\":{inner},\"b\":{inner},\"a\":0}}")).is_err());
        assert!(check(&format!("{{\"a\":0,\"b\":{{\"a\":{inner},\"b\":0,\"b\":0}}}}")).is_err());
    }
}
