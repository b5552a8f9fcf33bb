//! Serde's values are sealed exactly as the text that `serde_json` makes of them is.

#![cfg(all(feature = "std", feature = "serde"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt;
use std::sync::LazyLock;

use cardseal::{Envelope, Plaintext, RequestOptions};
use proptest::collection::vec as vec_of;
use proptest::prelude::*;
use serde::ser::{
    self, Serialize, SerializeMap as _, SerializeSeq as _, SerializeStruct as _, SerializeStructVariant as _,
    SerializeTuple as _, SerializeTupleStruct as _, SerializeTupleVariant as _, Serializer,
};

mod effort;

/// A value in every form that serde knows.
#[derive(Debug, Clone)]
enum Shape {
    Boolean(bool),
    Signed(i64),
    Unsigned(u64),
    Narrow(i8, u8, i16, u16, i32, u32),
    Wide(i128, u128),
    Single(f32),
    Double(f64),
    Character(char),
    Text(String),
    Displayed(Vec<String>),
    Bytes(Vec<u8>),
    Unit,
    UnitStruct,
    None,
    Some(Box<Self>),
    UnitVariant(&'static str),
    Newtype(Box<Self>),
    NewtypeVariant(&'static str, Box<Self>),
    Sequence(Vec<Self>),
    Tuple(Vec<Self>),
    TupleStruct(Vec<Self>),
    TupleVariant(&'static str, Vec<Self>),
    Map(Vec<(Self, Self)>),
    Struct(&'static str, Vec<(&'static str, Self)>),
    StructVariant(&'static str, Vec<(&'static str, Self)>),
    Refusing,
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Signed(value) => serializer.serialize_i64(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Narrow(a, b, c, d, e, f) => (a, b, c, d, e, f).serialize(serializer),
            Self::Wide(signed, unsigned) => (signed, unsigned).serialize(serializer),
            Self::Single(value) => serializer.serialize_f32(*value),
            Self::Double(value) => serializer.serialize_f64(*value),
            Self::Character(value) => serializer.serialize_char(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Displayed(pieces) => serializer.collect_str(&Pieces(pieces)),
            Self::Bytes(value) => serializer.serialize_bytes(value),
            Self::Unit => serializer.serialize_unit(),
            Self::UnitStruct => serializer.serialize_unit_struct("Name"),
            Self::None => serializer.serialize_none(),
            Self::Some(inside) => serializer.serialize_some(inside),
            Self::UnitVariant(name) => serializer.serialize_unit_variant("Name", 0, name),
            Self::Newtype(inside) => serializer.serialize_newtype_struct("Name", inside),
            Self::NewtypeVariant(name, inside) => serializer.serialize_newtype_variant("Name", 0, name, inside),
            Self::Sequence(items) => {
                let mut sequence = serializer.serialize_seq(None)?;
                items.iter().try_for_each(|item| sequence.serialize_element(item))?;
                sequence.end()
            }
            Self::Tuple(items) => {
                let mut tuple = serializer.serialize_tuple(items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_element(item))?;
                tuple.end()
            }
            Self::TupleStruct(items) => {
                let mut tuple = serializer.serialize_tuple_struct("Name", items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_field(item))?;
                tuple.end()
            }
            Self::TupleVariant(name, items) => {
                let mut tuple = serializer.serialize_tuple_variant("Name", 0, name, items.len())?;
                items.iter().try_for_each(|item| tuple.serialize_field(item))?;
                tuple.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(None)?;
                entries.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
            Self::Struct(name, fields) => {
                // A type may say another number than it has.
                let said = if fields.len() % 3 == 2 { 1 } else { fields.len() };
                let mut of_struct = serializer.serialize_struct(name, said)?;
                fields.iter().try_for_each(|(name, value)| of_struct.serialize_field(name, value))?;
                of_struct.end()
            }
            Self::StructVariant(name, fields) => {
                let mut of_struct = serializer.serialize_struct_variant("Name", 0, name, fields.len())?;
                fields.iter().try_for_each(|(name, value)| of_struct.serialize_field(name, value))?;
                of_struct.end()
            }
            Self::Refusing => Err(ser::Error::custom("no")),
        }
    }
}

/// Shown in several pieces, which begin and end anywhere.
struct Pieces<'p>(&'p [String]);

impl fmt::Display for Pieces<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

const NAMES: &[&str] =
    &["request_timestamp", "encrypted", "type", "", "a", "b", "ab", "ba", "é", "with \"quotes\"", "\u{1}", "card_id"];

/// Different from each other.
static MANY_NAMES: LazyLock<Vec<String>> = LazyLock::new(|| (0..40).map(|number| format!("field_{number}")).collect());

fn names() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(NAMES)
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z\"\\\\\n\u{0}\u{1f}\u{7f}é😀]{0,40}",
        Just("1700000000000000".to_owned()),
        names().prop_map(str::to_owned),
    ]
}

