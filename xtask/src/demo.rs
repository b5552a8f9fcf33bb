//! `cargo xtask demo`: the document's examples in every language, against a sandbox, from packages installed as users install them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
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
    let languages: Vec<(&'static str, Result<Examples>)> =
        LANGUAGES.iter().map(|(name, prepare)| (*name, ready(name, || prepare(repo, &shell)))).collect();

    say!("\n{} {} examples, each language against a sandbox of its own", bold("=="), EXAMPLES.len());
    // Side by side: an example mostly waits for an order.
    let outcomes: BTreeMap<_, _> = thread::scope(|scope| {
        let running: Vec<_> = languages
            .iter()
            .filter_map(|(language, examples)| Some((*language, examples.as_ref().ok()?)))
            .map(|(language, examples)| scope.spawn(|| run_all(repo, &tool, language, examples)))
            .collect();
        running.into_iter().flat_map(|language| language.join().unwrap_or_default()).collect()
    });
    table(&languages, &outcomes);
    for (language, examples) in &languages {
        if let Err(why) = examples {
            say!("{} {language}: {why}", bad("skipped"));
        }
    }
    let passed = outcomes.values().filter(|outcome| outcome.is_ok()).count();
    let all = EXAMPLES.len() * LANGUAGES.len();
    say!("{passed} of {all} examples are {} in {:.0} s.", good("ok"), started.elapsed().as_secs_f64());
    Ok(if passed == all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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
type Examples = Box<dyn Fn(&str) -> Command + Sync>;
/// How long each took, or why it failed, by example and language.
type Outcomes = BTreeMap<(&'static str, &'static str), Result<Duration>>;
type Prepare = fn(&Repo, &Shell) -> Result<Examples>;

const LANGUAGES: &[(&str, Prepare)] = &[
    ("Python", in_python),
    ("Go", in_go),
    ("JavaScript", in_javascript),
    ("TypeScript", in_typescript),
    ("Rust", in_rust),
];

/// Runs every example of a language, one after the other. What they print is the same in each: the first one's is shown, and what
/// failed.
fn run_all(repo: &Repo, tool: &Path, language: &'static str, examples: &Examples) -> Outcomes {
    let sandbox = Sandbox::start(repo, tool);
    let run = |example: &&'static str| {
        let outcome = sandbox.as_ref().map_err(String::clone).and_then(|sandbox| sandbox.run(examples(example)));
        let is_shown = outcome.is_err() || language == LANGUAGES[0].0 || is_ci();
        let (head, shown) = match &outcome {
            Ok(Ran { time, shown }) => {
                (format!("{} {language} {example} in {:.1} s", good("ok"), time.as_secs_f64()), shown)
            }
            Err(why) => (format!("{} {language} {example}", bad("FAILED")), why),
        };
        let lines = shown.lines().filter(|_| is_shown).map(|line| format!("\n     {line}"));
        // In one piece: others print too.
        say!("   {head}{}", lines.collect::<String>());
        ((*example, language), outcome.map(|ran| ran.time))
    };
    EXAMPLES.iter().map(run).collect()
}

/// An example that ended well.
struct Ran {
    time: Duration,
    shown: String,
}

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

    /// Runs an example; that it failed is an error that has what it printed.
    fn run(&self, mut example: Command) -> Result<Ran> {
        for (name, member) in VARIABLES {
            example.env(name, self.account.pointer(member).and_then(Value::as_str).unwrap_or_default());
        }
        let started = Instant::now();
        let output = example
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{} does not start: {error}", example.get_program().to_string_lossy()))?;
        let time = started.elapsed();
        let (shown, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        match output.status.success() {
            true if shown.trim().is_empty() => fail("it shows nothing"),
            true => Ok(Ran { time, shown: format!("{shown}{errors}") }),
            false => fail(format!("{}\n{shown}{errors}", output.status)),
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
fn table(languages: &[(&str, Result<Examples>)], outcomes: &Outcomes) {
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

/// The command line tool, built as its own tests build it: nothing is compiled twice, and overflows are noticed.
/// Cargo itself says where the binary is: a configuration may have moved it.
pub(crate) fn build_tool(repo: &Repo) -> Result<PathBuf> {
    let mut command = repo.cargo("build --locked -p cardseal-cli --message-format=json-render-diagnostics");
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
