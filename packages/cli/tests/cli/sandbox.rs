//! `cardseal sandbox`: started, called with the other commands, ended.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};

use serde_json::Value;

use crate::run::{Run, SECRET, cardseal, file, text};

/// A running sandbox, ended with its test.
struct Sandbox {
    process: Child,
    first: String,
    output: BufReader<std::process::ChildStdout>,
}

impl Sandbox {
    fn start(arguments: &[&str], change: impl FnOnce(Run) -> Run) -> Self {
        let arguments: Vec<&str> = ["sandbox"].iter().chain(arguments).copied().collect();
        let mut process = change(cardseal(&arguments).no_secret()).start();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut first = String::new();
        output.read_line(&mut first).unwrap();
        Self { process, first, output }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.first).unwrap()
    }

    /// Tells it to end, and gives what it has written to standard error.
    fn end(mut self) -> String {
        let told = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(told.success());
        let mut errors = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(0), "{errors}");
        errors
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Posts what `seal --print request` has printed.
fn post(url: &str, request: &str) -> (u16, String) {
    let address = url.strip_prefix("http://").unwrap();
    let (head, body) = request.trim_end().split_once("\n\n").unwrap();
    let head = head.replace('\n', "\r\n");
    let length = body.len();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

#[test]
fn it_is_called_with_what_the_other_commands_seal() {
    let sandbox = Sandbox::start(&["--json"], |run| run);
    let line = sandbox.json();
    let member = |name: &str| line[name].as_str().unwrap().to_owned();
    assert_eq!(line.as_object().unwrap().keys().collect::<Vec<_>>(), ["url", "api_key", "secret"]);
    let seal = ["seal", "--path", "/project/balance", "--print", "request"];
    let environment = |run: Run| {
        run.env("CARDSEAL_SECRET", &member("secret"))
            .env("CARDSEAL_API_KEY", &member("api_key"))
            .env("CARDSEAL_URL", &member("url"))
    };
    let request = environment(cardseal(&seal)).input("{}").ok();
    let (status, answer) = post(&member("url"), &request);
    assert_eq!(status, 200);
    let opened = environment(cardseal(&["open", "--status", "200"])).input(&answer).ok();
    assert_eq!(opened, "{\"available\":\"1000.00\",\"currency\":\"usdt\"}\n");
    let (status, answer) = post(&member("url"), &request);
    assert_eq!((status, answer.as_str()), (400, r#"{"error":"Duplicate request detected"}"#));

    let log = sandbox.end();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert_eq!((&lines[0]["verdict"], &lines[1]["verdict"]), (&"ok".into(), &"duplicate_request".into()));
    assert!(!log.contains(&member("secret")) && !log.contains("1000.00"), "neither secret nor plaintext: {log}");
}

#[test]
fn in_words_it_prints_what_a_shell_can_take_over() {
    let mut sandbox = Sandbox::start(&["--control", "--quiet"], |run| run);
    assert!(sandbox.first.starts_with("export CARDSEAL_URL=http://127.0.0.1:"), "{}", sandbox.first);
    let mut line = || {
        let mut line = String::new();
        sandbox.output.read_line(&mut line).unwrap();
        line
    };
    assert!(line().starts_with("export CARDSEAL_API_KEY=key_"));
    assert!(line().starts_with("export CARDSEAL_SECRET=sandbox_"));
    assert!(line().starts_with("export CARDSEAL_CONTROL_URL=http://127.0.0.1:"));
    assert!(line().starts_with("export CARDSEAL_CONTROL_TOKEN="));
    assert!(line().contains("webhooks may go to loopback"));
    assert_eq!(sandbox.end(), "", "--quiet");
}

#[test]
fn the_project_can_be_the_callers() {
    let sandbox =
        Sandbox::start(&["--json"], |run| run.env("CARDSEAL_SECRET", SECRET).env("CARDSEAL_API_KEY", "key_1"));
    let line = sandbox.json();
    assert_eq!((&line["api_key"], &line["secret"]), (&"key_1".into(), &SECRET.into()));
    sandbox.end();

    let projects =
        file("projects.json", r#"[{"api_key":"a","secret":"the first one"},{"api_key":"b","secret":"the second"}]"#);
    let sandbox = Sandbox::start(&["--json", "--projects", text(&projects)], |run| run);
    assert_eq!(sandbox.json()["api_key"], "a");
    sandbox.end();
}

#[test]
fn a_seed_makes_the_same_project_every_time() {
    let keys = [1, 2].map(|_| {
        let sandbox = Sandbox::start(&["--json", "--seed", "7"], |run| run);
        let line = sandbox.json();
        sandbox.end();
        (line["api_key"].clone(), line["secret"].clone())
    });
    assert_eq!(keys[0], keys[1]);
}

#[test]
fn what_cannot_be_had_is_one_line() {
    let error = cardseal(&["sandbox"]).json_error(2);
    assert_eq!(error["code"], "usage");
    assert!(error["message"].as_str().unwrap().contains("CARDSEAL_API_KEY"), "{error}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = cardseal(&["sandbox", "--port", &port]).no_secret().json_error(2);
    assert!(error["message"].as_str().unwrap().contains(&port), "{error}");

    let nonsense = file("nonsense.json", r#"{"api_key":"a","secret":"do not print me"#);
    let error = cardseal(&["sandbox", "--projects", text(&nonsense)]).json_error(2);
    assert_eq!(error["code"], "io_error");
    assert!(!error.to_string().contains("do not print me"), "{error}");

    let error = cardseal(&["sandbox", "--data", "/no/such/folder/state.db"]).no_secret().json_error(2);
    assert!(error["message"].as_str().unwrap().contains("/no/such/folder/state.db"), "{error}");
}

/// The README's session, as it stands there, in one shell.
#[test]
fn the_readme_shows_what_really_happens() {
    const README: &str = include_str!("../../../../README.md");
    let (_, section) = README.split_once("## A server to test against").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let blocks = section.split("```console\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let lines: Vec<&str> = blocks.flat_map(|(block, _)| block.lines()).collect();
    let typed = lines.iter().filter_map(|line| line.strip_prefix("$ ").or_else(|| line.strip_prefix("> ")));
    let script = typed.collect::<Vec<_>>().join("\n");
    let expected: Vec<&&str> = lines.iter().filter(|line| !line.starts_with(['$', '>'])).collect();
    assert!(expected.len() >= 8, "{section}");

    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme-sandbox");
    std::fs::create_dir_all(&folder).unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_cardseal")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let shell = Command::new("bash")
        .args(["-c", &format!("exec 2>&1; trap 'kill %1' EXIT\n{script}")])
        .current_dir(&folder)
        .env("PATH", &path)
        .env_remove("CARDSEAL_SECRET")
        .env_remove("CARDSEAL_API_KEY")
        .output()
        .unwrap();
    let output = String::from_utf8(shell.stdout).unwrap();
    let printed: Vec<&str> = output.lines().collect();
    assert_eq!(printed.len(), expected.len(), "{output}");
    for (printed, expected) in printed.iter().zip(expected) {
        assert!(is_like(printed, expected), "{printed}\ninstead of\n{expected}");
    }
}

/// Whether a line is another one, in which `…` stands for any text.
fn is_like(line: &str, expected: &str) -> bool {
    let parts: Vec<&str> = expected.split('…').collect();
    let [first, between @ .., last] = parts.as_slice() else { return line == expected };
    let Some(line) = line.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    let after =
        |rest: &str, part: &&str| rest.find(*part).and_then(|at| rest.get(at + part.len()..)).map(str::to_owned);
    between.iter().try_fold(line.to_owned(), |rest, part| after(&rest, part)).is_some()
}