fn shapes() -> impl Strategy<Value = Shape> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Shape::Boolean),
        any::<i64>().prop_map(Shape::Signed),
        any::<u64>().prop_map(Shape::Unsigned),
        any::<(i8, u8, i16, u16, i32, u32)>().prop_map(|(a, b, c, d, e, f)| Shape::Narrow(a, b, c, d, e, f)),
        any::<(i128, u128)>().prop_map(|(signed, unsigned)| Shape::Wide(signed, unsigned)),
        prop_oneof![any::<f32>(), any::<u32>().prop_map(f32::from_bits)].prop_map(Shape::Single),
        prop_oneof![any::<f64>(), any::<u64>().prop_map(f64::from_bits)].prop_map(Shape::Double),
        any::<char>().prop_map(Shape::Character),
        texts().prop_map(Shape::Text),
        vec_of(texts(), 0..4).prop_map(Shape::Displayed),
        Just(Shape::Unit),
        Just(Shape::UnitStruct),
        Just(Shape::None),
        names().prop_map(Shape::UnitVariant),
    ];
    let rare = prop_oneof![Just(Shape::Refusing), vec_of(any::<u8>(), 0..5).prop_map(Shape::Bytes)];
    prop_oneof![60 => leaf, 1 => rare].prop_recursive(5, 60, 8, |inner| {
        let fields = || {
            prop_oneof![
                30 => vec_of((names(), inner.clone()), 0..4),
                // Different names, more than are looked at one by one.
                1 => (20..40_usize, inner.clone()).prop_map(|(count, value)| {
                    MANY_NAMES.iter().take(count).map(|name| (&**name, value.clone())).collect()
                }),
            ]
        };
        let struct_names = prop_oneof![20 => Just("Name"), 1 => Just("$serde_json::private::RawValue")];
        prop_oneof![
            inner.clone().prop_map(|inside| Shape::Some(inside.into())),
            inner.clone().prop_map(|inside| Shape::Newtype(inside.into())),
            (names(), inner.clone()).prop_map(|(name, inside)| Shape::NewtypeVariant(name, inside.into())),
            vec_of(inner.clone(), 0..8).prop_map(Shape::Sequence),
            vec_of(inner.clone(), 0..4).prop_map(Shape::Tuple),
            vec_of(inner.clone(), 0..4).prop_map(Shape::TupleStruct),
            (names(), vec_of(inner.clone(), 0..4)).prop_map(|(name, items)| Shape::TupleVariant(name, items)),
            vec_of((prop_oneof![9 => texts().prop_map(Shape::Text), 1 => inner.clone()], inner.clone()), 0..4)
                .prop_map(Shape::Map),
            (struct_names, fields()).prop_map(|(name, fields)| Shape::Struct(name, fields)),
            (names(), fields()).prop_map(|(name, fields)| Shape::StructVariant(name, fields)),
        ]
    })
}

/// What each operation gives for a value and for its text: code and message, or the plaintext without a new stamp's digits.
fn outcomes<const N: usize>(calls: [cardseal::Result<String>; N]) -> [Result<String, (String, String)>; N] {
    let envelope = envelope();
    calls.map(|call| {
        let text = call.and_then(|body| envelope.open_json(&body)).map(Plaintext::into_string);
        text.map(without_recent_stamp).map_err(|error| (error.code().to_owned(), error.to_string()))
    })
}

/// Stamps of this century alone: those in the values are others, or none.
fn without_recent_stamp(text: String) -> String {
    const BEFORE: &str = "\"request_timestamp\":";
    let stamp = |(at, _): (usize, &str)| {
        let digits = text.get(at + BEFORE.len()..)?.get(..16)?;
        (digits.starts_with("17") || digits.starts_with("18") || digits.starts_with("19")).then_some(digits)
    };
    match text.match_indices(BEFORE).find_map(stamp) {
        Some(digits) => text.replacen(digits, "<stamp>", 1),
        None => text,
    }
}

