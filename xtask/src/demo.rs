//! `cargo xtask demo`: the document's examples in every language, against a sandbox, from packages installed as users install them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::installed::{self, text};
use crate::repo::Repo;
use crate::screen::{bad, bold, good, say};
use crate::shell::Shell;
use crate::test::is_ci;
use crate::{Result, fail, npm};

pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    if !arguments.is_empty() {
        return fail(format!("`{}` is unknown here; demo takes no argument", arguments.join(" ")));
    }
    let started = Instant::now();
    say!("{}\n\n{} the sandbox and the packages", bold("cardseal demo"), bold("=="));
    let tool = ready("the command line tool", || build_tool(repo))?;
    let shell = Shell::quiet_until_failure();
    let languages: Vec<(&str, Result<Examples>)> =
        LANGUAGES.iter().map(|(name, prepare)| (*name, ready(name, || prepare(repo, &shell)))).collect();

    let sandbox = Sandbox::start(repo, &tool)?;
    say!(
        "\n{} {} examples against {}",
        bold("=="),
        EXAMPLES.len(),
        sandbox.account["url"].as_str().unwrap_or_default()
    );
    let mut outcomes = BTreeMap::new();
    for (language, examples) in &languages {
        let Ok(examples) = examples else { continue };
        for example in EXAMPLES {
            let outcome = sandbox.run(examples(example), *language == languages[0].0 || is_ci());
            match &outcome {
                Ok(time) => say!("   {} {language} {example} in {:.1} s", good("ok"), time.as_secs_f64()),
                Err(why) => say!("   {} {language} {example}: {why}", bad("FAILED")),
            }
            outcomes.insert((*example, *language), outcome);
        }
    }
    drop(sandbox);
    table(&languages, &outcomes);
    let failures = outcomes.values().filter(|outcome| outcome.is_err()).count();
    let missing: Vec<_> =
        languages.iter().filter_map(|(name, examples)| Some((name, examples.as_ref().err()?))).collect();
    for (language, why) in &missing {
        say!("{} {language}: {why}", bad("skipped"));
    }
    say!(
        "{} of {} examples are {} in {:.0} s.",
        outcomes.len() - failures,
        outcomes.len(),
        good("ok"),
        started.elapsed().as_secs_f64()
    );
    Ok(if failures == 0 && missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The names of the examples, which are the same in every language, in the order of the story.
const EXAMPLES: &[&str] = &[
    "encrypted_payload",
    "master_wallet_topup",
    "cardholder_creation",
    "card_issue",
    "card_topup",
    "card_status_change",
    "webhook_receiver",
    "errors",
    "retry",
    "key_rotation",
];

/// The command that runs an example.
type Examples = Box<dyn Fn(&str) -> Command>;
type Prepare = fn(&Repo, &Shell) -> Result<Examples>;

const LANGUAGES: &[(&str, Prepare)] = &[
    ("Python", in_python),
    ("Go", in_go),
    ("JavaScript", in_javascript),
    ("TypeScript", in_typescript),
    ("Rust", in_rust),
];

/// Says what is being got ready, and how long it took.
fn ready<T>(name: &str, prepare: impl FnOnce() -> Result<T>) -> Result<T> {
    say!("   {name}: building and installing …");
    let started = Instant::now();
    let prepared = prepare();
    let outcome = if prepared.is_ok() { good("ready") } else { bad("not ready") };
    say!("   {name}: {outcome} after {:.1} s", started.elapsed().as_secs_f64());
    prepared
}

fn in_python(repo: &Repo, shell: &Shell) -> Result<Examples> {
    let (python, folder) = (installed::python(repo, shell)?, repo.path("examples/python"));
    Ok(Box::new(move |example| command(&python, &["-B", &text(&folder.join(format!("{example}.py")))])))
}

fn in_go(repo: &Repo, shell: &Shell) -> Result<Examples> {
    let folder = installed::go(repo, shell, "examples/go", "./...")?;
    Ok(Box::new(move |example| command(&folder.join(example), &[])))
}

fn in_javascript(repo: &Repo, shell: &Shell) -> Result<Examples> {
    let project = installed::node(repo, shell, "examples-js", &["examples/js"])?;
    Ok(Box::new(move |example| command("node".as_ref(), &[&text(&project.join(format!("{example}.mjs")))])))
}

fn in_typescript(repo: &Repo, shell: &Shell) -> Result<Examples> {
    let project = installed::node(repo, shell, "examples-ts", &[])?;
    let npm = npm::Npm::with_tools(repo, shell)?;
    npm.copy_tree("examples/ts", &project)?;
    let strict =
        ["--strict", "--noUncheckedIndexedAccess", "--module", "nodenext", "--target", "es2022", "--types", "node"];
    let sources = npm::files(&repo.path("examples/ts"), "ts")?;
    let sources: Vec<_> = sources.iter().filter_map(|path| path.file_name()).collect();
    shell.run(npm.tool("tsc").args(strict).args(sources).current_dir(&project))?;
    Ok(Box::new(move |example| command("node".as_ref(), &[&text(&project.join(format!("{example}.js")))])))
}

fn in_rust(repo: &Repo, shell: &Shell) -> Result<Examples> {
    let folder = installed::rust(repo, shell)?;
    Ok(Box::new(move |example| command(&folder.join(example), &[])))
}

fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// A sandbox with an account of its own, until it is dropped.
struct Sandbox {
    process: Child,
    account: Value,
}

impl Sandbox {
    fn start(repo: &Repo, tool: &Path) -> Result<Self> {
        let mut command = repo.command(tool);
        command.args(["sandbox", "--control", "--quiet", "--json"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(|error| format!("the sandbox does not start: {error}"))?;
        let mut line = String::new();
        let read = process.stdout.take().map(|output| BufReader::new(output).read_line(&mut line));
        match serde_json::from_str(&line) {
            Ok(account) if matches!(read, Some(Ok(_))) => Ok(Self { process, account }),
            _ => fail("the sandbox does not say where it is"),
        }
    }

    /// Runs an example, and shows what it printed where that was asked for, or where it failed.
    fn run(&self, mut example: Command, is_shown: bool) -> Result<Duration> {
        for (name, member) in VARIABLES {
            example.env(name, self.account.pointer(member).and_then(Value::as_str).unwrap_or_default());
        }
        let started = Instant::now();
        let output = example
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{} does not start: {error}", example.get_program().to_string_lossy()))?;
        let (shown, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if is_shown || !output.status.success() {
            shown.lines().chain(errors.lines()).for_each(|line| say!("     {line}"));
        }
        match output.status.success() {
            true if shown.trim().is_empty() => fail("it shows nothing"),
            true => Ok(started.elapsed()),
            false => fail(output.status.to_string()),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the examples read, and where the sandbox says it.
const VARIABLES: &[(&str, &str)] = &[
    ("CARDSEAL_URL", "/url"),
    ("CARDSEAL_API_KEY", "/api_key"),
    ("CARDSEAL_SECRET", "/secret"),
    ("CARDSEAL_CONTROL_URL", "/control/url"),
    ("CARDSEAL_CONTROL_TOKEN", "/control/token"),
];

/// Example by language: how long it took, or that it failed.
fn table(languages: &[(&str, Result<Examples>)], outcomes: &BTreeMap<(&str, &str), Result<Duration>>) {
    say!(
        "\n| {:20} | {} |",
        "example",
        languages.iter().map(|(name, _)| format!("{name:10}")).collect::<Vec<_>>().join(" | ")
    );
    say!("|{}|{}", "-".repeat(22), format!("{}|", "-".repeat(12)).repeat(languages.len()));
    for example in EXAMPLES {
        let cells = languages.iter().map(|(language, _)| match outcomes.get(&(*example, *language)) {
            // Coloured after it is padded: a terminal's codes have no width.
            Some(Ok(time)) => good(&format!("{:10}", format!("ok {:5.1} s", time.as_secs_f64()))),
            Some(Err(_)) => bad(&format!("{:10}", "FAILED")),
            None => format!("{:10}", "—"),
        });
        say!("| {example:20} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    say!("");
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
