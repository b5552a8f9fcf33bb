//! Serde's values, written where they are going to be encrypted.
//!
//! The same text as `serde_json` gives, byte for byte, without a second pass over it: the writer knows that it is strict.
//! What is rare, and all that fails, is left to `serde_json` and the reader, which have the words for it.

use core::cell::Cell;
use core::fmt::{self, Display};
use core::ops::Range;
use std::boxed::Box;
use std::io;
use std::string::String;
use std::thread_local;

use serde::ser::{self, Impossible, Serialize};

use super::buffers;
use super::copy::copy_short;
use super::fault::Fault;
use super::scan::is_special;
use super::writer::Writer;
use crate::error::{Error, ErrorCode, Result as CoreResult};
use crate::layout::Encrypted;

/// The JSON text of a value.
///
/// # Errors
/// `invalid_payload` for what has none.
pub(crate) fn written<T: Serialize + ?Sized>(value: &T) -> CoreResult<Writer> {
    // Taken out meanwhile: a value may seal another one in order to show itself.
    let shapes = SHAPES.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let mut text = Text { writer: buffers::writer(), shapes };
    let outcome = value.serialize(Values(&mut text));
    let Text { writer, mut shapes } = text;
    shapes.next = 0;
    let _ = SHAPES.try_with(|kept| kept.set(Some(shapes))); // a thread that is ending has no place for them any more
    if outcome.is_ok() {
        return Ok(writer);
    }
    drop(writer); // half a text may be in it, which is wiped
    let mut writer = buffers::writer();
    match serde_json::to_writer(Raw(&mut writer), value) {
        Ok(()) => Ok(writer),
        // serde's messages may quote the value.
        Err(_) => Err(Error::new(
            ErrorCode::InvalidPayload,
            "the payload has no JSON form: maps need text as names, and no type of yours may refuse",
        )),
    }
}

/// The HTTP body of what was written here.
pub(crate) fn into_body(encrypted: Encrypted) -> String {
    let body = encrypted.body();
    buffers::keep(encrypted);
    body
}

thread_local! {
    /// What a thread's last value looked like.
    static SHAPES: Cell<Option<Box<Shapes>>> = const { Cell::new(None) };
}

/// A text that is being written.
struct Text {
    writer: Writer,
    shapes: Box<Shapes>,
}

/// The names of the fields of all structs that are still open, and of those that stood in the same places before.
///
/// A struct has as many places as it says that it has fields, behind those of the struct around it. The items of a list,
/// and the payloads of a program, have the same fields as a rule, each in the same place as in the one before: what is known
/// of a name is found by its address, and the text is not looked at.
struct Shapes {
    names: [&'static str; MOST_FIELDS],
    /// A bit for each of `names` that has no character to escape.
    plain: u64,
    /// By a struct's first place, up to where its names are known to differ from each other.
    proven: [u8; MOST_FIELDS],
    /// The first place of the next struct.
    next: usize,
}

/// With more fields open than that, the reader looks.
const MOST_FIELDS: usize = u64::BITS as usize;

impl Default for Shapes {
    fn default() -> Self {
        Self { names: [""; MOST_FIELDS], plain: 0, proven: [0; MOST_FIELDS], next: 0 }
    }
}

impl Shapes {
    /// Puts a name into its place, and says whether it is known to have no character to escape.
    #[inline]
    fn put(&mut self, place: usize, name: &'static str) -> bool {
        match self.names.get(place) {
            Some(known) if core::ptr::eq(*known, name) => self.plain >> (place % MOST_FIELDS) & 1 != 0,
            _ => self.put_new(place, name),
        }
    }

    #[inline(never)]
    fn put_new(&mut self, place: usize, name: &'static str) -> bool {
        let Some(slot) = self.names.get_mut(place) else { return false };
        *slot = name;
        let most = u8::try_from(place).unwrap_or_default();
        self.proven.iter_mut().for_each(|end| *end = (*end).min(most));
        let is_plain = !name.bytes().any(is_special);
        self.plain = self.plain & !(1 << place) | u64::from(is_plain) << place;
        is_plain
    }

    /// Whether the names in these places differ from each other.
    #[inline]
    fn differ(&mut self, places: Range<usize>) -> bool {
        let is_proven = self.proven.get(places.start).is_some_and(|end| places.end <= usize::from(*end));
        is_proven || places.is_empty() || self.prove(places)
    }

