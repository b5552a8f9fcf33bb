//! Serde's values, read from text that the strict reader has accepted.
//!
//! The same values as `serde_json` gives, without checking again what has been checked. What is rare, and all that fails,
//! is given up and left to `serde_json`, which has the words for it: so nothing here has to be right about why a text does
//! not fit a type.

use alloc::string::String;
use core::fmt::{self, Display};
use core::sync::atomic::{AtomicU8, Ordering};

use serde::de::{self, DeserializeOwned, DeserializeSeed, Visitor};

use super::names::literal_end;
use super::scan::skip_plain;
use super::text::unescape_into;
use crate::wipe::Wiped;

/// The value of an accepted text; nothing where that is `serde_json`'s to say.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    let mut text = Text { text, at: 0, unescaped: Wiped::new(String::new()) };
    let value = T::deserialize(&mut text).ok()?;
    text.next().is_none().then_some(value)
}

/// A text, and how far it has been read.
struct Text<'t> {
    text: &'t str,
    at: usize,
    /// The value of the last string with escapes.
    unescaped: Wiped<String>,
}

/// Says that this is `serde_json`'s to read.
#[derive(Debug)]
struct GivenUp;

type Result<T> = core::result::Result<T, GivenUp>;

/// A number as `serde_json` hands it to a visitor.
enum Number {
    Positive(u64),
    Negative(i64),
    Float(f64),
}

impl<'t> Text<'t> {
    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The first byte that is not white space, which the text now stands at.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        while let Some(byte) = self.byte() {
            if byte > b' ' {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Goes past the first byte that is not white space, if it is this one.
    #[inline]
    fn take(&mut self, byte: u8) -> Result<()> {
        if self.next() != Some(byte) {
            return Err(GivenUp);
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn word(&mut self, word: &str) -> Result<()> {
        if !self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            return Err(GivenUp);
        }
        self.at += word.len();
        Ok(())
    }

    /// Goes past a string, whose opening quote is next, and hands its value on.
    #[inline]
    fn string<V: Visitor<'t>>(&mut self, visitor: V) -> Result<V::Value> {
        self.take(b'"')?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let end = skip_plain(bytes, start);
        if bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return visitor.visit_borrowed_str(self.text.get(start..end).ok_or(GivenUp)?);
        }
        self.unescape(start, end);
        visitor.visit_str(&self.unescaped)
    }

    /// Puts the value of the string that begins at `start` into `unescaped`, and goes past it. Its first escape is at `escape`.
    #[inline(never)]
    fn unescape(&mut self, start: usize, escape: usize) {
        let rest = self.text.get(start..).unwrap_or_default();
        // Never so little that it would have to grow, which leaves a copy behind. All of it is wiped in the end: of a large
        // text it is no more than the string needs.
        let most = if rest.len() <= SMALL_BYTES { rest.len() } else { literal_end(rest.as_bytes(), escape - start) };
        if self.unescaped.capacity() < most {
            self.unescaped = Wiped::new(String::with_capacity(most));
        }
        self.unescaped.clear();
        self.at = start + unescape_into(rest, &mut self.unescaped) + 1;
    }

    /// Goes past a number, which is next.
    #[inline]
    fn number(&mut self) -> Result<Number> {
        let start = self.at;
        let is_negative = self.byte() == Some(b'-');
        self.at += usize::from(is_negative);
        let first = self.at;
        let mut whole: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            whole = whole.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        // Eighteen digits cannot have wrapped, nor be too many for an `i64`.
        let fits = (1..=18).contains(&(self.at - first));
        if !fits || matches!(self.byte(), Some(b'.' | b'e' | b'E')) || (is_negative && whole == 0) {
            return self.long_number(start);
        }
        Ok(if is_negative { Number::Negative(-whole.cast_signed()) } else { Number::Positive(whole) })
    }

    /// Goes past the rest of a number that began at `start`: with a fraction or an exponent, a long one, or minus zero.
    fn long_number(&mut self, start: usize) -> Result<Number> {
        while matches!(self.byte(), Some(b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
            self.at += 1;
        }
        let token = self.text.get(start..self.at).ok_or(GivenUp)?;
        // Minus zero is a float, for an integer has none.
        let negative = || token.parse().ok().filter(|&number: &i64| number < 0);
        if let Ok(number) = token.parse() {
            Ok(Number::Positive(number))
        } else if let Some(number) = negative() {
            Ok(Number::Negative(number))
        } else {
            token.parse().map(Number::Float).map_err(|_| GivenUp)
        }
    }

    /// What `serde_json` reads in ways of its own, which nobody has shown to be worth repeating.
    fn give_up<V: Visitor<'t>>(&mut self, _visitor: V) -> Result<V::Value> {
        Err(GivenUp)
    }

    #[inline]
    fn visit_number<V: Visitor<'t>>(&mut self, visitor: V) -> Result<V::Value> {
        self.next();
        self.number()?.visit(visitor)
    }

