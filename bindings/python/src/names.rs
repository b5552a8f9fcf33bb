//! The names of dicts that follow each other in a list, known by their objects.
//!
//! What it buys: the rows of a payload have the same few strings as names, in the same order. To find the object of the row
//! before in the place of this one's, and to copy its literal, takes a quarter of the instructions that measuring, searching and
//! copying its text does.

use cardseal::json::NameLiteral;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A place that no name has: nothing is found there, and nothing is learnt.
pub(crate) const NOWHERE: usize = usize::MAX;

/// What stood last in each place of the dicts that are open, from the outermost list on.
///
/// A dict has as many places as it has members, behind those of the dict around it. Each object is held on to: as long as
/// that is so no other has its address, and a string does not change, whatever Python code runs meanwhile.
pub(crate) struct KnownNames<'py> {
    names: Vec<KnownName<'py>>,
    /// Whether dicts follow each other here.
    repeats: bool,
    /// The first place of the next dict.
    next: usize,
    /// How many names may still be learnt: rows that have nothing in common shall not pay for all of theirs.
    lessons: usize,
}

struct KnownName<'py> {
    object: Bound<'py, PyString>,
    /// None for one that cannot be written so.
    literal: Option<NameLiteral>,
}

impl<'py> KnownNames<'py> {
    pub(crate) fn new() -> Self {
        Self { names: Vec::new(), repeats: false, next: 0, lessons: MOST_LESSONS }
    }

    /// Begins a list of so many items. Gives what [`Self::end_list`] asks for.
    #[inline]
    pub(crate) fn begin_list(&mut self, items: usize) -> bool {
        let outer = self.repeats;
        self.repeats |= items > 1;
        outer
    }

    #[inline]
    pub(crate) fn end_list(&mut self, outer: bool) {
        self.repeats = outer;
    }

    /// Begins a dict of so many members, and gives the place of its first.
    #[inline]
    pub(crate) fn begin_dict(&mut self, members: usize) -> usize {
        if !self.repeats {
            return NOWHERE;
        }
        let first = self.next;
        self.next = first.saturating_add(members);
        first
    }

    #[inline]
    pub(crate) fn end_dict(&mut self, first: usize) {
        if first != NOWHERE {
            self.next = first;
        }
    }

    /// The literal of a name, if its object is what stood in this place before.
    #[inline(always)]
    pub(crate) fn find(&self, place: usize, name: &Bound<'py, PyAny>) -> Option<&NameLiteral> {
        let known = self.names.get(place)?;
        if known.object.is(name) { known.literal.as_ref() } else { None }
    }

    /// Puts a name into its place. `text` is what it says.
    #[inline]
    pub(crate) fn learn(&mut self, place: usize, name: &Bound<'py, PyString>, text: &str) {
        if place <= self.names.len() && place < MOST_NAMES {
            self.learn_new(place, name, text);
        }
    }

    #[inline(never)]
    fn learn_new(&mut self, place: usize, name: &Bound<'py, PyString>, text: &str) {
        if self.lessons == 0 || self.names.get(place).is_some_and(|known| known.object.is(name)) {
            return;
        }
        self.lessons -= 1;
        let known = KnownName { object: name.clone(), literal: NameLiteral::new(text) };
        if self.names.capacity() == 0 {
            self.names.reserve_exact(MOST_NAMES); // never moved: what is moved is not wiped
        }
        match self.names.get_mut(place) {
            Some(slot) => *slot = known,
            None => self.names.push(known),
        }
    }
}

/// Names are known of so many places.
const MOST_NAMES: usize = 64;

/// As many as fill the places a few times.
const MOST_LESSONS: usize = 4 * MOST_NAMES;
