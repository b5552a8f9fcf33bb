//! `cargo xtask demo`: the protocol's example, sealed and opened by every implementation, to and from PyNaCl; in
//! JavaScript to and from tweetnacl.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::python::Interpreter;
use crate::repo::Repo;
use crate::screen::{bad, bold, good, say};
use crate::shell::{Shell, pipe};
use crate::{Result, fail, go, npm, python, vectors};

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    if !arguments.is_empty() {
        return fail(format!("`{}` is unknown here; demo takes no argument", arguments.join(" ")));
    }
    say!("{}\n   payload  {PAYLOAD}\n   secret   {SECRET}", bold("cardseal demo"));
    let mut demo = Demo { steps: 0, failures: 0 };
    let pynacl = demo.prepare("PyNaCl", || pynacl_peer(repo));
    let theirs = demo.step("PyNaCl seals the payload", || sealed(run_with(&pynacl, "seal", PAYLOAD)?));

    for (name, prepare) in IMPLEMENTATIONS {
        let program = demo.prepare(name, || prepare(repo));
        let run = |verb: &str, input: &str| run_with(&program, verb, input);
        let body = demo.step(&format!("{name} seals the payload"), || sealed(run("seal", PAYLOAD)?));
        demo.step(&format!("{name} opens its own body"), || opened(run("open", needed(&body)?)?));
        demo.step(&format!("PyNaCl opens the body of {name}"), || opened(run_with(&pynacl, "open", needed(&body)?)?));
        demo.step(&format!("{name} opens the body of PyNaCl"), || opened(run("open", needed(&theirs)?)?));
    }
    javascript(repo, &mut demo);
    for (name, prepare) in EXAMPLES {
        let program = demo.prepare(name, || prepare(repo));
        demo.step(&format!("{name} runs"), || pipe(&mut command(&program)?, ""));
    }
    Ok(demo.conclude())
}

/// The document's examples in JavaScript and TypeScript, with `new Envelope(secret)`, to and from tweetnacl.
fn javascript(repo: &Repo, demo: &mut Demo) {
    let shell = Shell::quiet_until_failure();
    let node = demo
        .prepare("the npm package", || Ok(program(repo.command("node").current_dir(npm::demo_project(repo, &shell)?))));
    let node = |script: &str, arguments: &[&str], input: &str| pipe(command(&node)?.arg(script).args(arguments), input);
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

/// By name, what gets a program ready that takes `seal` or `open` and a text on its standard input.
const IMPLEMENTATIONS: &[(&str, Prepare)] = &[
    ("the command line tool", command_line_tool),
    ("the Python package", |repo| python_package(repo, "tests/interop/cardseal_python.py")),
    ("the Go module", |repo| go_module(repo, go::PEER)),
];

/// The document's example in each language: programs that need nothing more.
const EXAMPLES: &[(&str, Prepare)] = &[
    ("examples/python/encrypted_payload.py", |repo| python_package(repo, "examples/python/encrypted_payload.py")),
    ("examples/go", |repo| go_module(repo, go::EXAMPLE)),
];

type Prepare = fn(&Repo) -> Result<Program>;

/// Makes a command to which arguments can be added.
type Program = Box<dyn Fn() -> Command>;

struct Demo {
    steps: u32,
    failures: u32,
}

impl Demo {
    /// Gets a program ready: that it cannot be is said by the steps that need it.
    fn prepare(&self, name: &str, prepare: impl FnOnce() -> Result<Program>) -> Result<Program> {
        say!("\n{} {name}: building and installing …", bold("=="));
        let started = Instant::now();
        let program = prepare();
        say!("   {} in {:.1} s", if program.is_ok() { "ready" } else { "not ready" }, started.elapsed().as_secs_f64());
        program
    }

    /// Shows what came out, and hands it on to the steps that need it.
    fn step(&mut self, title: &str, act: impl FnOnce() -> Result<String>) -> Option<String> {
        self.steps += 1;
        say!("{} {title}", bold(&format!("{}.", self.steps)));
        match act() {
            Ok(text) => {
                for line in text.trim_end().lines() {
                    say!("   {line}");
                }
                say!("   {}", good("ok"));
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

fn run_with(program: &Result<Program>, verb: &str, input: &str) -> Result<String> {
    pipe(command(program)?.arg(verb), input)
}

fn command(program: &Result<Program>) -> Result<Command> {
    let mut command = program.as_ref()?();
    command.env("CARDSEAL_SECRET", SECRET);
    Ok(command)
}

/// A program with the arguments that come first, to be run in a folder.
fn program(command: &Command) -> Program {
    let (path, folder) = (command.get_program().to_owned(), command.get_current_dir().map(Path::to_path_buf));
    let arguments: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
    let variables: Vec<_> =
        command.get_envs().map(|(name, value)| (name.to_owned(), value.map(std::ffi::OsStr::to_owned))).collect();
    Box::new(move || {
        let mut command = Command::new(&path);
        command.args(&arguments);
        command.envs(variables.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        if let Some(folder) = &folder {
            command.current_dir(folder);
        }
        command
    })
}

/// Seals and opens as the protocol's own example does, with PyNaCl alone.
fn pynacl_peer(repo: &Repo) -> Result<Program> {
    let path = python::with_requirements(repo, &Shell::quiet_until_failure(), vectors::REQUIREMENTS)?;
    Ok(program(repo.command(path).args(["-B", "tests/interop/pynacl_peer.py"])))
}

fn command_line_tool(repo: &Repo) -> Result<Program> {
    Ok(program(&repo.command(build_tool(repo)?)))
}

/// A program of one file, run with the Go module.
fn go_module(repo: &Repo, file: &str) -> Result<Program> {
    if !go::is_installed(repo) {
        return fail(go::MISSING);
    }
    Ok(program(&go::command(repo, go::MODULE, &["run", file])))
}

/// Cargo itself says where the binary is: a configuration may have moved it.
pub(crate) fn build_tool(repo: &Repo) -> Result<PathBuf> {
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

/// A script that runs where the package is installed as it is published, and nothing else.
fn python_package(repo: &Repo, script: &'static str) -> Result<Program> {
    let shell = Shell::quiet_until_failure();
    let default = Interpreter::default(repo)?;
    let tools = python::environment(repo, &shell, &default, "python-tools", python::DEVELOPMENT)?;
    let wheel = python::build_wheel(repo, &shell, &tools, &default)?;
    let folder = repo.target().join("xtask/python/demo");
    let path = python::empty_environment(repo, &shell, &default, &folder)?;
    python::install_wheel(repo, &shell, &path, &wheel)?;
    Ok(program(repo.command(path).args(["-B", script])))
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

const PAYLOAD: &str = r#"{"request_timestamp": 1700000000000000, "card_id": "card_abc123"}"#;
const SECRET: &str = "your_api_secret_key_here";
