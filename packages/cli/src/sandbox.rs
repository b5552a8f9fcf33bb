//! `cardseal sandbox`: the reference server, to test an integration against.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use cardseal_server::{Options, Project, Sandbox as Server};
use clap::Args;
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Runtime;
use tracing::level_filters::LevelFilter;
use zeroize::Zeroizing;

use crate::arguments::Common;
use crate::failure::{Failure, Stop, quoted};
use crate::{input, key, output};

/// Run a stateful server of the whole API on loopback, to test against
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Sandbox {
    /// Listen on this port of 127.0.0.1 [default: a free one]
    #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "PORT")]
    port: u16,
    /// Keep all state in this SQLite file [default: in memory]
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Keep replay claims in Redis, for several processes on one --data
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// The projects: a JSON file with `api_key` and `secret`, or a list of such
    #[arg(long, value_name = "FILE")]
    projects: Option<PathBuf>,
    /// What a new project's wallet holds
    #[arg(long, default_value = "1000.00", value_name = "AMOUNT")]
    balance: String,
    /// How long an order rests between two steps; 0 takes them at once
    #[arg(long, default_value_t = 100, value_name = "MILLIS")]
    step_ms: u64,
    /// Make ids and chance faults the same in every run
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Open the control plane on this port of 127.0.0.1; without a number, on a free one
    #[arg(long, num_args = 0..=1, default_missing_value = "0", value_name = "PORT")]
    control: Option<u16>,
    /// Log only what is wrong
    #[arg(long)]
    quiet: bool,
}

const AFTER_HELP: &str = "\
Without --projects the project is that of CARDSEAL_API_KEY and CARDSEAL_SECRET, or else one that is
made up and printed. Webhooks may go to loopback here. With --json the first line on standard output
is an object with `url`, `api_key` and `secret`, and the log on standard error is JSON. Ctrl-C ends it.

Example: cardseal sandbox --port 4010 --data sandbox.db";

pub(crate) fn run(common: &Common, sandbox: &Sandbox) -> Result<(), Stop> {
    log(common.json, sandbox.quiet);
    let options = options(sandbox)?;
    let runtime = Runtime::new().map_err(|error| Failure::io("start a runtime", &error))?;
    runtime.block_on(serve(options, common.json))
}

async fn serve(options: Options, json: bool) -> Result<(), Stop> {
    let kept = options.data.is_some();
    // Listening for the signals first: one that comes between must not kill it in the middle of a start.
    let ended = ended().map_err(|error| Failure::io("listen for signals", &error))?;
    let server = Server::start(options).await.map_err(|error| Failure::unusable(error.to_string()))?;
    output::write_line(&if json { as_json(&server) } else { in_words(&server, kept) })?;
    ended.await;
    server.stop().await;
    Ok(())
}

fn options(sandbox: &Sandbox) -> Result<Options, Failure> {
    let Sandbox { port, data, redis, projects, balance, step_ms, seed, control, quiet: _ } = sandbox;
    let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut options = Options::default();
    options.address = loopback(*port);
    options.data.clone_from(data);
    options.redis.clone_from(redis);
    options.projects = match projects {
        Some(file) => read_projects(file)?,
        None => project_of_environment()?.into_iter().collect(),
    };
    options.balance.clone_from(balance);
    options.step_millis = *step_ms;
    options.seed = *seed;
    options.control = control.map(loopback);
    options.private_webhooks = true;
    Ok(options)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    api_key: String,
    secret: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Projects {
    One(Credentials),
    Several(Vec<Credentials>),
}

fn read_projects(file: &Path) -> Result<Vec<Project>, Failure> {
    let text = Zeroizing::new(input::read(Some(file), MOST_PROJECT_BYTES)?);
    let projects = match serde_json::from_slice(&text) {
        Ok(Projects::One(project)) => vec![project],
        Ok(Projects::Several(projects)) if !projects.is_empty() => projects,
        // serde's own words would quote what stands there.
        _ => {
            let file = quoted(&file.to_string_lossy());
            let message =
                format!("{file} holds no projects: write {{\"api_key\": \"…\", \"secret\": \"…\"}}, or a list of such");
            return Err(Failure::unusable(message));
        }
    };
    Ok(projects.into_iter().map(|Credentials { api_key, secret }| Project::new(api_key, secret)).collect())
}

fn project_of_environment() -> Result<Option<Project>, Failure> {
    match (key::variable("CARDSEAL_API_KEY")?, key::variable("CARDSEAL_SECRET")?) {
        (Some(api_key), Some(secret)) => Ok(Some(Project::new(api_key, secret))),
        (None, None) => Ok(None),
        _ => Err(Failure::usage(
            "of CARDSEAL_API_KEY and CARDSEAL_SECRET only one is set: set both for the sandbox's project, or neither",
        )),
    }
}

const MOST_PROJECT_BYTES: usize = 1 << 20;

fn as_json(server: &Server) -> String {
    let mut line = json!({"url": server.url(), "api_key": server.api_key(), "secret": server.secret()});
    if let (Some((url, token)), Some(members)) = (server.control_plane(), line.as_object_mut()) {
        members.insert("control".to_owned(), json!({"url": url, "token": token}));
    }
    line.to_string()
}

fn in_words(server: &Server, kept: bool) -> String {
    let mut lines = vec![
        format!("export CARDSEAL_URL={}", server.url()),
        format!("export CARDSEAL_API_KEY={}", in_quotes(server.api_key())),
        format!("export CARDSEAL_SECRET={}", in_quotes(server.secret())),
    ];
    if let Some((url, token)) = server.control_plane() {
        lines.push(format!("export CARDSEAL_CONTROL_URL={url}"));
        lines.push(format!("export CARDSEAL_CONTROL_TOKEN={token}"));
    }
    let state = if kept { "state is kept" } else { "state is in memory" };
    lines.push(format!("# ready; {state}; webhooks may go to loopback and private addresses; Ctrl-C ends it"));
    lines.join("\n")
}

/// A word as a shell reads it.
fn in_quotes(word: &str) -> String {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn log(json: bool, quiet: bool) {
    let level = if quiet { LevelFilter::WARN } else { LevelFilter::INFO };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_target(false);
    let builder = builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr()));
    if json { builder.json().flatten_event(true).init() } else { builder.init() }
}

/// Ends when the process is told to, by Ctrl-C or by whoever started it.
#[cfg(unix)]
fn ended() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn ended() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
