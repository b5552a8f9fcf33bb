//! Payloads as a tape: what a walk over a JavaScript value finds, entry by entry, and the texts that it has met.
//!
//! `JSON.stringify` takes most of the time of sealing. A walk in JavaScript that only notes what is there takes a third of
//! it, and the core's own writer makes JSON of that where it is encrypted, strict by construction.
//!
//! ```text
//! tape     head (3) │ entry │ entry │ …
//! head     entries with the head │ UTF-16 units of the texts │ 1 where a payload begins, 0 where it goes on
//! entry    argument (28 bits, signed) │ kind (4)
//! ```
//!
//! The short texts come as one, in the order of the entries, each with its length in units; a long one comes by itself.
//! `packages/npm/src/engines/tape.ts` writes it.

use alloc::string::String;
use alloc::vec::Vec;

use cardseal::binding::Wiped;
use cardseal::json::{NameLiteral, Writer};

/// A payload that is being written from its tapes.
///
/// They are taken at their word where JavaScript's objects give it: no object has a name twice, and brackets match.
pub struct Written {
    writer: Writer,
    /// The names that may come again.
    names: Vec<Name>,
}

enum Name {
    Ready(NameLiteral),
    /// One that is long, or has a character to escape.
    Other(Wiped<String>),
}

impl Written {
    /// Goes on from what was written `before` with a tape and its short texts, or begins anew where the tape says so. `long`
    /// writes the next of the long texts.
    ///
    /// Nothing where they hold what has no strict form, or what may have had none: a lone surrogate has become U+FFFD by now.
    pub fn continued(
        before: Option<Self>,
        begin: impl FnOnce() -> Writer,
        mut tape: impl Iterator<Item = i32>,
        short: &[u8],
        mut long: impl FnMut(&mut Writer) -> Option<()>,
    ) -> Option<Self> {
        let [count, units, begins] = [tape.next()?, tape.next()?, tape.next()?];
        let mut texts = Texts::new(short, units)?;
        let mut written = if begins == 0 { before? } else { Self::new(begin()) };
        for entry in tape.take(usize::try_from(count).ok()?.checked_sub(HEAD)?) {
            written.entry(entry, &mut texts, &mut long)?;
        }
        Some(written)
    }

    /// The JSON text.
    pub fn into_writer(self) -> Writer {
        self.writer
    }

    const fn new(writer: Writer) -> Self {
        Self { writer, names: Vec::new() }
    }

    #[inline]
    fn entry(
        &mut self,
        entry: i32,
        texts: &mut Texts<'_>,
        long: &mut impl FnMut(&mut Writer) -> Option<()>,
    ) -> Option<()> {
        let Self { writer, names } = self;
        let argument = entry >> KIND_BITS;
        match entry & ((1 << KIND_BITS) - 1) {
            NULL => writer.null(),
            FALSE => writer.boolean(false),
            TRUE => writer.boolean(true),
            INTEGER => writer.integer(argument.into()),
            HUNDREDTHS => writer.hundredths(argument.into()),
            NUMBER => writer.number(texts.next(argument)?).ok()?,
            STRING => writer.string(texts.next(argument)?),
            NAME => {
                let name = texts.next(argument)?;
                let ready = NameLiteral::new(name).map(Name::Ready);
                names.push(ready.unwrap_or_else(|| Name::Other(Wiped::new(name.into()))));
                writer.name(name);
            }
            NAME_ONCE => writer.name(texts.next(argument)?),
            NAME_AGAIN => match names.get(argument as usize)? {
                Name::Ready(name) => writer.name_again(name),
                Name::Other(name) => writer.name(name),
            },
            LONG_STRING => long(writer)?,
            BEGIN_ARRAY => writer.begin_array().ok()?,
            END_ARRAY => writer.end_array(),
            BEGIN_OBJECT => writer.begin_object().ok()?,
            END_OBJECT => writer.end_object(),
            _ => return None,
        }
        Some(())
    }
}

impl core::fmt::Debug for Written {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Written({:?})", self.writer)
    }
}

/// The short texts of a tape, one behind the other.
struct Texts<'t> {
    rest: &'t str,
    /// Whether a UTF-16 unit is a byte.
    is_ascii: bool,
}

impl<'t> Texts<'t> {
    fn new(text: &'t [u8], units: i32) -> Option<Self> {
        let rest = core::str::from_utf8(text).ok()?;
        let is_ascii = usize::try_from(units) == Ok(text.len());
        (is_ascii || !rest.contains(char::REPLACEMENT_CHARACTER)).then_some(Self { rest, is_ascii })
    }

    /// The next text; nothing where it would end within a character, of which two texts have half each.
    #[inline]
    fn next(&mut self, units: i32) -> Option<&'t str> {
        let units = units as usize;
        let bytes = if self.is_ascii { units } else { bytes_of_units(self.rest, units)? };
        let (text, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(text)
    }
}

fn bytes_of_units(text: &str, units: usize) -> Option<usize> {
    let mut left = units;
    let mut characters = text.chars();
    while left > 0 {
        left = left.checked_sub(characters.next()?.len_utf16())?;
    }
    Some(text.len() - characters.as_str().len())
}

/// Entries of the head.
const HEAD: usize = 3;

const KIND_BITS: u32 = 4;
const NULL: i32 = 0;
const FALSE: i32 = 1;
const TRUE: i32 = 2;
/// The argument is the number.
const INTEGER: i32 = 3;
/// A number by its token. The argument is how many units that has, as it is for what a string or a name has in the next three.
const NUMBER: i32 = 4;
const STRING: i32 = 5;
/// A name that may come again.
const NAME: i32 = 6;
const NAME_ONCE: i32 = 7;
/// The argument counts the names that may come again.
const NAME_AGAIN: i32 = 8;
const LONG_STRING: i32 = 9;
const BEGIN_ARRAY: i32 = 10;
const END_ARRAY: i32 = 11;
const BEGIN_OBJECT: i32 = 12;
const END_OBJECT: i32 = 13;
/// The argument is a hundred times the number, which is none without a fraction.
const HUNDREDTHS: i32 = 14;