    #[inline(never)]
    fn prove(&mut self, places: Range<usize>) -> bool {
        let Some(names) = self.names.get(places.clone()) else { return false };
        let mut seen = 0;
        for (index, name) in names.iter().enumerate() {
            let bit = bit(name);
            if seen & bit != 0 && names.get(..index).is_some_and(|earlier| earlier.contains(name)) {
                return false;
            }
            seen |= bit;
        }
        if let Some(end) = self.proven.get_mut(places.start) {
            *end = u8::try_from(places.end).unwrap_or_default();
        }
        true
    }
}

/// A bit by a name's length, its first letter and its last.
fn bit(name: &str) -> u64 {
    let letter = |letter: Option<&u8>| letter.map_or(0, |letter| usize::from(*letter));
    let letters = name.len() + 7 * letter(name.as_bytes().first()) + 31 * letter(name.as_bytes().last());
    1 << (letters % 64)
}

/// Why the text is not written here. Whoever asks again learns more.
#[derive(Debug)]
struct Elsewhere;

type Written = Result<(), Elsewhere>;

impl Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this has no JSON form here")
    }
}

impl core::error::Error for Elsewhere {}

impl ser::Error for Elsewhere {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl From<Fault> for Elsewhere {
    fn from(_: Fault) -> Self {
        Self
    }
}

impl From<fmt::Error> for Elsewhere {
    fn from(_: fmt::Error) -> Self {
        Self
    }
}

/// Writes one value.
struct Values<'w>(&'w mut Text);

impl<'w> Values<'w> {
    /// A number by the token that `serde_json` has for it, which is short and within binary64; NaN and the infinities are `null`
    /// there.
    fn by_token(self, value: impl Serialize) -> Written {
        let mut token = Token::default();
        serde_json::to_writer(&mut token, &value).map_err(|_| Elsewhere)?;
        match token.as_bytes() {
            b"null" => self.0.writer.null(),
            token => self.0.writer.known_number(token),
        }
        Ok(())
    }

    /// `{"variant":`
    fn variant(self, variant: &str) -> Result<&'w mut Text, Elsewhere> {
        self.0.writer.begin_object()?;
        self.0.writer.name(variant);
        Ok(self.0)
    }
}

macro_rules! integers {
    ($($method:ident: $integer:ty),*) => {
        $(
            #[inline]
            fn $method(self, value: $integer) -> Written {
                self.0.writer.integer(i64::from(value));
                Ok(())
            }
        )*
    };
}

impl<'w> ser::Serializer for Values<'w> {
    type Ok = ();
    type Error = Elsewhere;
    type SerializeSeq = Items<'w>;
    type SerializeTuple = Items<'w>;
    type SerializeTupleStruct = Items<'w>;
    type SerializeTupleVariant = InVariant<Items<'w>>;
    type SerializeMap = Entries<'w>;
    type SerializeStruct = Fields<'w>;
    type SerializeStructVariant = InVariant<Fields<'w>>;

    integers!(
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32
    );

    fn serialize_u64(self, value: u64) -> Written {
        match i64::try_from(value) {
            Ok(value) => self.serialize_i64(value),
            Err(_) => self.by_token(value),
        }
    }

    fn serialize_i128(self, value: i128) -> Written {
        self.by_token(value)
    }

    fn serialize_u128(self, value: u128) -> Written {
        self.by_token(value)
    }

    fn serialize_f32(self, value: f32) -> Written {
        self.by_token(value)
    }

    fn serialize_f64(self, value: f64) -> Written {
        self.by_token(value)
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Written {
        self.0.writer.boolean(value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Written {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Written {
        self.0.writer.string(value);
        Ok(())
    }

    /// Piece by piece: a text of its own would stay in memory.
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Written {
        Ok(self.0.writer.display(value)?)
    }

    fn serialize_bytes(self, _: &[u8]) -> Written {
        Err(Elsewhere)
    }

    #[inline]
    fn serialize_unit(self) -> Written {
        self.0.writer.null();
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_none(self) -> Written {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        let text = self.variant(variant)?;
        value.serialize(Values(text))?;
        text.writer.end_object();
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'w>, Elsewhere> {
        self.0.writer.begin_array()?;
        Ok(Items(self.0))
    }

    fn serialize_tuple(self, length: usize) -> Result<Items<'w>, Elsewhere> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items<'w>, Elsewhere> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<InVariant<Items<'w>>, Elsewhere> {
        Ok(InVariant(Values(self.variant(variant)?).serialize_seq(Some(length))?))
    }

    /// Nobody knows whether a map has a name twice: the reader looks.
    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'w>, Elsewhere> {
        self.0.writer.begin_object()?;
        self.0.writer.distrust_names();
        Ok(Entries(self.0))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, fields: usize) -> Result<Fields<'w>, Elsewhere> {
        if name.starts_with(PRIVATE) {
            return Err(Elsewhere);
        }
        self.0.writer.begin_object()?;
        let first = self.0.shapes.next;
        self.0.shapes.next = first.saturating_add(fields);
        Ok(Fields { limit: self.0.shapes.next, text: self.0, first, place: first })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<InVariant<Fields<'w>>, Elsewhere> {
        Ok(InVariant(Values(self.variant(variant)?).serialize_struct(name, length)?))
    }
}

/// What begins the names of structs that are something else to `serde_json`: text that is JSON already, or a number's digits.
const PRIVATE: &str = "$serde_json::private";

/// Writes the items of an array.
struct Items<'w>(&'w mut Text);

impl Items<'_> {
    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(Values(self.0))
    }

    #[inline]
    fn finish(self) -> Written {
        self.0.writer.end_array();
        Ok(())
    }
}

