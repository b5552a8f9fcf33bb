//! `timestamp`, `idempotency-key` and `generate-secret`.

use crate::run::{BODY, cardseal, file, text};

#[test]
fn timestamps_are_microseconds_of_this_century() {
    let stamp: u64 = cardseal(&["timestamp"]).no_secret().ok().trim_end().parse().unwrap();
    assert!((1_700_000_000_000_000..5_000_000_000_000_000).contains(&stamp), "{stamp}");
}

#[test]
fn idempotency_keys_are_random_or_derived() {
    let random = || cardseal(&["idempotency-key"]).no_secret().ok();
    let (first, second) = (random(), random());
    assert_eq!((first.len(), first.as_bytes()[14]), (37, b'4'), "{first}");
    assert_ne!(first, second);
    let derived = cardseal(&["idempotency-key", "--derive", "topup", "invoice-42"]).ok();
    assert_eq!(derived, "0d070fd6-04af-8724-b89c-f24408c2ec71\n");
    assert!(cardseal(&["idempotency-key", "--derive", "topup", ""]).error(1).ends_with("(invalid_idempotency_key)"));
    assert!(cardseal(&["idempotency-key", "--derive", "topup"]).error(2).ends_with("(usage)"));
}

#[test]
fn secrets_are_long_differ_and_work() {
    let generate = |arguments: &[&str]| cardseal(&[&["generate-secret"], arguments].concat()).no_secret().ok();
    let (secret, another, hex) = (generate(&[]), generate(&[]), generate(&["--hex"]));
    assert_eq!((secret.len(), hex.len()), (44, 65));
    assert_ne!(secret, another);
    assert!(secret.trim_end().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{secret}");
    assert!(hex.trim_end().bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)), "{hex}");

    let secret = file("generated_secret", secret);
    let body = cardseal(&["seal", "--secret-file", text(&secret)]).input("{\"request_timestamp\":1}").ok();
    assert_eq!(cardseal(&["open", "--secret-file", text(&secret)]).input(body).ok(), "{\"request_timestamp\":1}\n");
    assert!(cardseal(&["open", "--secret-file", text(&secret)]).input(BODY).error(1).ends_with("(decryption_failed)"));
}
