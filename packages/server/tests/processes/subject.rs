//! The process that is killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use cardseal_server::{Options, Sandbox};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tracing::level_filters::LevelFilter;

use crate::support::{Client, send};

/// What the process is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) data: Option<String>,
    pub(crate) step_millis: u64,
    pub(crate) without_unique: bool,
}

const VARIABLE: &str = "CARDSEAL_TEST_SUBJECT";

pub(crate) fn is_wanted() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Runs a sandbox until the process is killed, or nobody holds its input any more.
pub(crate) fn run() {
    let orders: Orders = serde_json::from_str(&std::env::var(VARIABLE).unwrap()).unwrap();
    tracing_subscriber::fmt().json().with_max_level(LevelFilter::WARN).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut options = Options::default();
        options.data = orders.data.map(Into::into);
        options.step_millis = orders.step_millis;
        options.balance = "100000.00".to_owned();
        options.control = Some(([127, 0, 0, 1], 0).into());
        options.without_unique = orders.without_unique;
        let sandbox = Sandbox::start(options).await.unwrap();
        let (control, token) = sandbox.control_plane().unwrap();
        let line = json!({
            "url": sandbox.url(), "api_key": sandbox.api_key(), "secret": sandbox.secret(), "control": control, "token": token,
        });
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{line}").and_then(|()| stdout.flush()).unwrap();
        let input = tokio::task::spawn_blocking(|| std::io::stdin().lines().count());
        let _ = input.await;
        sandbox.stop().await;
    });
}

/// A running process, seen from the test.
pub(crate) struct Subject {
    process: Child,
    log: Receiver<String>,
    pub(crate) client: Client,
    control: std::net::SocketAddr,
    token: String,
}

impl Subject {
    pub(crate) fn start(orders: &Orders) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(VARIABLE, serde_json::to_string(orders).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let Ok(line) = serde_json::from_str::<Value>(&first) else {
            panic!("it did not start: {}", stderr.lines().map_while(Result::ok).collect::<Vec<_>>().join("\n"));
        };
        let (lines, log) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let address = |name: &str| text(name).strip_prefix("http://").unwrap().parse().unwrap();
        Self {
            client: Client {
                address: address("url"),
                api_key: text("api_key"),
                envelope: cardseal::Envelope::new(&text("secret")).unwrap(),
            },
            control: address("control"),
            token: text("token"),
            process,
            log,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Tells the control plane.
    pub(crate) async fn control(&self, path: &str, body: Value) {
        let token = format!("Bearer {}", self.token);
        let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
        let answer = send(self.control, "POST", path, &headers, body.to_string().as_bytes()).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Waits until it says that it is held at a point.
    pub(crate) fn wait_until_held(&self) {
        loop {
            match self.log.recv_timeout(Duration::from_secs(20)) {
                Ok(line) if line.contains("held here") => return,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("the point was not reached"),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended by itself"),
            }
        }
    }

    /// SIGKILL: nothing of it runs any more when this returns.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How much memory of its own a process has, in bytes.
pub(crate) fn resident_bytes(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(id.to_string()).join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
