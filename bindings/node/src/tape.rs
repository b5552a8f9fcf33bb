//! Tapes as JavaScript hands them over.

use std::cell::Cell;

use cardseal::binding;
use cardseal::json::Writer;
use cardseal_calls::Written;
use napi_sys as sys;

use crate::values::{KEPT_BYTES, Values, wipe};

thread_local! {
    /// How much room the last payload has taken whose body was long, if it was the last one.
    static EXPECTED: Cell<usize> = const { Cell::new(0) };
    static SHORT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static LONG: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Goes on from what was written `before` with the tape that is the argument `index`; the next two are its long texts and its
/// short ones. Nothing where there is no such tape, or none that can be written.
pub(crate) fn continued(before: Option<Written>, values: &Values, index: usize) -> Option<Written> {
    let tape = values.integers(index)?;
    let mut short = SHORT.take();
    values.append_text(values.at(index + 2), &mut short);
    let mut next_long = 0;
    let written = Written::continued(before, writer, tape.as_slice().iter().copied(), &short, |writer| {
        let text = values.element(values.at(index + 1), next_long);
        next_long += 1;
        write_long(values, text, writer)
    });
    wipe(&mut short, KEPT_BYTES);
    SHORT.set(short);
    tape.wipe(); // numbers of the payload stand in it
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

/// Says how long the last body was, if it was a long one.
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
