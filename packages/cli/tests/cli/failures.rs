//! What goes wrong: one clear line, a code, an exit status, and nothing that should stay private.

use crate::run::{BODY, OTHER_SECRET, SECRET, assert_only_code, cardseal, file, text};

#[test]
fn a_missing_secret_is_named() {
    let expected = "cardseal: there is no secret: use --secret-file, or set CARDSEAL_SECRET (usage)";
    assert_eq!(cardseal(&["open"]).no_secret().input(BODY).error(2), expected);
    assert_eq!(cardseal(&["open"]).env("CARDSEAL_SECRET", "").input(BODY).error(2), expected);
    assert_only_code(&cardseal(&["seal"]).no_secret().json_error(2), "usage");
}

#[test]
fn a_bad_secret_is_named_but_not_shown() {
    let error = cardseal(&["open"]).env("CARDSEAL_SECRET", "hush_hu").input(BODY).error(1);
    assert_eq!(error, "cardseal: the secret has 7 bytes: use at least 8 (invalid_key)");
    let empty = file("secret_empty", "");
    let error = cardseal(&["open", "--secret-file", text(&empty)]).input(BODY).error(1);
    assert!(error.ends_with("(invalid_key)"), "the file beats the environment even so: {error}");
    for (name, contents) in [("binary", vec![0xff; 40]), ("huge", vec![b'a'; 70_000])] {
        let secret = file(&format!("secret_{name}"), contents);
        let error = cardseal(&["open", "--secret-file", text(&secret)]).input(BODY).error(2);
        assert!(error.contains("is no secret: ") && error.ends_with("(io_error)"), "{error}");
    }
    let error = cardseal(&["open", "--secret-file", "-"]).input(BODY).error(2);
    assert!(error.ends_with("(usage)"), "{error}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    for command in ["seal", "open", "encrypt", "decrypt", "inspect", "batch"] {
        let error = cardseal(&[command, "/no/such/file"]).error(2);
        assert_eq!(error, "cardseal: cannot read `/no/such/file`: there is no such file (io_error)");
        let error = cardseal(&[command, env!("CARGO_TARGET_TMPDIR")]).error(2);
        assert!(error.ends_with(": it is a directory (io_error)"), "{error}");
    }
    let error = cardseal(&["open", "--secret-file", "/no/such/file"]).input(BODY).json_error(2);
    assert_only_code(&error, "io_error");
}

#[test]
fn input_that_is_nothing_or_garbage_is_refused() {
    let garbage = [0x80, 0xff, 0x00, 0x1b, b'[', b'2', b'J'];
    for (command, input, code) in [
        ("seal", &b""[..], "invalid_payload"),
        ("seal", b" \n", "invalid_payload"),
        ("seal", &garbage, "invalid_payload"),
        ("seal", b"[]", "invalid_payload"),
        ("seal", b"{\"a\":1,\"a\":2}", "invalid_payload"),
        ("seal", BODY.as_bytes(), "already_sealed"),
        ("seal", b"{\"request_timestamp\":\"now\"}", "invalid_timestamp"),
        ("open", b"", "invalid_json"),
        ("open", &garbage, "invalid_json"),
        ("open", b"{}", "envelope_not_found"),
        ("open", b"{\"encrypted\":7}", "invalid_envelope"),
        ("decrypt", b"", "invalid_envelope"),
        ("decrypt", &garbage, "invalid_envelope"),
    ] {
        let error = cardseal(&[command]).input(input).error(1);
        assert!(error.starts_with("cardseal: ") && error.ends_with(&format!(" ({code})")), "{command}: {error}");
        assert!(!error.contains(char::is_control), "{error:?}");
        assert_only_code(&cardseal(&[command]).input(input).json_error(1), code);
    }
}

#[test]
fn sizes_are_bounded_in_both_directions() {
    let body_bytes = BODY.len().to_string();
    assert!(cardseal(&["open", "--max-bytes", &body_bytes]).input(BODY).finish().status == Some(0));
    let one_less = (BODY.len() - 1).to_string();
    for (command, input) in [("open", BODY), ("seal", "{}"), ("encrypt", "any bytes"), ("decrypt", "AgABAgAB")] {
        let max_bytes = if command == "open" { &one_less } else { "20" };
        assert_only_code(&cardseal(&[command, "--max-bytes", max_bytes]).input(input).json_error(1), "too_large");
    }
    assert_only_code(&cardseal(&["seal", "--max-bytes", "0"]).json_error(2), "invalid_option");
}

