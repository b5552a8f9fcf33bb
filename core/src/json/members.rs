//! Finding the root's members that a rule depends on, in the same pass that validates the text.

use core::ops::Range;

use super::fault::Fault;
use super::names::{MemberNames, Place};
use super::reader::Sink;
use super::text::{Number, Text, Unescaped};

/// What kind of value stands somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean(bool),
    Number,
    /// Whether an escape stands in it.
    String {
        escaped: bool,
    },
    Array,
    Object,
}

/// A member of the root object: its kind and where its value stands, quotes or brackets included.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

impl Found {
    /// The value as it stands in the text that was read.
    pub(crate) fn raw<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.span.clone()).unwrap_or_default()
    }

    /// The value of a string, nothing for another kind.
    pub(crate) fn string<'t>(&self, text: &'t str) -> Option<Unescaped<'t>> {
        let Kind::String { escaped } = self.kind else { return None };
        let inside = text.get(self.span.start + 1..self.span.end - 1).unwrap_or_default();
        Some(Unescaped::new(inside, escaped))
    }
}

/// The root's kind, how many members it has, and those of them that are asked for by name.
#[derive(Debug, Clone)]
pub(crate) struct Members<const N: usize> {
    names: [&'static str; N],
    found: [Option<Found>; N],
    progress: Progress,
}

#[derive(Debug, Clone, Copy)]
struct Progress {
    root: Option<Kind>,
    count: usize,
    depth: usize,
    /// The place in `found` that the next value at level 1 belongs to.
    expected: Option<usize>,
}

impl<const N: usize> Members<N> {
    pub(crate) const fn new(names: [&'static str; N]) -> Self {
        let progress = Progress { root: None, count: 0, depth: 0, expected: None };
        Self { names, found: [const { None }; N], progress }
    }

    /// The sink that fills it.
    #[inline]
    pub(crate) const fn finder(&mut self) -> Finder<'_> {
        Finder { names: &self.names, found: &mut self.found, progress: &mut self.progress }
    }

    /// What the root is.
    pub(crate) const fn root(&self) -> Option<Kind> {
        self.progress.root
    }

    /// Whether the root is an object.
    pub(crate) const fn is_object(&self) -> bool {
        matches!(self.progress.root, Some(Kind::Object))
    }

    /// How many arrays and objects are open.
    #[cfg(feature = "writer")]
    pub(super) const fn depth(&self) -> usize {
        self.progress.depth
    }

    /// How many members the root object has.
    pub(crate) const fn count(&self) -> usize {
        self.progress.count
    }

    /// The members asked for, in the order of the names.
    pub(crate) const fn found(&self) -> &[Option<Found>; N] {
        &self.found
    }
}

/// Looks for the members of one [`Members`]: one type, and so one code, however many those are.
#[derive(Debug)]
pub(crate) struct Finder<'m> {
    names: &'m [&'static str],
    found: &'m mut [Option<Found>],
    progress: &'m mut Progress,
}

impl Finder<'_> {
    /// A member's name, by what it is equal to.
    #[inline]
    pub(super) fn member(&mut self, is: impl Fn(&str) -> bool) {
        if self.progress.depth == 1 {
            self.progress.count += 1;
            self.progress.expected = self.names.iter().position(|wanted| is(wanted));
        }
    }

    #[inline]
    pub(super) fn value(&mut self, kind: Kind, span: Range<usize>) {
        match self.progress.depth {
            0 => self.progress.root = Some(kind),
            1 => {
                if let Some(slot) = self.progress.expected.take().and_then(|index| self.found.get_mut(index)) {
                    *slot = Some(Found { kind, span });
                }
            }
            _ => {}
        }
    }

    #[inline]
    pub(super) fn begin(&mut self, kind: Kind, at: usize) {
        match self.progress.depth {
            0 => self.progress.root = Some(kind),
            1 => {
                if let Some(slot) = self.progress.expected.and_then(|index| self.found.get_mut(index)) {
                    *slot = Some(Found { kind, span: at..at });
                }
            }
            _ => {}
        }
        self.progress.depth += 1;
    }

    #[inline]
    pub(super) fn end(&mut self, end: usize) {
        self.progress.depth -= 1;
        if self.progress.depth == 1
            && let Some(found) = self.progress.expected.take().and_then(|index| self.found.get_mut(index)?.as_mut())
        {
            found.span.end = end;
        }
    }
}

impl Sink for Finder<'_> {
    type Error = Fault;

    #[inline]
    fn null(&mut self, at: usize) -> Result<(), Fault> {
        self.value(Kind::Null, at..at + 4);
        Ok(())
    }

    #[inline]
    fn boolean(&mut self, value: bool, at: usize) -> Result<(), Fault> {
        self.value(Kind::Boolean(value), at..at + if value { 4 } else { 5 });
        Ok(())
    }

    #[inline]
    fn number(&mut self, token: Number<'_>) -> Result<(), Fault> {
        self.value(Kind::Number, token.span());
        Ok(())
    }

    #[inline]
    fn string(&mut self, value: Text<'_>) -> Result<(), Fault> {
        self.value(Kind::String { escaped: value.is_escaped() }, value.span());
        Ok(())
    }

    #[inline]
    fn begin_array(&mut self, at: usize) -> Result<(), Fault> {
        self.begin(Kind::Array, at);
        Ok(())
    }

    #[inline]
    fn end_array(&mut self, end: usize) -> Result<(), Fault> {
        self.end(end);
        Ok(())
    }

    #[inline]
    fn begin_object(&mut self, at: usize) -> Result<(), Fault> {
        self.begin(Kind::Object, at);
        Ok(())
    }

    #[inline]
    fn end_object(&mut self, end: usize, _: MemberNames<'_>) -> Result<(), Fault> {
        self.end(end);
        Ok(())
    }

    #[inline]
    fn name(&mut self, name: Text<'_>, _: Place) -> Result<(), Fault> {
        self.member(|wanted| name.is(wanted));
        Ok(())
    }
}
