//! `encrypt` and `decrypt`.

use crate::run::{BODY, PAYLOAD, cardseal, file, text};

#[test]
fn any_bytes_come_back_as_they_were() {
    let every_byte: Vec<u8> = (0..=255).chain([b'\n', b'\n']).collect();
    for message in [&every_byte[..], b"", b"\n"] {
        let field = cardseal(&["encrypt"]).input(message).ok();
        assert!(field.ends_with('\n'));
        let finished = cardseal(&["decrypt"]).input(&field).finish();
        assert_eq!((finished.status, finished.stdout.as_slice()), (Some(0), message));
    }
}

#[test]
fn a_field_may_end_in_one_newline() {
    let field = BODY.split('"').nth(3).unwrap_or_default();
    for ending in ["", "\n", "\r\n"] {
        assert_eq!(cardseal(&["decrypt"]).input(format!("{field}{ending}")).ok(), PAYLOAD);
    }
    let field = file("field", format!("{field}\n\n"));
    assert!(cardseal(&["decrypt", text(&field)]).error(1).ends_with("(invalid_envelope)"));
}

#[test]
fn a_whole_body_is_recognised() {
    let error = cardseal(&["decrypt"]).input(BODY).error(1);
    assert!(error.ends_with("this is a whole body, which `cardseal open` takes (invalid_envelope)"), "{error}");
}