    fn array<V: Visitor<'t>>(&mut self, visitor: V) -> Result<V::Value> {
        self.take(b'[')?;
        let value = visitor.visit_seq(Items { text: self, is_first: true })?;
        self.take(b']')?;
        Ok(value)
    }

    fn object<V: Visitor<'t>>(&mut self, visitor: V) -> Result<V::Value> {
        self.take(b'{')?;
        let value = visitor.visit_map(Items { text: self, is_first: true })?;
        self.take(b'}')?;
        Ok(value)
    }

    /// Goes past any value.
    fn skip(&mut self) -> Result<()> {
        let mut depth = 0_usize;
        loop {
            let byte = self.next().ok_or(GivenUp)?;
            match byte {
                b'"' => self.at = literal_end(self.text.as_bytes(), self.at + 1),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1).ok_or(GivenUp)?,
                _ => {}
            }
            self.at += 1;
            // A number or a word ends where something else begins.
            while matches!(byte, b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
                && matches!(self.byte(), Some(b'0'..=b'9' | b'a'..=b'z' | b'.' | b'E' | b'+' | b'-'))
            {
                self.at += 1;
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

impl Number {
    #[inline]
    fn visit<'t, V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        match self {
            Self::Positive(number) => visitor.visit_u64(number),
            Self::Negative(number) => visitor.visit_i64(number),
            Self::Float(number) => visitor.visit_f64(number),
        }
    }
}

/// Methods of a deserializer that all do the same.
macro_rules! all {
    ($how:ident: $($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
            self.$how(visitor)
        }
    )*};
}

