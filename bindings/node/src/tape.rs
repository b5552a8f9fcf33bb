//! The texts of a tape, as JavaScript hands them over.

use std::cell::Cell;

use cardseal::json::Writer;
use cardseal_calls::Texts;
use napi_sys as sys;

use crate::values::{Values, wipe};

/// The texts of a tape among the arguments of a call.
pub(crate) struct Tape<'v> {
    values: &'v Values,
    long: sys::napi_value,
    next_long: u32,
    /// The short texts, and how far they have been read.
    short: &'v str,
    at: usize,
    /// Whether a unit of JavaScript's is a byte.
    is_ascii: bool,
}

thread_local! {
    static SHORT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Tape<'_> {
    /// Hands on the tape that is the argument `index`, and its texts, which are the next two; nothing where they are no such.
    pub(crate) fn with<T>(
        values: &Values,
        index: usize,
        read: impl FnOnce(&[i32], &mut Tape<'_>) -> Option<T>,
    ) -> Option<T> {
        let tape = values.integers(index)?;
        let &[_, units, ..] = tape.as_slice() else { return None };
        let mut buffer = SHORT.take();
        values.append_text(values.at(index + 2), &mut buffer);
        let is_ascii = usize::try_from(units) == Ok(buffer.len());
        // A lone surrogate has become U+FFFD by now, which is seldom meant.
        let short = std::str::from_utf8(&buffer).ok().filter(|short| is_ascii || !short.contains(REPLACEMENT));
        let result = short.and_then(|short| {
            let mut tape_texts = Tape { values, long: values.at(index + 1), next_long: 0, short, at: 0, is_ascii };
            read(tape.as_slice(), &mut tape_texts)
        });
        wipe(&mut buffer, KEPT_BYTES);
        SHORT.set(buffer);
        tape.wipe(); // the numbers of the payload stand in it
        result
    }
}

impl Texts for Tape<'_> {
    #[inline]
    fn short(&mut self, units: usize) -> Option<&str> {
        let rest = self.short.get(self.at..)?;
        let bytes = if self.is_ascii { units } else { bytes_of_units(rest, units)? };
        self.at += bytes;
        rest.get(..bytes)
    }

    fn long(&mut self, writer: &mut Writer) -> Option<()> {
        let value = self.values.element(self.long, self.next_long);
        self.next_long += 1;
        let units = self.values.units(value);
        let mut is_text = false;
        // Three bytes of room for each unit, and one for a zero: then V8 copies one-byte strings in blocks.
        let written = writer.string_in_place(3 * units + 1, |room| {
            let written = self.values.write_utf8_over(value, room);
            let Some(text) = written.and_then(|length| room.get(..length)) else { return 0 };
            is_text = text.len() == units || !contains_replacement(text);
            text.len()
        });
        (written.is_ok() && is_text).then_some(())
    }
}

/// How many bytes so many UTF-16 units at the start of a text take; nothing where they end within a character.
fn bytes_of_units(text: &str, units: usize) -> Option<usize> {
    let mut left = units;
    let mut characters = text.chars();
    while left > 0 {
        left = left.checked_sub(characters.next()?.len_utf16())?;
    }
    Some(text.len() - characters.as_str().len())
}

fn contains_replacement(text: &[u8]) -> bool {
    std::str::from_utf8(text).map_or(true, |text| text.contains(REPLACEMENT))
}

const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// More than the short texts of one tape take.
const KEPT_BYTES: usize = 1 << 18;