#[test]
fn wrong_usage_is_said_in_one_line() {
    for (arguments, words) in [
        (&["frobnicate"][..], "frobnicate"),
        (&["seal", "--pth", "/cards/get"], "'--path'"),
        (&["seal", "one", "two"], "two"),
        (&["seal", "--api-key", "key_1"], "--path"),
        (&["seal", "--idempotency-key", "key"], "--path"),
        (&["seal", "--response", "--webhook"], "--webhook"),
        (&["seal", "--response", "--path", "/cards/get"], "--path"),
        (&["open", "--status", "99"], "100..=599"),
        (&["open", "--status", "200", "--server"], "--server"),
        (&["open", "--request", "file"], "--status"),
        (&["open", "--window", "5"], "add --server"),
        (&["open", "--max-bytes", "-1"], "-1"),
        (&["open", "--layout", "guess"], "versioned, bare"),
        (&["completions", "tcl"], "bash"),
        (&["completions"], "<SHELL>"),
    ] {
        let error = cardseal(arguments).input("{}").error(2);
        assert!(error.starts_with("cardseal: ") && error.ends_with(" (usage)"), "{error}");
        assert!(error.contains(words), "{words}: {error}");
        assert_only_code(&cardseal(arguments).input("{}").json_error(2), "usage");
    }
    let error = cardseal(&["open", "--server", "--window", "31"]).input(BODY).error(2);
    assert!(error.ends_with("(invalid_option)"), "{error}");
    let older = file("older_secrets", SECRET);
    let five = [&["open"][..], &["--open-secret-file", text(&older)].repeat(5)].concat();
    assert_only_code(&cardseal(&five).input(BODY).json_error(2), "invalid_option");
}

/// Secrets never come from the arguments, and what was typed by mistake is not repeated.
#[test]
fn a_secret_among_the_arguments_is_neither_taken_nor_shown() {
    for arguments in [&["open", "--secret", OTHER_SECRET][..], &["open", &format!("--secret={OTHER_SECRET}")]] {
        let error = cardseal(arguments).input(BODY).error(2);
        assert!(error.contains("'--secret-file'") && !error.contains(OTHER_SECRET), "{error}");
    }
}

#[test]
fn no_failure_shows_a_secret_or_a_payload() {
    const PLAINTEXT: &str = "plaintext_not_to_be_seen";
    let seal = |payload: &str| cardseal(&["seal", "--response"]).input(payload).ok();
    let field = |message: &str| cardseal(&["encrypt"]).input(message).ok();
    let not_json = format!("{{\"encrypted\":\"{}\"}}", field(&format!("{{\"{PLAINTEXT}\":{PLAINTEXT}}}")).trim_end());
    let sealed = seal(&format!("{{\"card\":\"{PLAINTEXT}\",\"request_timestamp\":\"{PLAINTEXT}\"}}"));
    let list = seal(&format!("[\"{PLAINTEXT}\"]"));
    let plain = format!("{{\"card\":\"{PLAINTEXT}\",\"card\":1}}");
    let (secret, other) = (file("private_secret", SECRET), file("private_other_secret", OTHER_SECRET));
    let secrets = ["--secret-file", text(&secret), "--open-secret-file", text(&other)];
    for (arguments, input) in [
        (&["open"][..], not_json.as_str()),
        (&["open", "--server"], sealed.as_str()),
        (&["open", "--server"], list.as_str()),
        (&["open", "--webhook"], list.as_str()),
        (&["open", "--status", "500"], sealed.as_str()),
        (&["open"], plain.as_str()),
        (&["open"], PLAINTEXT),
        (&["seal"], plain.as_str()),
        (&["seal", "--path", "/cards/get", "--api-key", "a key"], sealed.as_str()),
        (&["seal"], PLAINTEXT),
        (&["decrypt"], PLAINTEXT),
        (&["inspect"], not_json.as_str()),
        (&["inspect"], sealed.as_str()),
        (&["inspect"], list.as_str()),
        (&["inspect"], plain.as_str()),
        (&["inspect"], PLAINTEXT),
    ] {
        for json in [&[][..], &["--json"]] {
            let run = cardseal(&[arguments, &secrets, json].concat()).env("CARDSEAL_SECRET", OTHER_SECRET);
            let finished = run.input(input).finish();
            let shown = format!("{}{}", finished.stderr, String::from_utf8(finished.stdout).unwrap());
            assert!(!shown.is_empty(), "{arguments:?} has to say something");
            for private in [PLAINTEXT, SECRET, OTHER_SECRET] {
                assert!(!shown.contains(private), "{arguments:?}: {shown}");
            }
        }
    }
}
