//! The canonical form that fingerprints and dedupe keys are taken of (SPEC.md, not RFC 8785's order).

use alloc::string::String;
use alloc::vec::Vec;

use super::fault::Fault;
use super::names::{MemberNames, compare_names, literal_end};
use super::reader::{Sink, read};
use super::scan::{skip_plain, write_character};
use super::sort::sort_by;
use super::text::Characters;

/// A text in canonical form: members in the order of their names' bytes, white space gone, escapes in one spelling,
/// number tokens as written, the root's `request_timestamp` left out.
///
/// Nothing is built: the text is written out piece by piece, as often as asked. The table holds only the objects whose
/// members are out of order.
#[derive(Debug)]
pub(crate) struct Canonical<'t> {
    text: &'t str,
    unordered: Vec<Unordered>,
    /// Offsets of the names' insides of all unordered objects, each object's in canonical order.
    names: Vec<u32>,
}

#[derive(Debug)]
struct Unordered {
    start: u32,
    end: u32,
    first_name: u32,
    name_count: u32,
}

impl<'t> Canonical<'t> {
    /// Reads a text strictly and finds its canonical order.
    pub(crate) fn read(text: &'t str) -> Result<Self, Fault> {
        let mut order = Order { text, open: Vec::new(), unordered: Vec::new(), names: Vec::new() };
        read(text, &mut order)?;
        let Order { mut unordered, mut names, .. } = order;
        unordered.shrink_to_fit();
        names.shrink_to_fit();
        sort_by(&mut unordered, |a, b| a.start.cmp(&b.start));
        Ok(Self { text, unordered, names })
    }

    /// Whether the root is an object.
    pub(crate) fn is_object(&self) -> bool {
        super::trim(self.text).starts_with('{')
    }

    /// Hands the canonical text to `write`, piece by piece.
    pub(crate) fn write(&self, write: &mut dyn FnMut(&str)) {
        let mut writer = Writer { form: self, bytes: self.text.as_bytes(), write };
        let start = writer.skip_space(0);
        writer.value(start, true);
    }

    /// The canonical text's length in bytes.
    pub(crate) fn len(&self) -> usize {
        let mut length = 0;
        self.write(&mut |piece| length += piece.len());
        length
    }
}

impl core::fmt::Display for Canonical<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let mut result = Ok(());
        self.write(&mut |piece| result = result.and_then(|()| f.write_str(piece)));
        result
    }
}

/// The sink that finds the objects whose members are out of order.
struct Order<'t> {
    text: &'t str,
    /// Where the open objects begin, innermost last.
    open: Vec<u32>,
    unordered: Vec<Unordered>,
    names: Vec<u32>,
}

impl Sink for Order<'_> {
    type Error = Fault;

    fn begin_object(&mut self, at: usize) -> Result<(), Fault> {
        self.open.push(at as u32);
        Ok(())
    }

    fn end_object(&mut self, end: usize, names: MemberNames<'_>) -> Result<(), Fault> {
        let start = self.open.pop().unwrap_or_default();
        let first_name = self.names.len();
        for name in names.offsets() {
            push_lean(&mut self.names, name as u32);
        }
        let names = self.names.get_mut(first_name..).unwrap_or_default();
        sort_by(names, |a, b| compare_names(self.text, *a as usize, *b as usize));
        if names.is_sorted() {
            self.names.truncate(first_name);
        } else {
            let (first_name, name_count) = (first_name as u32, names.len() as u32);
            push_lean(&mut self.unordered, Unordered { start, end: end as u32, first_name, name_count });
        }
        Ok(())
    }
}

/// Pushes, growing by half: these tables must stay below the size of the text that fills them.
fn push_lean<T>(items: &mut Vec<T>, item: T) {
    if items.len() == items.capacity() {
        items.reserve_exact(8.max(items.len() / 2));
    }
    items.push(item);
}

/// Walks text that the reader accepted, so that each step only has to find where things end.
struct Writer<'c, 'w> {
    form: &'c Canonical<'c>,
    bytes: &'c [u8],
    write: &'w mut dyn FnMut(&str),
}

