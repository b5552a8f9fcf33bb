//! The reader's events, in order and with their places: what the bindings build their objects from.

use std::collections::BTreeSet;

use cardseal::json::{Fault, FaultKind, MemberNames, Number, Place, Sink, Text, read, read_utf8};
use proptest::collection::vec as vec_of;
use proptest::prelude::*;

mod effort;

/// Writes every event down.
#[derive(Default)]
struct Record(Vec<String>);

impl Record {
    fn note(&mut self, event: String) -> Result<(), Stop> {
        self.0.push(event);
        if self.0.len() == LIMIT { Err(Stop::Enough) } else { Ok(()) }
    }
}

const LIMIT: usize = 200;

#[derive(Debug, PartialEq)]
enum Stop {
    Fault(Fault),
    Enough,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Sink for Record {
    type Error = Stop;

    fn null(&mut self, at: usize) -> Result<(), Stop> {
        self.note(format!("null at {at}"))
    }

    fn boolean(&mut self, value: bool, at: usize) -> Result<(), Stop> {
        self.note(format!("{value} at {at}"))
    }

    fn number(&mut self, number: Number<'_>) -> Result<(), Stop> {
        self.note(format!("number {} at {:?}", number.token(), number.span()))
    }

    fn string(&mut self, value: Text<'_>) -> Result<(), Stop> {
        assert!(value.is(&value.value()) && !value.is("something else"));
        assert_eq!(value.is_escaped(), value.raw().contains('\\'));
        self.note(format!("string {:?} from {} at {:?}", value.value(), value.raw(), value.span()))
    }

    fn begin_array(&mut self, at: usize) -> Result<(), Stop> {
        self.note(format!("[ at {at}"))
    }

    fn end_array(&mut self, end: usize) -> Result<(), Stop> {
        self.note(format!("] to {end}"))
    }

    fn begin_object(&mut self, at: usize) -> Result<(), Stop> {
        self.note(format!("{{ at {at}"))
    }

    fn name(&mut self, name: Text<'_>, _: Place) -> Result<(), Stop> {
        self.note(format!("name {} at {:?}", name.value(), name.span()))
    }

    fn end_object(&mut self, end: usize, names: MemberNames<'_>) -> Result<(), Stop> {
        let mut offsets: Vec<usize> = names.offsets().collect();
        offsets.sort_unstable();
        assert_eq!(offsets.len(), names.count());
        self.note(format!("}} to {end} with {offsets:?}"))
    }
}

#[test]
fn every_event_comes_in_order_and_with_its_place() {
    let mut record = Record::default();
    let text = r#" {"a": [1, -2.5e3, true , false, null], "\u0062" :{}, "c":"x\n\ud83d\ude00\/", "d":"é"} "#;
    assert_eq!(read_utf8(text.as_bytes(), &mut record), Ok(text));
    let expected = [
        "{ at 1",
        "name a at 2..5",
        "[ at 7",
        "number 1 at 8..9",
        "number -2.5e3 at 11..17",
        "true at 19",
        "false at 26",
        "null at 33",
        "] to 38",
        "name b at 40..48",
        "{ at 50",
        "} to 52 with []",
        "name c at 54..57",
        r#"string "x\n😀/" from x\n\ud83d\ude00\/ at 58..77"#,
        "name d at 79..82",
        "string \"é\" from é at 83..87",
        "} to 88 with [3, 41, 55, 80]",
    ];
    assert_eq!(record.0, expected);
}

#[test]
fn a_sink_can_stop_the_reader_at_any_event() {
    for text in ["[0,0]", "[{}]", "[[]]", "[null]", "[true]", "[false]", "[\"\"]", "[{\"a\":0}]"] {
        let mut complete = Record::default();
        read(text, &mut complete).unwrap();
        for before in 0..complete.0.len() {
            let mut record = Record(vec![String::new(); LIMIT - 1 - before]);
            assert_eq!(read(text, &mut record), Err(Stop::Enough), "{text} after {before}");
        }
    }
}

#[test]
fn faults_have_a_kind_and_a_place() {
    let fault = |text: &[u8]| match read_utf8(text, &mut Record::default()) {
        Err(Stop::Fault(fault)) => (fault.kind(), fault.at()),
        other => unreachable!("{other:?}"),
    };
    assert_eq!(fault(b"[1,\xff]"), (FaultKind::Utf8, 3));
    assert_eq!(fault(b"[1,,]"), (FaultKind::Unexpected, 3));
    assert_eq!(fault(b"{\"a\" :1, \"a\":2}"), (FaultKind::RepeatedName, 9));
    assert_eq!(fault("[".repeat(129).as_bytes()), (FaultKind::Depth, 128));
}

/// Names that are nearly the same as the one before in their place, of every length, with and without white space.
#[test]
fn a_name_is_told_from_one_like_it() {
    let mut names: Vec<String> = (0..=40).map(|length| "n".repeat(length)).collect();
    for length in [1, 2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 31, 40] {
        for at in 0..length {
            names.push(format!("{}x{}", "n".repeat(at), "n".repeat(length - at - 1)));
            names.push(format!("{}\\\"{}", "n".repeat(at), "n".repeat(length - at - 1)));
            names.push(format!("{}:é{}", "n".repeat(at), "n".repeat(length - at - 1)));
        }
    }
    names.push("n".repeat(252));
    names.push("n".repeat(253));
    names.push("n".repeat(254));
    for first in &names {
        for second in &names {
            for (before, colon, colon_before) in [
                ("", ":", ":"),
                ("", " :", ":"),
                (" ", ": ", ":"),
                ("", ":", " :"),
                ("", " :", " :"),
                ("", "\n:", " :"),
            ] {
                let text = format!("[{{\"{first}\"{colon_before}0}},{{{before}\"{second}\"{colon}1}}]");
                let (mut places, mut record) = (Places::default(), Record::default());
                read(&text, &mut places).unwrap();
                read(&text, &mut record).unwrap();
                let start = first.len() + 8 + colon_before.len() + before.len();
                let value = second.replace("\\\"", "\"");
                let expected = format!("name {value} at {:?}", start..start + second.len() + 2);
                assert_eq!(record.0[6], expected, "{text}");
                for cut in text.len() - 6..text.len() {
                    assert!(text.get(..cut).is_none_or(|cut| read(cut, &mut Places::default()).is_err()), "{text}");
                }
            }
        }
    }
}

/// Notes each name's place, and checks what `Same` says against the names it has noted.
#[derive(Default)]
struct Places(Vec<Option<String>>);

impl Sink for Places {
    type Error = Fault;

