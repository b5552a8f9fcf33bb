//! A server with its sockets and its work in the background.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::control::{self, Control};
use crate::http;
use crate::ids::{hex, random};
use crate::options::Options;
use crate::server::{Server, in_words};
use crate::{api, projects::Project};

/// A running sandbox. Dropping it ends it too, but waits for nothing: see [`stop`](Self::stop).
#[derive(Debug)]
pub struct Sandbox {
    server: Arc<Server>,
    address: SocketAddr,
    control: Option<ControlPlane>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    work: JoinHandle<()>,
}

struct ControlPlane {
    address: SocketAddr,
    token: String,
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, token: _ } = self;
        f.debug_struct("ControlPlane").field("address", address).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts a sandbox; when this returns, it answers.
    ///
    /// # Errors
    /// One line that says what cannot be had: an address that is taken, a file or a Redis that does not open, a secret that
    /// is too short.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        if let Some(address) = options.control.filter(|address| !address.ip().is_loopback()) {
            let message = format!("the control plane listens on loopback alone: use 127.0.0.1, not {}", address.ip());
            return Err(StartError(message));
        }
        let server = Server::open(options).await.map_err(StartError)?;
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::new();
        let mut serve = |listener, router| tasks.push(tokio::spawn(http::serve(listener, router, stopped.clone())));

        // Both sockets first: a port that is taken must be known before anything is answered.
        let (listener, address) = listen(server.options.address).await?;
        let control = match server.options.control {
            None => None,
            Some(wanted) => {
                let (listener, address) = listen(wanted).await?;
                let token = hex(&random::<16>().map_err(in_words).map_err(StartError)?);
                serve(listener, control::plane::router(&server, address, &token));
                Some(ControlPlane { address, token })
            }
        };
        let router = Router::new().route("/ready", get(|| async { "ready\n" })).fallback(api::answer);
        #[cfg(feature = "plain")]
        let router = router.route(&format!("{}/{{*path}}", api::PLAIN), axum::routing::any(api::answer_plain));
        serve(listener, router.with_state(Arc::clone(&server)));
        let work = tokio::spawn(Arc::clone(&server).work());
        Ok(Self { server, address, control, stop, tasks, work })
    }

    /// Where clients call: `http://127.0.0.1:PORT`, without `/api/v1`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first project's API key.
    pub fn api_key(&self) -> &str {
        &self.project().api_key
    }

    /// The first project's secret.
    pub fn secret(&self) -> &str {
        &self.project().secret
    }

    /// Where the control plane listens and the token that it wants, if there is one.
    pub fn control_plane(&self) -> Option<(String, &str)> {
        self.control.as_ref().map(|control| (format!("http://{}", control.address), control.token.as_str()))
    }

    /// What the control plane offers, without HTTP. Requests are written down from the first call of this on.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.server))
    }

    /// Takes no more connections, answers what is under way, and ends.
    pub async fn stop(mut self) {
        self.end();
        for task in std::mem::take(&mut self.tasks) {
            let _ = task.await;
        }
    }

    fn end(&self) {
        let _ = self.stop.send(true);
        self.work.abort(); // it has no end of its own; what it has begun in the database is finished there
    }

    fn project(&self) -> &Project {
        self.server.projects.first()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.end();
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|error| StartError(format!("cannot listen on {address}: {error}")))?;
    let address = listener.local_addr().map_err(|error| StartError(error.to_string()))?;
    Ok((listener, address))
}

/// Why a sandbox did not start, in one line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartError(pub(crate) String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}