impl<'t> de::Deserializer<'t> for &mut Text<'t> {
    type Error = GivenUp;

    #[inline]
    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        match self.next() {
            Some(b'"') => self.string(visitor),
            Some(b'{') => self.object(visitor),
            Some(b'[') => self.array(visitor),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            Some(b'n') => self.deserialize_unit(visitor),
            Some(_) if !keeps_tokens() => self.number()?.visit(visitor),
            _ => Err(GivenUp),
        }
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        match self.next() {
            Some(b't') => {
                self.word("true")?;
                visitor.visit_bool(true)
            }
            Some(b'f') => {
                self.word("false")?;
                visitor.visit_bool(false)
            }
            _ => Err(GivenUp),
        }
    }

    all!(visit_number: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64);
    all!(visit_number: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f64);
    all!(string: deserialize_char deserialize_str deserialize_string deserialize_identifier);
    all!(give_up: deserialize_i128 deserialize_u128 deserialize_bytes deserialize_byte_buf);

    fn deserialize_f32<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        self.next();
        let start = self.at;
        match self.number()? {
            // Rounded once, from the digits: by way of an `f64` it would be twice.
            Number::Float(_) => match self.text.get(start..self.at).and_then(|token| token.parse::<f32>().ok()) {
                Some(number) if number.is_finite() => visitor.visit_f64(number.into()),
                _ => Err(GivenUp),
            },
            number => number.visit(visitor),
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        if self.next() == Some(b'n') {
            self.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        self.next();
        self.word("null")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(self, _name: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name.starts_with(PRIVATE) {
            return Err(GivenUp);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        self.array(visitor)
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _len: usize, visitor: V) -> Result<V::Value> {
        self.array(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.array(visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        self.object(visitor)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if name.starts_with(PRIVATE) {
            return Err(GivenUp);
        }
        match self.next() {
            Some(b'{') => self.object(visitor),
            _ => self.array(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if self.next() == Some(b'"') {
            return visitor.visit_enum(Variant { text: self, has_value: false });
        }
        self.take(b'{')?;
        let value = visitor.visit_enum(Variant { text: self, has_value: true })?;
        self.take(b'}')?;
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }
}

/// How the types that `serde_json` treats as none of its users' begin.
const PRIVATE: &str = "$serde_json::private::";

/// A text of which a whole copy costs nothing.
const SMALL_BYTES: usize = 64 * 1024;

/// Whether `serde_json` keeps the digits of numbers, its feature `arbitrary_precision`, which any crate of a program can turn on.
/// Then it hands a number to whoever takes anything in a way of its own.
fn keeps_tokens() -> bool {
    static KNOWN: AtomicU8 = AtomicU8::new(0);
    match KNOWN.load(Ordering::Relaxed) {
        0 => {
            let number: core::result::Result<serde_json::Number, _> = serde_json::from_str("1.50");
            let keeps = number.map_or(true, |number| alloc::format!("{number}") == "1.50");
            KNOWN.store(1 + u8::from(keeps), Ordering::Relaxed);
            keeps
        }
        known => known == 2,
    }
}

/// What is between two brackets.
struct Items<'a, 't> {
    text: &'a mut Text<'t>,
    is_first: bool,
}

impl Items<'_, '_> {
    /// Goes to the next item, if there is one before the closing bracket.
    #[inline]
    fn advance(&mut self, closing: u8) -> Result<bool> {
        let is_first = core::mem::replace(&mut self.is_first, false);
        match self.text.next() {
            Some(byte) if byte == closing => Ok(false),
            Some(b',') if !is_first => {
                self.text.at += 1;
                Ok(true)
            }
            Some(_) if is_first => Ok(true),
            _ => Err(GivenUp),
        }
    }
}

impl<'t> de::SeqAccess<'t> for Items<'_, 't> {
    type Error = GivenUp;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.advance(b']')? { seed.deserialize(&mut *self.text).map(Some) } else { Ok(None) }
    }
}

impl<'t> de::MapAccess<'t> for Items<'_, 't> {
    type Error = GivenUp;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.advance(b'}')? { seed.deserialize(Name(self.text)).map(Some) } else { Ok(None) }
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'t>>(&mut self, seed: S) -> Result<S::Value> {
        self.text.take(b':')?;
        seed.deserialize(&mut *self.text)
    }
}

/// A member's name: text, and nothing that text could be turned into.
struct Name<'a, 't>(&'a mut Text<'t>);

impl<'t> Name<'_, 't> {
    #[inline]
    fn string<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        self.0.string(visitor)
    }

    fn give_up<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        self.0.give_up(visitor)
    }
}

impl<'t> de::Deserializer<'t> for Name<'_, 't> {
    type Error = GivenUp;

    all!(string: deserialize_any deserialize_ignored_any deserialize_char deserialize_str deserialize_string deserialize_identifier);
    all!(give_up: deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128);
    all!(give_up: deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128);
    all!(give_up: deserialize_f32 deserialize_f64 deserialize_bytes deserialize_byte_buf deserialize_unit);
    all!(give_up: deserialize_seq deserialize_map);

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name.starts_with(PRIVATE) {
            return Err(GivenUp);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(self, _name: &'static str, _visitor: V) -> Result<V::Value> {
        Err(GivenUp)
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _len: usize, _visitor: V) -> Result<V::Value> {
        Err(GivenUp)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _len: usize,
        _visitor: V,
    ) -> Result<V::Value> {
        Err(GivenUp)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value> {
        Err(GivenUp)
    }
}

/// A variant's name, alone or as the one member of an object.
struct Variant<'a, 't> {
    text: &'a mut Text<'t>,
    has_value: bool,
}

impl<'t> de::EnumAccess<'t> for Variant<'_, 't> {
    type Error = GivenUp;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<(S::Value, Self)> {
        if !self.has_value {
            return Ok((seed.deserialize(&mut *self.text)?, self));
        }
        let name = seed.deserialize(Name(self.text))?;
        self.text.take(b':')?;
        Ok((name, self))
    }
}

impl<'t> de::VariantAccess<'t> for Variant<'_, 't> {
    type Error = GivenUp;

    fn unit_variant(self) -> Result<()> {
        if self.has_value { de::Deserialize::deserialize(self.text) } else { Ok(()) }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'t>>(self, seed: S) -> Result<S::Value> {
        if self.has_value { seed.deserialize(self.text) } else { Err(GivenUp) }
    }

    fn tuple_variant<V: Visitor<'t>>(self, _len: usize, visitor: V) -> Result<V::Value> {
        if self.has_value { self.text.array(visitor) } else { Err(GivenUp) }
    }

    fn struct_variant<V: Visitor<'t>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        if self.has_value { de::Deserializer::deserialize_struct(self.text, "", fields, visitor) } else { Err(GivenUp) }
    }
}

impl Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("left to serde_json")
    }
}

