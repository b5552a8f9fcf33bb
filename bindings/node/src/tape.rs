//! Tapes as JavaScript hands them over.

use std::cell::Cell;

use cardseal::binding;
use cardseal::json::Writer;
use cardseal_calls::Written;
use napi_sys as sys;

use crate::values::{Values, wipe};

thread_local! {
    static SHORT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Goes on from what was written `before` with the tape that is the argument `index`; the next two are its long texts and its
/// short ones. Nothing where there is no such tape, or none that can be written.
pub(crate) fn continued(before: Option<Written>, values: &Values, index: usize) -> Option<Written> {
    let tape = values.integers(index)?;
    let mut short = SHORT.take();
    values.append_text(values.at(index + 2), &mut short);
    let mut next_long = 0;
    let written = Written::continued(before, binding::writer, tape.as_slice().iter().copied(), &short, |writer| {
        let text = values.element(values.at(index + 1), next_long);
        next_long += 1;
        write_long(values, text, writer)
    });
    wipe(&mut short, KEPT_BYTES);
    SHORT.set(short);
    tape.wipe(); // numbers of the payload stand in it
    written
}

/// Writes a long text as a string, if it is one that UTF-8 can hold.
fn write_long(values: &Values, text: sys::napi_value, writer: &mut Writer) -> Option<()> {
    let units = values.units(text);
    let mut is_whole = false;
    // Three bytes of room for each unit, and one for a zero: then V8 copies one-byte strings in blocks.
    let outcome = writer.string_in_place(3 * units + 1, |room| {
        let Some(bytes) = values.write_utf8_over(text, room).and_then(|length| room.get(..length)) else { return 0 };
        // Half of a surrogate pair becomes U+FFFD, which is seldom meant.
        is_whole = bytes.len() == units
            || std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(char::REPLACEMENT_CHARACTER));
        bytes.len()
    });
    (outcome.is_ok() && is_whole).then_some(())
}

/// More than the short texts of one tape take.
const KEPT_BYTES: usize = 1 << 18;
