//! Sorting, in the one place where size can be chosen over speed.

use core::cmp::Ordering;

/// Sorts by a total order; equal items end up in any order.
#[cfg(not(feature = "small"))]
pub(super) fn sort_by<T>(items: &mut [T], compare: impl FnMut(&T, &T) -> Ordering) {
    items.sort_unstable_by(compare);
}

/// Sorts by a total order; equal items end up in any order.
///
/// A heap: no input makes it slow, and its code is a twentieth of the standard library's.
#[cfg(feature = "small")]
pub(super) fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut sift = |items: &mut [T], mut parent: usize| {
        loop {
            let left = 2 * parent + 1;
            let mut child = left;
            match (items.get(left), items.get(left + 1)) {
                (Some(a), Some(b)) if compare(a, b).is_lt() => child = left + 1,
                (Some(_), _) => {}
                (None, _) => return,
            }
            match (items.get(parent), items.get(child)) {
                (Some(a), Some(b)) if compare(a, b).is_lt() => items.swap(parent, child),
                _ => return,
            }
            parent = child;
        }
    };
    for parent in (0..items.len() / 2).rev() {
        sift(items, parent);
    }
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        sift(items.get_mut(..end).unwrap_or_default(), 0);
    }
}