/// Writes the fields of a struct, and looks whether a name stands twice among them.
struct Fields<'w> {
    text: &'w mut Text,
    /// The first place of its names, and the next one's.
    first: usize,
    place: usize,
    /// Where its places end: with more names than it has said, nobody knows what else has been put there.
    limit: usize,
}

impl Fields<'_> {
    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        if self.text.shapes.put(self.place, name) {
            self.text.writer.plain_name(name);
        } else {
            self.text.writer.name(name);
        }
        self.place += 1;
        value.serialize(Values(self.text))
    }

    #[inline]
    fn finish(self) -> Written {
        if self.place > self.limit || !self.text.shapes.differ(self.first..self.place) {
            self.text.writer.distrust_names();
        }
        self.text.shapes.next = self.first;
        self.text.writer.end_object();
        Ok(())
    }
}

/// Writes the entries of a map.
struct Entries<'w>(&'w mut Text);

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Elsewhere;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        key.serialize(Name(&mut self.0.writer))
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(Values(self.0))
    }

    fn end(self) -> Written {
        self.0.writer.end_object();
        Ok(())
    }
}

/// Writes what is inside an object with one member, the variant of an enum, and ends both.
struct InVariant<Inside>(Inside);

impl ser::SerializeTupleVariant for InVariant<Items<'_>> {
    type Ok = ();
    type Error = Elsewhere;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.0.item(value)
    }

    fn end(self) -> Written {
        self.0.0.writer.end_array();
        self.0.0.writer.end_object();
        Ok(())
    }
}

impl ser::SerializeStructVariant for InVariant<Fields<'_>> {
    type Ok = ();
    type Error = Elsewhere;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        self.0.field(name, value)
    }

    fn end(self) -> Written {
        let Fields { text, first, place, limit } = self.0;
        Fields { text, first, place, limit }.finish()?;
        text.writer.end_object();
        Ok(())
    }
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Elsewhere;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        self.field(name, value)
    }

    #[inline]
    fn end(self) -> Written {
        self.finish()
    }
}

macro_rules! items {
    ($($form:ident: $method:ident),*) => {
        $(
            impl ser::$form for Items<'_> {
                type Ok = ();
                type Error = Elsewhere;

                #[inline]
                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                    self.item(value)
                }

                #[inline]
                fn end(self) -> Written {
                    self.finish()
                }
            }
        )*
    };
}

items!(SerializeSeq: serialize_element, SerializeTuple: serialize_element, SerializeTupleStruct: serialize_field);

/// Writes the name of a map's entry, which is text: of what else `serde_json` makes names, it shall make them itself.
struct Name<'w>(&'w mut Writer);

macro_rules! no_names {
    ($($method:ident($($given:ty),*) -> $out:ty;)*) => {
        $(
            fn $method(self, $(_: $given),*) -> Result<$out, Elsewhere> {
                Err(Elsewhere)
            }
        )*
    };
}

impl ser::Serializer for Name<'_> {
    type Ok = ();
    type Error = Elsewhere;
    type SerializeSeq = Impossible<(), Elsewhere>;
    type SerializeTuple = Impossible<(), Elsewhere>;
    type SerializeTupleStruct = Impossible<(), Elsewhere>;
    type SerializeTupleVariant = Impossible<(), Elsewhere>;
    type SerializeMap = Impossible<(), Elsewhere>;
    type SerializeStruct = Impossible<(), Elsewhere>;
    type SerializeStructVariant = Impossible<(), Elsewhere>;

    fn serialize_str(self, name: &str) -> Written {
        self.0.name(name);
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn collect_str<T: Display + ?Sized>(self, _: &T) -> Written {
        Err(Elsewhere)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Written {
        Err(Elsewhere)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Written {
        Err(Elsewhere)
    }

    no_names! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

/// Takes what `serde_json` writes.
struct Raw<'w>(&'w mut Writer);

impl io::Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.raw(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The token of a number, on the stack.
struct Token {
    bytes: [u8; 64],
    length: usize,
}

impl Default for Token {
    fn default() -> Self {
        Self { bytes: [0; 64], length: 0 }
    }
}

impl Token {
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl io::Write for Token {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = self.length + bytes.len();
        let Some(slot) = self.bytes.get_mut(self.length..end) else { return Ok(0) };
        copy_short(bytes, slot);
        self.length = end;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
