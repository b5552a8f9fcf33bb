//! How a sandbox is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// How a sandbox is set up. The default: a free port on loopback, everything in memory, one project of its own.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Where the API listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// A SQLite file that keeps everything, replay claims too; in memory without it.
    pub data: Option<PathBuf>,
    /// A Redis that keeps replay claims, for several processes: `redis://127.0.0.1:6379/0`.
    pub redis: Option<String>,
    /// The projects; without any, one is made up, and kept in `data`.
    pub projects: Vec<Project>,
    /// What a new project's wallet holds, as decimal text.
    pub balance: String,
    /// How long an order rests between two steps; 0 takes them at once.
    pub step_millis: u64,
    /// Makes ids and chance faults the same in every run.
    pub seed: Option<u64>,
    /// Where the control plane listens; `None` for no control plane over HTTP.
    pub control: Option<SocketAddr>,
    /// Whether webhooks may go to loopback and private addresses.
    pub private_webhooks: bool,
    /// Leaves the idempotency key's UNIQUE constraint out.
    #[cfg(feature = "sabotage")]
    pub without_unique: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: None,
            redis: None,
            projects: Vec::new(),
            balance: "1000.00".to_owned(),
            step_millis: 100,
            seed: None,
            control: None,
            private_webhooks: true,
            #[cfg(feature = "sabotage")]
            without_unique: false,
        }
    }
}

/// A project: whoever calls with its API key seals with its secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct Project {
    /// What stands in the header `API-KEY`.
    pub api_key: String,
    /// What bodies are sealed with.
    pub secret: String,
    /// Whether it may use the API; without, it is answered "You do not have access to this API."
    pub has_access: bool,
}

impl Project {
    /// A project that may use the API.
    pub fn new(api_key: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { api_key: api_key.into(), secret: secret.into(), has_access: true }
    }

    /// The same, shut out.
    #[must_use]
    pub fn without_access(mut self) -> Self {
        self.has_access = false;
        self
    }
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { api_key: _, secret: _, has_access } = self;
        f.debug_struct("Project").field("has_access", has_access).finish_non_exhaustive()
    }
}