fn envelope() -> Envelope {
    Envelope::new("a secret of mine").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: effort::cases(3_000), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_value_is_sealed_as_its_text_is(value in shapes()) {
        let (envelope, options) = (envelope(), RequestOptions::new("key_1"));
        let body = |request: cardseal::SealedRequest| request.body;
        let of_value = outcomes([
            envelope.seal(&value),
            envelope.seal_response(&value),
            envelope.seal_webhook(&value),
            envelope.seal_request("/cards/get", &value, &options).map(body),
        ]);
        match serde_json::to_string(&value) {
            Ok(text) => prop_assert_eq!(of_value, outcomes([
                envelope.seal_json(&text),
                envelope.seal_response_json(&text),
                envelope.seal_webhook_json(&text),
                envelope.seal_request_json("/cards/get", &text, &options).map(body),
            ]), "{}", text),
            Err(_) => for outcome in of_value {
                let (code, message) = outcome.unwrap_err();
                prop_assert!(code == "invalid_payload" && message.contains("no JSON form"), "{code}: {message}");
            },
        }
    }
}

#[test]
fn names_that_stand_twice_are_found_wherever_they_come_from() {
    let twice =
        |name: &'static str| Shape::Struct("Name", vec![(name, Shape::Unit), ("b", Shape::Unit), (name, Shape::Unit)]);
    let text = |name: &str| Shape::Text(name.to_owned());
    for value in [
        twice("a"),
        twice(""),
        Shape::Sequence(vec![twice("with \"quotes\"")]),
        Shape::StructVariant("v", vec![("a", Shape::Unit), ("a", Shape::Unit)]),
        Shape::Map(vec![(text("a"), Shape::Unit), (text("a"), Shape::Unit)]),
        Shape::Struct("Name", vec![("deep", Shape::Some(twice("a").into()))]),
    ] {
        assert_eq!(envelope().seal_response(&value).unwrap_err().code(), "invalid_payload", "{value:?}");
    }
}

/// What is known of one struct's names is not taken for what another's are, in the same value or in the next.
#[test]
fn names_are_told_apart_whatever_stood_in_their_places_before() {
    let lists: Vec<Vec<&'static str>> = (0..=3).flat_map(|count| lists_of(&["a", "b", "\"\n\""], count)).collect();
    let object =
        |names: &[&'static str]| Shape::Struct("Name", names.iter().map(|name| (*name, Shape::Unit)).collect());
    let mut refused = 0;
    for first in &lists {
        for second in &lists {
            let around = Shape::Struct("Name", vec![("a", object(first)), ("b", object(second)), ("c", object(first))]);
            let twice = Shape::Struct("Name", vec![("a", object(first)), ("a", object(second))]);
            for value in [Shape::Sequence(vec![object(first), object(second)]), around, twice] {
                let sealed = envelope().seal_response(&value);
                let of_text = envelope().seal_response_json(&serde_json::to_string(&value).unwrap());
                let outcome = |sealed: cardseal::Result<String>| sealed.map(drop).map_err(|error| error.to_string());
                refused += usize::from(sealed.is_err());
                assert_eq!(outcome(sealed), outcome(of_text), "{value:?}");
            }
        }
    }
    assert!(refused > 1_000, "{refused}");
}

fn lists_of(names: &[&'static str], count: usize) -> Vec<Vec<&'static str>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let longer = |list: &Vec<&'static str>| names.iter().map(|name| [&**list, &[*name]].concat()).collect::<Vec<_>>();
    lists_of(names, count - 1).iter().flat_map(longer).collect()
}

/// A value that shows nothing of itself writes no piece: the quotes need room all the same, wherever the buffer ends.
#[test]
fn empty_texts_are_whole_at_every_end_of_the_buffer() {
    for before in 0..4 {
        let mut items = vec![Shape::Text("x".repeat(before))];
        items.extend((0..2_000).map(|_| Shape::Displayed(Vec::new())));
        let value = Shape::Sequence(items);
        let body = envelope().seal_response(&value).unwrap();
        let text = envelope().open_json(&body).map(Plaintext::into_string);
        assert_eq!(text.ok(), serde_json::to_string(&value).ok(), "{before}");
    }
}

#[test]
fn a_value_that_nests_too_deep_is_refused_as_its_text_is() {
    let nested = |levels: usize| (0..levels).fold(Shape::Unit, |inside, _| Shape::Sequence(vec![inside]));
    assert!(envelope().seal_response(&nested(128)).is_ok());
    let error = envelope().seal_response(&nested(129)).unwrap_err();
    let of_text = envelope().seal_response_json(&serde_json::to_string(&nested(129)).unwrap()).unwrap_err();
    assert_eq!((error.code(), error.to_string()), (of_text.code(), of_text.to_string()));
}
