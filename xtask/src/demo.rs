//! `cargo xtask demo`: the protocol's example sealed and opened, by the command line tool and by PyNaCl, then by the npm
//! package and by tweetnacl.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

use crate::repo::Repo;
use crate::screen::{bad, bold, good, say};
use crate::shell::{Shell, pipe};
use crate::{Result, fail, npm, python, vectors};

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    if !arguments.is_empty() {
        return fail(format!("`{}` is unknown here; demo takes no argument", arguments.join(" ")));
    }
    say!("{} building the command line tool …", bold("cardseal demo:"));
    let tool = build_tool(repo)?;
    let cardseal = |verb: &str, input: &str| pipe(with_secret(repo, &tool).arg(verb), input);
    let interpreter = python::with_requirements(repo, &Shell::quiet_until_failure(), vectors::REQUIREMENTS);
    let pynacl =
        |verb: &str, input: &str| pipe(with_secret(repo, interpreter.as_ref()?).args(["-B", PYNACL_PEER, verb]), input);

    say!("\n   payload  {PAYLOAD}\n   secret   {SECRET}");
    let mut demo = Demo { steps: 0, failures: 0 };
    let body = demo.step("cardseal seals the payload", || sealed(cardseal("seal", PAYLOAD)?));
    demo.step("cardseal opens its own body", || opened(cardseal("open", needed(&body)?)?));
    demo.step("PyNaCl opens the body of cardseal", || opened(pynacl("open", needed(&body)?)?));
    let body = demo.step("PyNaCl seals the payload", || sealed(pynacl("seal", PAYLOAD)?));
    demo.step("cardseal opens the body of PyNaCl", || opened(cardseal("open", needed(&body)?)?));
    javascript(repo, &mut demo);
    Ok(demo.conclude())
}

/// The document's examples in JavaScript and TypeScript, with `new Envelope(secret)`, to and from tweetnacl.
fn javascript(repo: &Repo, demo: &mut Demo) {
    let shell = Shell::quiet_until_failure();
    say!("\n{} building the npm package …", bold("cardseal demo:"));
    let project = npm::demo_project(repo, &shell);
    let node = |program: &str, arguments: &[&str], input: &str| {
        let mut command = with_secret(repo, Path::new("node"));
        command.current_dir(project.as_ref()?).arg(program).args(arguments);
        pipe(&mut command, input)
    };
    let tweetnacl = |verb: &str, input: &str| node("tweetnacl_peer.mjs", &[verb], input);
    for (language, program) in [("JavaScript", "example.mjs"), ("TypeScript", "example.js")] {
        // The example prints the body, and then what it opened.
        let body = demo.step(&format!("the {language} example seals and opens the payload"), || {
            let output = node(program, &[], "")?;
            let (body, payload) = output.split_once('\n').unwrap_or_default();
            let expected = "{ request_timestamp: 1700000000000000, card_id: 'card_abc123' }";
            if payload.trim_end() == expected {
                sealed(body.to_owned())
            } else {
                fail(format!("it opened to {payload}"))
            }
        });
        demo.step(&format!("tweetnacl opens the body of {language}"), || {
            same_payload(&tweetnacl("open", needed(&body)?)?)
        });
    }
    let body = demo.step("tweetnacl seals the payload", || sealed(tweetnacl("seal", PAYLOAD)?));
    for engine in ["cardseal", "cardseal/wasm"] {
        demo.step(&format!("{engine} opens the body of tweetnacl"), || {
            opened(node("open.mjs", &[engine], needed(&body)?)?)
        });
    }
}

/// The same members and values; TypeScript's example writes its payload without spaces.
fn same_payload(text: &str) -> Result<String> {
    match (serde_json::from_str::<Value>(text), serde_json::from_str::<Value>(PAYLOAD)) {
        (Ok(given), Ok(expected)) if given == expected => Ok(format!("{} (the payload)", text.trim_end())),
        _ => fail(format!("another payload came out: {}", text.trim_end())),
    }
}

struct Demo {
    steps: u32,
    failures: u32,
}

impl Demo {
    /// Shows what came out, and hands it on to the steps that need it.
    fn step(&mut self, title: &str, act: impl FnOnce() -> Result<String>) -> Option<String> {
        self.steps += 1;
        say!("\n{} {title}", bold(&format!("{}.", self.steps)));
        match act() {
            Ok(text) => {
                say!("   {text}\n   {}", good("ok"));
                Some(text)
            }
            Err(error) => {
                self.failures += 1;
                say!("   {} {error}", bad("FAILED:"));
                None
            }
        }
    }

    fn conclude(self) -> ExitCode {
        let Self { steps, failures } = self;
        if failures == 0 {
            say!("\nAll {steps} steps are {}.", good("ok"));
            ExitCode::SUCCESS
        } else {
            say!("\n{}", bad(&format!("{failures} of {steps} steps failed.")));
            ExitCode::FAILURE
        }
    }
}

/// Cargo itself says where the binary is: a configuration may have moved it.
fn build_tool(repo: &Repo) -> Result<PathBuf> {
    let mut command = repo.cargo("build --release --locked -p cardseal-cli --message-format=json-render-diagnostics");
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        return fail("the command line tool does not build");
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact" && message["target"]["name"] == "cardseal")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| "cargo built no binary named cardseal".to_owned())
}

fn with_secret(repo: &Repo, program: &Path) -> Command {
    let mut command = repo.command(program);
    command.env("CARDSEAL_SECRET", SECRET);
    command
}

fn needed(body: &Option<String>) -> Result<&str> {
    body.as_deref().ok_or_else(|| "there is no body to open".to_owned())
}

fn sealed(body: String) -> Result<String> {
    match serde_json::from_str::<Value>(&body) {
        Ok(json) if json["encrypted"].is_string() => Ok(body.trim_end().to_owned()),
        _ => fail(format!("this is no sealed body: {}", body.trim_end())),
    }
}

fn opened(payload: String) -> Result<String> {
    match payload.trim_end() {
        same if same == PAYLOAD => Ok(format!("{same} (the payload, byte for byte)")),
        other => fail(format!("another payload came out: {other}")),
    }
}

/// Seals and opens as the protocol's own example does, with PyNaCl alone.
const PYNACL_PEER: &str = "tests/interop/pynacl_peer.py";

const PAYLOAD: &str = r#"{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}"#;
const SECRET: &str = "your_api_secret_key_here";
