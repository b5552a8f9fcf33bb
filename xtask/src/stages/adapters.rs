//! Every HTTP adapter of every language under every fault: tests/adapters.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::counts::Counts;
use crate::installed::text;
use crate::repo::Repo;
use crate::screen::{bad, say};
use crate::shell::Shell;
use crate::test::Context;
use crate::{Result, go, installed, system};

pub(super) fn run(context: &Context<'_>) -> Result<Counts> {
    let Context { repo, shell, .. } = context;
    super::build_programs(repo, shell)?;
    let program = repo.target().join("debug/adapters");
    let (mut counts, mut all) = (Counts::default(), rust(&program));
    for (language, prepare) in LANGUAGES {
        match prepare(repo, shell) {
            Ok(Drivers { clients, servers }) => {
                all.clients.extend(clients);
                all.servers.extend(servers);
            }
            Err(error) => {
                say!("   {} {language}: {error}", bad("skipped"));
                counts += Counts::SKIPPED;
            }
        }
    }
    if !system::ensure("redis-server", "redis-server", repo, shell) {
        counts += Counts::SKIPPED; // all servers on one Redis
    }
    let Drivers { clients, servers } = all;
    let list = write(repo, "clients", clients)?;
    counts += context.count(repo.command(&program).arg(&list), Counts::of_cells)?;
    counts += context.count(repo.command(&program).arg("crowd").arg(&list), Counts::of_cells)?;
    let list = write(repo, "servers", servers)?;
    counts += context.count(repo.command(&program).arg("servers").arg(list), Counts::of_cells)?;
    Ok(counts)
}

fn write(repo: &Repo, name: &str, drivers: Vec<Value>) -> Result<PathBuf> {
    let list = repo.target().join(format!("xtask/adapters-{name}.json"));
    std::fs::write(&list, Value::from(drivers).to_string())
        .map_err(|error| format!("cannot write {}: {error}", list.display()))?;
    Ok(list)
}

/// The drivers of a language, as `tests/adapters` reads them.
struct Drivers {
    clients: Vec<Value>,
    servers: Vec<Value>,
}

impl Drivers {
    /// Programs that take the adapter's or framework's name behind words of their own.
    fn new(language: &str, client: (&[&str], &[&str]), server: (&[&str], &[&str])) -> Self {
        let drivers = |(words, names): (&[&str], &[&str])| {
            let driver = |name: &&str| {
                let command: Vec<&str> = words.iter().chain([name]).copied().collect();
                json!({"name": format!("{language} {name}"), "command": command, "folder": "."})
            };
            names.iter().map(driver).collect()
        };
        Self { clients: drivers(client), servers: drivers(server) }
    }
}

/// Gets the drivers of a language ready, with what they drive installed as its users install it.
type Prepare = fn(&Repo, &Shell) -> Result<Drivers>;

const LANGUAGES: &[(&str, Prepare)] = &[("Python", in_python), ("Go", in_go), ("JavaScript", in_javascript)];

fn rust(program: &Path) -> Drivers {
    let program = &*program.to_string_lossy();
    Drivers::new("Rust", (&[program, "rust"], &["client", "middleware"]), (&[program], &["axum"]))
}

fn in_python(repo: &Repo, shell: &Shell) -> Result<Drivers> {
    let python = &*text(&installed::python(repo, shell)?);
    let script = |name: &str| text(&repo.path(&format!("tests/adapters/drivers/{name}.py")));
    let (client, server) = (script("client"), script("server"));
    let client = (&[python, "-B", &client][..], PYTHON_CLIENTS);
    Ok(Drivers::new("Python", client, (&[python, "-B", &server], PYTHON_SERVERS)))
}

const PYTHON_CLIENTS: &[&str] = &["requests", "httpx", "httpx-async", "aiohttp", "client"];
const PYTHON_SERVERS: &[&str] = &["starlette", "fastapi", "flask", "django"];

fn in_go(repo: &Repo, shell: &Shell) -> Result<Drivers> {
    let program = &*text(&installed::go(repo, shell, go::DRIVER, ".")?.join("go"));
    Ok(Drivers::new("Go", (&[program], &["transport", "client"]), (&[program], &["nethttp"])))
}

fn in_javascript(repo: &Repo, shell: &Shell) -> Result<Drivers> {
    let folder = installed::node(repo, shell, "adapters", &[])?;
    let script = |name: &str| text(&repo.path(&format!("tests/adapters/drivers/{name}.mjs")));
    let (client, server) = (script("client"), script("server"));
    let mut drivers = Drivers::new("Node", (&["node", &client], NODE_CLIENTS), (&["node", &server], NODE_SERVERS));
    for driver in drivers.clients.iter_mut().chain(&mut drivers.servers) {
        driver["folder"] = json!(folder); // what they import is installed there
    }
    Ok(drivers)
}

const NODE_CLIENTS: &[&str] = &["fetch", "ky", "axios", "undici", "client"];
const NODE_SERVERS: &[&str] = &["web", "express", "express-parsed", "fastify", "hono"];
