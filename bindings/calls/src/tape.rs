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
use core::ops::Range;

use cardseal::binding::{self, Wiped};
use cardseal::json::Writer;

/// The texts of a tape.
pub trait Texts {
    /// The next so many UTF-16 units of the short texts; nothing where they end before, or within a character.
    fn short(&mut self, units: usize) -> Option<&str>;

    /// Writes the next long text as a string; nothing where there is none, or none that UTF-8 can hold.
    fn long(&mut self, writer: &mut Writer) -> Option<()>;
}

/// A payload that is being written.
pub struct Written {
    writer: Writer,
    /// The names that may come again, one behind the other.
    names: Wiped<String>,
    places: Vec<Range<usize>>,
}

impl core::fmt::Debug for Written {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Written({:?})", self.writer)
    }
}

impl Written {
    /// Goes on with a tape, or begins with it: `None` is what was before. Nothing where the tape holds what has no strict form.
    pub fn continued(before: Option<Self>, tape: &[i32], texts: &mut impl Texts) -> Option<Self> {
        let &[count, _, begins, ..] = tape else { return None };
        let mut written = if begins == 0 { before? } else { Self::new() };
        for &entry in tape.get(HEAD..usize::try_from(count).ok()?)? {
            written.entry(entry, texts)?;
        }
        Some(written)
    }

    /// The JSON text.
    pub fn into_writer(self) -> Writer {
        self.writer
    }

    fn new() -> Self {
        Self { writer: binding::writer(), names: Wiped::default(), places: Vec::new() }
    }

    #[inline]
    fn entry(&mut self, entry: i32, texts: &mut impl Texts) -> Option<()> {
        let Self { writer, names, places } = self;
        let argument = entry >> KIND_BITS;
        match entry & ((1 << KIND_BITS) - 1) {
            NULL => writer.null(),
            FALSE => writer.boolean(false),
            TRUE => writer.boolean(true),
            INTEGER => writer.integer(argument.into()),
            NUMBER => writer.number(texts.short(argument as usize)?).ok()?,
            STRING => writer.string(texts.short(argument as usize)?),
            LONG_STRING => texts.long(writer)?,
            NAME => {
                let name = texts.short(argument as usize)?;
                let start = names.len();
                names.push_str(name);
                places.push(start..names.len());
                writer.name(name);
            }
            NAME_ONCE => writer.name(texts.short(argument as usize)?),
            NAME_AGAIN => writer.name(names.get(places.get(argument as usize)?.clone())?),
            BEGIN_ARRAY => writer.begin_array().ok()?,
            END_ARRAY => writer.end_array(),
            BEGIN_OBJECT => writer.begin_object().ok()?,
            END_OBJECT => writer.end_object(),
            _ => return None,
        }
        Some(())
    }
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
