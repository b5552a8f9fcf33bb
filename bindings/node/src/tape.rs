//! Tapes as JavaScript hands them over.

use std::cell::Cell;

use cardseal::binding;
use cardseal::json::Writer;
use cardseal_calls::Written;
use napi_sys as sys;

use crate::values::{KEPT_BYTES, Values, wipe};

thread_local! {
    /// Length of the last body, if it was a long one; else 0.
    static EXPECTED: Cell<usize> = const { Cell::new(0) };
    static TAPE: Cell<Vec<i32>> = const { Cell::new(Vec::new()) };
    static SHORT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static LONG: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Goes on from what was written `before` with the tape that is the argument `index`; the next two are its long texts and its
/// short ones. Nothing where there is no such tape, or none that can be written.
pub(crate) fn continued(before: Option<Written>, values: &Values, index: usize) -> Option<Written> {
    let given = values.integers(index)?;
    let mut tape = TAPE.take();
    given.move_to(&mut tape); // an element of an array can be a getter, which could take the memory away
    let mut short = SHORT.take();
    values.append_text(values.at(index + 2), &mut short);
    let mut next_long = 0;
    let written = Written::continued(before, writer, tape.iter().copied(), &short, |writer| {
        let text = values.element(values.at(index + 1), next_long);
        next_long += 1;
        write_long(values, text, writer)
    });
    wipe(&mut short, KEPT_BYTES);
    SHORT.set(short);
    wipe(&mut tape, KEPT_ENTRIES);
    TAPE.set(tape);
    written
}

/// A writer for a payload. The buffer of a long one leaves with the body, and the next long one should not have to grow step by
/// step.
fn writer() -> Writer {
    match EXPECTED.get() {
        0 => binding::writer(),
        bytes => Writer::with_capacity(bytes),
    }
}

/// Says how long the last body was; 0 for one that was not long.
pub(crate) fn expect(bytes: usize) {
    EXPECTED.set(bytes);
}

/// Writes a long text as a string, if it is one that UTF-8 can hold.
fn write_long(values: &Values, value: sys::napi_value, writer: &mut Writer) -> Option<()> {
    let mut buffer = LONG.take();
    values.append_text(value, &mut buffer);
    // Half of a surrogate pair becomes U+FFFD, which is seldom meant.
    let is_whole = |text: &&str| text.len() == values.units(value) || !text.contains(char::REPLACEMENT_CHARACTER);
    let written = std::str::from_utf8(&buffer).ok().filter(is_whole).map(|text| writer.string(text));
    wipe(&mut buffer, KEPT_BYTES);
    LONG.set(buffer);
    written
}

/// As many as the package hands over at once.
const KEPT_ENTRIES: usize = 1 << 13;