impl de::StdError for GivenUp {}

impl de::Error for GivenUp {
    #[inline]
    fn custom<T: Display>(_message: T) -> Self {
        Self // which may quote the value
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::boxed::Box;
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use std::cell::RefCell;
    use std::thread_local;

    use proptest::collection::vec as vec_of;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde::de::{EnumAccess, MapAccess, SeqAccess, VariantAccess};

    use super::*;

    /// What a type asks a deserializer for, and what it asks of the values inside, in turn.
    #[derive(Debug, Clone)]
    struct Plan {
        asks: Asks,
        name: Asks,
        inside: Vec<Self>,
        /// Leaves the rest of an array or an object where it is.
        at_most: usize,
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Asks {
        Any,
        Bool,
        Signed(u8),
        Unsigned(u8),
        Single,
        Double,
        Wide,
        Character,
        Str,
        Owned,
        Bytes,
        Option,
        Unit,
        UnitStruct,
        Newtype,
        Private,
        Sequence,
        Tuple,
        TupleStruct,
        Map,
        Struct,
        UnitVariant,
        NewtypeVariant,
        TupleVariant,
        StructVariant,
        Identifier,
        Ignored,
    }

    const ASKS: &[Asks] = &[
        Asks::Any,
        Asks::Bool,
        Asks::Signed(8),
        Asks::Signed(16),
        Asks::Signed(32),
        Asks::Signed(64),
        Asks::Unsigned(8),
        Asks::Unsigned(16),
        Asks::Unsigned(32),
        Asks::Unsigned(64),
        Asks::Single,
        Asks::Double,
        Asks::Wide,
        Asks::Character,
        Asks::Str,
        Asks::Owned,
        Asks::Bytes,
        Asks::Option,
        Asks::Unit,
        Asks::UnitStruct,
        Asks::Newtype,
        Asks::Private,
        Asks::Sequence,
        Asks::Tuple,
        Asks::TupleStruct,
        Asks::Map,
        Asks::Struct,
        Asks::UnitVariant,
        Asks::NewtypeVariant,
        Asks::TupleVariant,
        Asks::StructVariant,
        Asks::Identifier,
        Asks::Ignored,
    ];

    impl Plan {
        /// Whether `serde_json` is left to read this.
        fn is_rare(&self) -> bool {
            const TEXT: &[Asks] = &[Asks::Any, Asks::Character, Asks::Str, Asks::Owned, Asks::Identifier];
            matches!(self.asks, Asks::Wide | Asks::Bytes | Asks::Private)
                || keeps_tokens()
                || !TEXT.contains(&self.name)
                || self.inside.iter().any(Self::is_rare)
        }

        fn inside(&self, index: usize) -> Self {
            let any = Self { asks: Asks::Any, name: Asks::Any, inside: Vec::new(), at_most: usize::MAX };
            self.inside.get(index % self.inside.len().max(1)).cloned().unwrap_or(any)
        }
    }

    /// Says what it was handed.
    struct Told(String);

    impl<'t> DeserializeSeed<'t> for &Plan {
        type Value = String;

        fn deserialize<D: de::Deserializer<'t>>(self, text: D) -> core::result::Result<String, D::Error> {
            match self.asks {
                Asks::Any => text.deserialize_any(self),
                Asks::Bool => text.deserialize_bool(self),
                Asks::Signed(8) => text.deserialize_i8(self),
                Asks::Signed(16) => text.deserialize_i16(self),
                Asks::Signed(32) => text.deserialize_i32(self),
                Asks::Signed(_) => text.deserialize_i64(self),
                Asks::Unsigned(8) => text.deserialize_u8(self),
                Asks::Unsigned(16) => text.deserialize_u16(self),
                Asks::Unsigned(32) => text.deserialize_u32(self),
                Asks::Unsigned(_) => text.deserialize_u64(self),
                Asks::Single => text.deserialize_f32(self),
                Asks::Double => text.deserialize_f64(self),
                Asks::Wide => text.deserialize_i128(self),
                Asks::Character => text.deserialize_char(self),
                Asks::Str => text.deserialize_str(self),
                Asks::Owned => text.deserialize_string(self),
                Asks::Bytes => text.deserialize_bytes(self),
                Asks::Option => text.deserialize_option(self),
                Asks::Unit => text.deserialize_unit(self),
                Asks::UnitStruct => text.deserialize_unit_struct("Name", self),
                Asks::Newtype => text.deserialize_newtype_struct("Name", self),
                Asks::Private => text.deserialize_newtype_struct("$serde_json::private::RawValue", self),
                Asks::Sequence => text.deserialize_seq(self),
                Asks::Tuple => text.deserialize_tuple(2, self),
                Asks::TupleStruct => text.deserialize_tuple_struct("Name", 2, self),
                Asks::Map => text.deserialize_map(self),
                Asks::Struct => text.deserialize_struct("Name", &["a"], self),
                Asks::UnitVariant | Asks::NewtypeVariant | Asks::TupleVariant | Asks::StructVariant => {
                    text.deserialize_enum("Name", &["a"], self)
                }
                Asks::Identifier => text.deserialize_identifier(self),
                Asks::Ignored => text.deserialize_ignored_any(self),
            }
        }
    }

    impl<'t> Visitor<'t> for &Plan {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_bool<E: de::Error>(self, value: bool) -> core::result::Result<String, E> {
            Ok(format!("bool {value}"))
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> core::result::Result<String, E> {
            Ok(format!("i64 {value}"))
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> core::result::Result<String, E> {
            Ok(format!("u64 {value}"))
        }

        fn visit_i128<E: de::Error>(self, value: i128) -> core::result::Result<String, E> {
            Ok(format!("i128 {value}"))
        }

        fn visit_f64<E: de::Error>(self, value: f64) -> core::result::Result<String, E> {
            Ok(format!("f64 {:x}", value.to_bits()))
        }

        fn visit_str<E: de::Error>(self, value: &str) -> core::result::Result<String, E> {
            Ok(format!("str {value:?}"))
        }

        fn visit_borrowed_str<E: de::Error>(self, value: &'t str) -> core::result::Result<String, E> {
            Ok(format!("borrowed {value:?}"))
        }

        fn visit_bytes<E: de::Error>(self, value: &[u8]) -> core::result::Result<String, E> {
            Ok(format!("bytes {value:?}"))
        }

        fn visit_none<E: de::Error>(self) -> core::result::Result<String, E> {
            Ok("none".to_owned())
        }

        fn visit_some<D: de::Deserializer<'t>>(self, inside: D) -> core::result::Result<String, D::Error> {
            Ok(format!("some {}", self.inside(0).deserialize(inside)?))
        }

        fn visit_unit<E: de::Error>(self) -> core::result::Result<String, E> {
            Ok("unit".to_owned())
        }

        fn visit_newtype_struct<D: de::Deserializer<'t>>(self, inside: D) -> core::result::Result<String, D::Error> {
            Ok(format!("newtype {}", self.inside(0).deserialize(inside)?))
        }

        fn visit_seq<A: SeqAccess<'t>>(self, mut items: A) -> core::result::Result<String, A::Error> {
            let mut told = format!("seq {:?}", items.size_hint());
            for index in 0..self.at_most {
                match items.next_element_seed(&self.inside(index))? {
                    Some(item) => told += &format!(", {item}"),
                    None => return Ok(told + " end"),
                }
            }
            Ok(told)
        }

        fn visit_map<A: MapAccess<'t>>(self, mut members: A) -> core::result::Result<String, A::Error> {
            let mut told = format!("map {:?}", members.size_hint());
            let name = Plan { asks: self.name, ..self.inside(0) };
            for index in 0..self.at_most {
                match members.next_key_seed(&name)? {
                    Some(name) => told += &format!(", {name}: {}", members.next_value_seed(&self.inside(index))?),
                    None => return Ok(told + " end"),
                }
            }
            Ok(told)
        }

