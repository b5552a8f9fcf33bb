//! Every middleware of every language: one suite of requests, and one Redis for all of them.

use std::process::{ExitCode, Stdio};

use cardseal_test_redis::Redis;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::lanes::side_by_side;
use crate::suite::{self, Suite};

/// How a server's driver is started.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    name: String,
    command: Vec<String>,
    folder: String,
}

/// A server that is running, until it is dropped.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) url: String,
    /// Whether it has a receiver of webhooks.
    pub(crate) webhooks: bool,
    /// Whether it reads bodies that do not say how long they are; WSGI has no way to.
    pub(crate) reads_chunks: bool,
    _process: Child,
}

impl Server {
    /// Whether the framework has parsed the body before the middleware sees it.
    pub(crate) fn is_parsed(&self) -> bool {
        self.name.ends_with("-parsed")
    }

    /// A status of the middleware's own; what a framework refuses before it, it refuses with a status of its own.
    pub(crate) fn own(&self, status: u16, expected: u16) -> u16 {
        if self.is_parsed() && (400..500).contains(&status) { expected } else { status }
    }

    /// The same for a body without its length, where that is not read.
    pub(crate) fn whole(&self, status: u16, expected: u16) -> u16 {
        if !self.reads_chunks && [400, 411].contains(&status) { expected } else { status }
    }
}

pub(crate) const API_KEY: &str = "key_1";
/// The secret of the vectors.
pub(crate) const SECRET: &str = "your_api_secret_key_here";

impl Command {
    async fn start(&self, redis: Option<&str>) -> Server {
        let (program, arguments) = self.command.split_first().expect("a command");
        let mut process = tokio::process::Command::new(program);
        process.args(arguments).current_dir(&self.folder);
        process.env("CARDSEAL_API_KEY", API_KEY).env("CARDSEAL_SECRET", SECRET).env_remove("CARDSEAL_REDIS");
        if let Some(redis) = redis {
            process.env("CARDSEAL_REDIS", redis);
        }
        process.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process =
            process.spawn().unwrap_or_else(|error| panic!("{}: {program} does not start: {error}", self.name));
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{} prints `{line}`", self.name));
        Server {
            name: self.name.clone(),
            url: line["url"].as_str().unwrap().to_owned(),
            webhooks: line["webhooks"] != false,
            reads_chunks: line["chunked"] != false,
            _process: process,
        }
    }
}

/// Runs the suite against every server, with claims in memory, and then all of them on one Redis, if there is one.
pub(crate) async fn table(drivers: &str) -> ExitCode {
    let text = std::fs::read_to_string(drivers).expect("a file that lists the drivers");
    let commands: Vec<Command> = serde_json::from_str(&text).expect("a list of drivers");
    assert!(!commands.is_empty(), "no driver is to be run");
    let (mut kept, mut broken) = (0, Vec::new());
    let suite = Suite::new();
    println!("{}", suite::HEAD);
    let verdicts = side_by_side(&commands, async |command| {
        let server = command.start(None).await;
        let verdict = suite.run(&server).await;
        println!("{}", verdict.row(&server.name));
        verdict
    });
    for (command, verdict) in commands.iter().zip(verdicts.await) {
        kept += verdict.kept;
        broken.extend(verdict.broken.into_iter().map(|case| format!("{}: {case}", command.name)));
    }
    let redis = Redis::start(&[]);
    if redis.is_none() {
        println!("\nredis-server is not installed, and left out; on Debian: apt-get install redis-server");
    }
    if let Some(redis) = redis.as_ref().map(Redis::url).as_deref() {
        println!("\n| one body, 100 times at once, at | accepted |\n|---|---|");
        let mut servers = Vec::new(); // two of each: a pair can be two of one kind
        for command in &commands {
            servers.push([command.start(Some(redis)).await, command.start(Some(redis)).await]);
        }
        for (index, [one, _]) in servers.iter().enumerate() {
            for [_, other] in &servers[index..] {
                let accepted = suite.race(&[one, other]).await;
                let pair = format!("{} and {}", one.name, other.name);
                println!("| {pair} | {accepted} |");
                if accepted == 1 {
                    kept += 1;
                } else {
                    broken.push(format!("{pair}: {accepted} of 100 copies were accepted"));
                }
            }
        }
    }
    println!();
    for case in &broken {
        println!("broken: {case}");
    }
    println!("cells: {kept} kept, {} broken", broken.len());
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
