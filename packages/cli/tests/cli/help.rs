//! Help, version and completions.

use crate::run::cardseal;

const COMMANDS: [&str; 11] = [
    "seal",
    "open",
    "inspect",
    "encrypt",
    "decrypt",
    "timestamp",
    "idempotency-key",
    "generate-secret",
    "batch",
    "sandbox",
    "completions",
];

#[test]
fn the_help_names_every_command_and_fits_a_screen() {
    let help = cardseal(&["--help"]).env("COLUMNS", "80").ok();
    assert!(help.lines().count() <= 40, "{help}");
    for word in
        COMMANDS.iter().chain(&["CARDSEAL_SECRET", "CARDSEAL_API_KEY", "CARDSEAL_URL", "Exit status", "Example"])
    {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert_eq!(cardseal(&["-h"]).env("COLUMNS", "80").ok(), help);
}

#[test]
fn the_help_of_a_command_has_one_example_that_begins_with_it() {
    for command in COMMANDS {
        let help = cardseal(&[command, "--help"]).ok();
        let examples: Vec<&str> = help.lines().filter(|line| line.starts_with("Example: ")).collect();
        assert_eq!(examples.len(), 1, "{help}");
        assert!(examples.iter().all(|example| example.contains(&format!("cardseal {command}"))), "{help}");
        let has_a_key = !["timestamp", "idempotency-key", "generate-secret", "completions"].contains(&command);
        assert_eq!(help.contains("CARDSEAL_SECRET"), has_a_key, "{help}");
    }
}

#[test]
fn the_help_shows_no_value_of_the_environment() {
    for command in COMMANDS {
        let help = cardseal(&[command, "--help"]).env("CARDSEAL_API_KEY", "value_of_the_key").ok();
        assert!(!help.contains("value_of_the_key") && !help.contains(crate::run::SECRET), "{help}");
    }
}

#[test]
fn nothing_at_all_shows_the_help_and_is_wrong_usage() {
    let finished = cardseal(&[]).finish();
    assert_eq!((finished.status, finished.stdout.len()), (Some(2), 0));
    assert!(finished.stderr.contains("Usage: cardseal"), "{}", finished.stderr);
    let error = cardseal(&[]).json_error(2);
    assert_eq!(error["code"], "usage");
}

#[test]
fn the_version_is_that_of_the_workspace() {
    assert_eq!(cardseal(&["--version"]).ok(), format!("cardseal {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_shell_has_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = cardseal(&["completions", shell]).no_secret().ok();
        for word in ["idempotency-key", "secret-file", "now-micros", "cardseal"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
