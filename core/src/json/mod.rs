//! The strict JSON reader that every rule rests on, and what is built upon it.
//!
//! **Unstable**: public for the bindings of this project alone; it may change in any release.
//!
//! One parser ([`read`]) drives a [`Sink`], so that the same code validates, finds members of the root object, puts a
//! payload into canonical form, and builds a host language's objects, each in one pass. It accepts RFC 8259 narrowed by
//! SPEC.md: no repeated member names in one object, at most [`MAX_DEPTH`] levels, number tokens of at most
//! [`MAX_NUMBER_BYTES`] bytes within binary64's range, no lone surrogates, nothing after the value but white space.
//! It never copies the text: its one table holds offsets, eight bytes a member name of the objects still open.

#[cfg(all(feature = "writer", feature = "std"))]
pub(crate) mod buffers;
mod canonical;
#[cfg(feature = "writer")]
mod copy;
#[cfg(feature = "serde")]
mod deserialize;
mod fault;
mod members;
#[cfg(feature = "writer")]
mod name;
mod names;
mod reader;
mod scan;
#[cfg(all(feature = "serde", feature = "std"))]
mod serialize;
mod sort;
mod text;
#[cfg(feature = "writer")]
mod writer;

pub(crate) use canonical::Canonical;
#[cfg(feature = "serde")]
pub(crate) use deserialize::parse;
pub use fault::{Fault, FaultKind};
pub(crate) use members::{Found, Kind, Members};
#[cfg(feature = "writer")]
pub use name::NameLiteral;
pub use names::{MemberNames, Place};
pub use reader::{Sink, read, read_utf8};
pub(crate) use scan::{decimal, put_digits};
pub use scan::{trim, write_digits, write_string};
#[cfg(all(feature = "serde", feature = "std"))]
pub(crate) use serialize::{into_body, written};
pub(crate) use text::Unescaped;
pub use text::{Number, Text};
#[cfg(feature = "writer")]
pub use writer::Writer;

/// How deep arrays and objects may nest; the root is level 1.
pub const MAX_DEPTH: usize = 128;

/// How long a number token may be.
pub const MAX_NUMBER_BYTES: usize = 1_024;

/// Accepts or refuses a text, and keeps nothing.
///
/// # Errors
/// The first [`Fault`] found.
pub fn check(text: &str) -> Result<(), Fault> {
    read(text, &mut Nothing)
}

/// The sink that lets every event pass.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nothing;

impl Sink for Nothing {
    type Error = Fault;
}
