//! Running the binary, and what came of it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

pub(crate) const SECRET: &str = "your_api_secret_key_here";
pub(crate) const OTHER_SECRET: &str = "another_secret_entirely";
pub(crate) const PAYLOAD: &str = r#"{"request_timestamp":1700000000000000,"card_id":"card_abc123"}"#;

/// `PAYLOAD` under `SECRET`, as SPEC.md shows it.
pub(crate) const BODY: &str = r#"{"encrypted":"AgABAgMEBQYHCAkKCwwNDg8QERITFBUWF6M3qAgFLaO5/LrBp/HYuAYwl8cchnPytDnwA3qwQ95c+/UN7hYx5UN+SenjMTivhBrlSbYa9ctdHx2hy2nqJ1DBdQmqbwKPuq+wAQwdEA=="}"#;
/// The same without its version byte.
pub(crate) const BARE_BODY: &str = r#"{"encrypted":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXozeoCAUto7n8usGn8di4BjCXxxyGc/K0OfADerBD3lz79Q3uFjHlQ35J6eMxOK+EGuVJthr1y10fHaHLaeonUMF1CapvAo+6r7ABDB0Q"}"#;
pub(crate) const NOW: &str = "1700000000000000";

/// One run, still to be started: with `SECRET` in the environment, nothing on standard input.
pub(crate) struct Run {
    command: Command,
    input: Vec<u8>,
}

pub(crate) fn cardseal(arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cardseal"));
    command.args(arguments).env("CARDSEAL_SECRET", SECRET);
    command.env_remove("CARDSEAL_API_KEY").env_remove("CARDSEAL_URL");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Run { command, input: Vec::new() }
}

impl Run {
    pub(crate) fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_vec();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn no_secret(mut self) -> Self {
        self.command.env_remove("CARDSEAL_SECRET");
        self
    }

    /// Starts it and leaves the pipes to the caller.
    pub(crate) fn start(mut self) -> Child {
        self.command.spawn().unwrap()
    }

    pub(crate) fn finish(mut self) -> Finished {
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = self.input;
        // From a thread of its own: whoever reads nothing must not block a process that waits to be read. A process that
        // has seen enough closes the pipe, which is no fault.
        let writer = thread::spawn(move || stdin.write_all(&input).ok());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Finished {
            status: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Standard output of a run that has to succeed in silence.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        let finished = self.finish();
        assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""));
        String::from_utf8(finished.stdout).unwrap()
    }

    /// The one line on standard error of a run that has to fail with this status, and print nothing else.
    #[track_caller]
    pub(crate) fn error(self, status: i32) -> String {
        let finished = self.finish();
        assert_eq!(finished.status, Some(status), "{}", finished.stderr);
        assert!(finished.stdout.is_empty(), "{}", String::from_utf8_lossy(&finished.stdout));
        let line = finished.stderr.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'), "{line}");
        line.to_owned()
    }

    /// The same, under `--json`.
    #[track_caller]
    pub(crate) fn json_error(mut self, status: i32) -> Value {
        self.command.arg("--json");
        serde_json::from_str(&self.error(status)).unwrap()
    }
}

pub(crate) struct Finished {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// A file that only this test uses.
pub(crate) fn file(name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, contents).unwrap();
    path
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The members `code` and `message`, and no others.
#[track_caller]
pub(crate) fn assert_only_code(error: &Value, code: &str) {
    let members: Vec<&String> = error.as_object().unwrap().keys().collect();
    assert_eq!(members, ["code", "message"], "{error}");
    assert_eq!(error["code"], code, "{error}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
}