        fn visit_enum<A: EnumAccess<'t>>(self, variant: A) -> core::result::Result<String, A::Error> {
            let (name, value) = variant.variant_seed(&Plan { asks: self.name, ..self.inside(0) })?;
            let inside = self.inside(0);
            let value = match self.asks {
                Asks::NewtypeVariant => value.newtype_variant_seed(&inside)?,
                Asks::TupleVariant => value.tuple_variant(2, &inside)?,
                Asks::StructVariant => value.struct_variant(&["a"], &inside)?,
                _ => value.unit_variant().map(|()| String::new())?,
            };
            Ok(format!("{name} of {value}"))
        }
    }

    thread_local! {
        static PLAN: RefCell<Option<Plan>> = const { RefCell::new(None) };
    }

    impl<'t> Deserialize<'t> for Told {
        fn deserialize<D: de::Deserializer<'t>>(text: D) -> core::result::Result<Self, D::Error> {
            let plan = PLAN.with_borrow(Clone::clone);
            plan.map_or_else(|| Err(de::Error::custom("no plan")), |plan| plan.deserialize(text)).map(Told)
        }
    }

    /// A text, and a plan that fits it as a rule.
    fn texts_and_plans() -> impl Strategy<Value = (String, Plan)> {
        const NUMBERS: &[&str] = &[
            "0",
            "-0",
            "-0.0",
            "7",
            "-7",
            "127",
            "-129",
            "1.50",
            "0.1",
            "1e5",
            "1E+2",
            "12e-1",
            "5e-324",
            "1e-400",
            "16777217.0",
            "1.00000017881393432617187499",
            "3.4028235e38",
            "3.5e38",
            "999999999999999999",
            "-999999999999999999",
            "1000000000000000000",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "-9223372036854775809",
            "18446744073709551615",
            "18446744073709551616",
            "123456789012345678901234567890",
            "0.30000000000000004",
            "0.000000059604648328104529",
            "1700000000000000",
        ];
        const STRINGS: &[&str] = &[
            r#""""#,
            r#""a""#,
            r#""card_abc123""#,
            r#""é\u00e9""#,
            r#""\ud83d\ude00 \/\b\f\n\r\t\"\\""#,
            r#""5""#,
            r#""true""#,
            r#""nothing escaped, and longer than any word""#,
            r#""nothing escaped, and then at the very end\n""#,
        ];
        let leaf = prop_oneof![
            4 => proptest::sample::select(NUMBERS).prop_map(|token| {
                (token.to_owned(), &[Asks::Any, Asks::Double, Asks::Single, Asks::Signed(64), Asks::Unsigned(8)][..])
            }),
            1 => any::<f64>().prop_map(|number| {
                (serde_json::to_string(&number).unwrap(), &[Asks::Any, Asks::Double, Asks::Single][..])
            }),
            4 => proptest::sample::select(STRINGS).prop_map(|literal| {
                (literal.to_owned(), &[Asks::Any, Asks::Str, Asks::Owned, Asks::Identifier, Asks::UnitVariant][..])
            }),
            1 => any::<String>().prop_map(|text| (serde_json::to_string(&text).unwrap(), &[Asks::Any, Asks::Owned][..])),
            1 => any::<bool>().prop_map(|word| (word.to_string(), &[Asks::Any, Asks::Bool][..])),
            1 => Just(("null".to_owned(), &[Asks::Any, Asks::Unit, Asks::Option, Asks::UnitStruct][..])),
        ];
        let plan = |asks: Asks, inside: Vec<Plan>| Plan { asks, name: Asks::Str, inside, at_most: usize::MAX };
        let leaf = (leaf, any::<proptest::sample::Index>())
            .prop_map(move |((text, fitting), index)| (text, plan(*index.get(fitting), Vec::new())));
        let tree = leaf.prop_recursive(5, 40, 6, move |inner| {
            let names =
                [r#""a""#, r#""b""#, r#""\u0061b""#, r#""a name of more than sixteen bytes""#, r#""é""#, r#""""#];
            let list = |inner: BoxedStrategy<(String, Plan)>| vec_of(inner, 0..5);
            let around = proptest::sample::select(&["", " ", "\n\t\r  "][..]);
            let arrays = (list(inner.clone().boxed()), around.clone(), any::<proptest::sample::Index>()).prop_map(
                move |(items, space, index)| {
                    let (texts, plans): (Vec<_>, Vec<_>) = items.into_iter().unzip();
                    let text = texts.join(&format!("{space},{space}"));
                    let fitting =
                        [Asks::Any, Asks::Sequence, Asks::Tuple, Asks::TupleStruct, Asks::Struct, Asks::Ignored];
                    (format!("[{space}{text}{space}]"), plan(*index.get(&fitting), plans))
                },
            );
            let objects = (list(inner.clone().boxed()), around, any::<proptest::sample::Index>()).prop_map(
                move |(values, space, index)| {
                    let (texts, plans): (Vec<_>, Vec<_>) = values.into_iter().unzip();
                    let member = |(name, value): (&&str, &String)| format!("{name}{space}:{space}{value}");
                    let text: Vec<_> = names.iter().zip(&texts).map(member).collect();
                    let text = text.join(&format!("{space},{space}"));
                    let fitting = [Asks::Any, Asks::Map, Asks::Struct, Asks::NewtypeVariant, Asks::Ignored];
                    (format!("{{{space}{text}{space}}}"), plan(*index.get(&fitting), plans))
                },
            );
            let wrapped = (inner, any::<bool>()).prop_map(move |((text, inside), option)| {
                (text, plan(if option { Asks::Option } else { Asks::Newtype }, vec![inside]))
            });
            prop_oneof![3 => arrays, 3 => objects, 1 => wrapped]
        });
        // Something else than what fits, at the root or deeper in.
        (tree, vec_of((any::<proptest::sample::Index>(), 0..4_usize, 0..3_usize), 0..3)).prop_map(
            |((text, mut plan), changes)| {
                for (index, depth, what) in changes {
                    let mut place = &mut plan;
                    for _ in 0..depth {
                        if place.inside.is_empty() {
                            break;
                        }
                        let at = index.index(place.inside.len());
                        place = &mut place.inside[at];
                    }
                    match what {
                        0 => place.asks = *index.get(ASKS),
                        1 => place.name = *index.get(ASKS),
                        _ => place.at_most = index.index(4),
                    }
                }
                (format!(" {text}\n"), plan)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn visitors_are_told_what_serde_json_tells_them((text, plan) in texts_and_plans()) {
            crate::json::check(&text).unwrap();
            let is_rare = plan.is_rare();
            PLAN.set(Some(plan));
            let told = |told: Told| told.0;
            let expected = serde_json::from_str(&text).map(told).ok();
            match parse(&text).map(told) {
                Some(fast) => prop_assert_eq!(Some(fast), expected, "{}", text),
                None => prop_assert!(is_rare || expected.is_none(), "{text}: {expected:?}"),
            }
        }
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Typed {
        id: u32,
        #[serde(default)]
        note: Option<String>,
        kind: Kind,
        amounts: Vec<f64>,
        single: f32,
        tags: BTreeMap<String, Option<bool>>,
        #[serde(flatten)]
        rest: BTreeMap<String, serde_json::Value>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Card,
        Wallet { balance: i64 },
        Pair(u8, char),
        Boxed(Box<Untagged>),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(u64),
        Text(String),
        List(Vec<Untagged>),
    }

    #[test]
    fn types_are_read_here_and_as_serde_json_reads_them() {
        for kind in
            [r#""card""#, r#"{"wallet":{"balance":-5}}"#, r#"{"pair":[7,"\u00e9"]}"#, r#"{"boxed":[1,"a\n",[2]]}"#]
        {
            let text = format!(
                r#"{{"id":4294967295,"kind":{kind},"amounts":[0.1,5,1e3],"single":0.1,"tags":{{"a":null,"b":true}},"more":[1,2.5,{{}}]}}"#
            );
            let typed: Typed = serde_json::from_str(&text).unwrap();
            assert_eq!(parse::<Typed>(&text), (!keeps_tokens()).then_some(typed), "{text}");
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(parse::<serde_json::Value>(&text), (!keeps_tokens()).then_some(value), "{text}");
        }
    }

    /// The reader comes first: but even a text that it never saw ends, and gives nothing that `serde_json` would not.
    #[test]
    fn texts_that_nobody_has_accepted_do_no_harm() {
        let text = r#"{"a":[1,-2.5e3,"b\u00e9\"",true,false,null,{"c":{}}],"d":"é"}"#;
        let bytes = text.as_bytes();
        for at in 0..bytes.len() {
            for byte in b"\"\\{}[],:0-.eE tfnu\x01a" {
                let mut altered = bytes.to_vec();
                altered[at] = *byte;
                let texts = [String::from_utf8(altered).ok(), text.get(..at).map(ToOwned::to_owned)];
                for text in texts.into_iter().flatten() {
                    let _ = parse::<serde_json::Value>(&text);
                    let _ = parse::<de::IgnoredAny>(&text);
                }
            }
        }
    }
}