    fn name(&mut self, name: Text<'_>, place: Place) -> Result<(), Fault> {
        match place {
            Place::Same(index) => assert_eq!(self.0[index].as_deref(), Some(name.raw())),
            Place::New(index) => {
                self.0.resize(self.0.len().max(index + 1), None);
                self.0[index] = Some(name.raw().to_owned());
            }
            Place::Far => {}
        }
        Ok(())
    }
}

/// A value without anything but names, repeated ones among them.
#[derive(Debug, Clone)]
enum Named {
    Nothing,
    Array(Vec<Named>),
    Object(Vec<(String, Named)>),
}

impl Named {
    fn write(&self, out: &mut String) {
        match self {
            Self::Nothing => out.push('0'),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    out.push_str(&format!("\"{name}\":"));
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    fn repeats_a_name(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Array(items) => items.iter().any(Self::repeats_a_name),
            Self::Object(members) => {
                let value = |name: &str| name.replace("\\u0061", "a");
                let names: BTreeSet<String> = members.iter().map(|(name, _)| value(name)).collect();
                names.len() < members.len() || members.iter().any(|(_, value)| value.repeats_a_name())
            }
        }
    }
}

/// 0 to 40 of 40 names in any order.
fn shuffled_names() -> impl Strategy<Value = Vec<String>> {
    let all: Vec<String> = (0..40).map(|number| format!("member_{}", number * 7_919 % 1_000)).collect();
    (Just(all).prop_shuffle(), 0..41_usize).prop_map(|(mut names, count)| {
        names.truncate(count);
        names
    })
}

fn flat(names: Vec<String>) -> Named {
    Named::Object(names.into_iter().map(|name| (name, Named::Nothing)).collect())
}

fn named() -> impl Strategy<Value = Named> {
    let name = prop_oneof![
        4 => "[abc]",
        1 => Just("\\u0061".to_owned()),
        2 => "four[ab]?",
        2 => "eight_by[ab]{0,9}",
        1 => "rather_more_than_sixteen[ab]?",
        1 => Just(String::new()),
    ];
    Just(Named::Nothing).prop_recursive(4, 120, 12, move |inner| {
        prop_oneof![
            vec_of(inner.clone(), 0..6).prop_map(Named::Array),
            vec_of((name.clone(), inner.clone()), 0..4).prop_map(Named::Object),
            // More names than are compared in pairs, of which any may be missing or elsewhere in the next object.
            vec_of(shuffled_names(), 2..5).prop_map(|objects| Named::Array(objects.into_iter().map(flat).collect())),
            // The same object several times: what follows the first is recognised.
            (vec_of((name.clone(), inner), 0..12), 2..4_usize)
                .prop_map(|(members, times)| Named::Array(vec![Named::Object(members); times])),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(effort::cases(4_000)))]

    #[test]
    fn repeated_names_are_found_among_objects_of_all_shapes(value in named()) {
        let mut text = String::new();
        value.write(&mut text);
        let expected = if value.repeats_a_name() { Some(FaultKind::RepeatedName) } else { None };
        prop_assert_eq!(read(&text, &mut Places::default()).err().map(|fault| fault.kind()), expected, "{}", text);
    }
}

#[test]
fn an_object_after_others_is_judged_by_its_own_names() {
    for text in [
        // What stands in its places came from two objects, which had a name in common.
        r#"[{"a":{"x":0,"a":0},"b":0},{"a":0,"b":0,"a":0}]"#,
        r#"[{"a":0,"b":0},{"a":0,"b":0,"a":0}]"#,
        r#"[{"a":0,"b":0},{"a":0,"a":0}]"#,
        r#"[{"a":0,"b":0},{"a":{"b":0,"c":0},"b":0,"c":0,"b":0}]"#,
    ] {
        assert_eq!(read(text, &mut Places::default()).unwrap_err().kind(), FaultKind::RepeatedName, "{text}");
    }
    for text in [
        r#"[{"a":0,"b":0},{"a":0,"b":0},{"a":0}]"#,
        r#"[{"a":{"x":0,"a":0},"b":0},{"a":0,"b":0}]"#,
        r#"[{"a":[{"a":0},{"a":0}],"b":0},{"a":[{"a":0}],"b":0}]"#,
    ] {
        assert_eq!(read(text, &mut Places::default()), Ok(()), "{text}");
    }
}