impl<'c> Writer<'c, '_> {
    /// Writes the value that begins at `at` and returns where it ends.
    fn value(&mut self, at: usize, is_root: bool) -> usize {
        match self.bytes.get(at) {
            Some(b'"') => self.string(at + 1),
            Some(b'{') => self.object(at, is_root),
            Some(b'[') => self.array(at),
            _ => {
                let rest = self.bytes.get(at..).unwrap_or_default();
                let length = rest.iter().position(|byte| b" \t\n\r,]}".contains(byte)).unwrap_or(rest.len());
                self.raw(at, at + length);
                at + length
            }
        }
    }

    fn object(&mut self, at: usize, is_root: bool) -> usize {
        (self.write)("{");
        let unordered = &self.form.unordered;
        let found = unordered.binary_search_by_key(&at, |object| object.start as usize).ok();
        let end = match found.and_then(|index| unordered.get(index)) {
            Some(object) => {
                let first = object.first_name as usize;
                let names = self.form.names.get(first..first + object.name_count as usize).unwrap_or_default();
                let mut separator = "";
                for &name in names {
                    self.member(name as usize, is_root, &mut separator);
                }
                object.end as usize
            }
            None => self.ordered_members(at, is_root),
        };
        (self.write)("}");
        end
    }

    fn ordered_members(&mut self, at: usize, is_root: bool) -> usize {
        let mut separator = "";
        let mut at = self.skip_space(at + 1);
        while self.bytes.get(at) == Some(&b'"') {
            at = self.member(at + 1, is_root, &mut separator);
            at = self.skip_space(at);
            if self.bytes.get(at) == Some(&b',') {
                at = self.skip_space(at + 1);
            }
        }
        at + 1
    }

    /// Writes the member whose name's inside begins at `name`, and returns where its value ends.
    fn member(&mut self, name: usize, is_root: bool, separator: &mut &str) -> usize {
        let end = literal_end(self.bytes, name);
        if is_root && self.characters(name, end).eq(crate::payload::REQUEST_TIMESTAMP.chars()) {
            let mut silent = |_: &str| {};
            let mut walker = Writer { form: self.form, bytes: self.bytes, write: &mut silent };
            let value = walker.value_after_name(end);
            return walker.value(value, false);
        }
        (self.write)(separator);
        *separator = ",";
        self.string(name);
        (self.write)(":");
        let value = self.value_after_name(end);
        self.value(value, false)
    }

    fn array(&mut self, at: usize) -> usize {
        (self.write)("[");
        let mut separator = "";
        let mut at = self.skip_space(at + 1);
        while !matches!(self.bytes.get(at), Some(b']') | None) {
            (self.write)(separator);
            separator = ",";
            at = self.value(at, false);
            at = self.skip_space(at);
            if self.bytes.get(at) == Some(&b',') {
                at = self.skip_space(at + 1);
            }
        }
        (self.write)("]");
        at + 1
    }

    /// Writes the string whose inside begins at `inside`, and returns where its literal ends.
    fn string(&mut self, inside: usize) -> usize {
        (self.write)("\"");
        let plain = skip_plain(self.bytes, inside);
        self.raw(inside, plain);
        let end = literal_end(self.bytes, plain);
        for character in self.characters(plain, end) {
            write_character(character, &mut *self.write);
        }
        (self.write)("\"");
        end + 1
    }

    fn characters(&self, start: usize, end: usize) -> Characters<'c> {
        Characters::new(self.form.text.get(start..end).unwrap_or_default())
    }

    fn raw(&mut self, start: usize, end: usize) {
        (self.write)(self.form.text.get(start..end).unwrap_or_default());
    }

    /// Where a member's value begins, its name's closing quote standing at `quote`.
    fn value_after_name(&self, quote: usize) -> usize {
        self.skip_space(self.skip_space(quote + 1) + 1)
    }

    fn skip_space(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| b" \t\n\r".contains(byte)).count()
    }
}

impl<'t> From<&Canonical<'t>> for String {
    fn from(form: &Canonical<'t>) -> Self {
        let mut text = Self::with_capacity(form.len());
        form.write(&mut |piece| text.push_str(piece));
        text
    }
}
