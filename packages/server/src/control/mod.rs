//! What a test can do to a running sandbox: move its clock, break things on purpose, look inside.

pub(crate) mod faults;
pub(crate) mod holds;
pub(crate) mod journal;
pub(crate) mod plane;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::server::{Server, in_words};
use crate::webhooks::Sender;

/// What the control plane offers, for tests in the same process.
#[derive(Debug, Clone)]
pub struct Control {
    server: Arc<Server>,
}

impl Control {
    pub(crate) fn new(server: Arc<Server>) -> Self {
        Self { server }
    }

    /// Moves the clock; returns once everything has happened that is due by then, webhooks too.
    ///
    /// # Errors
    /// One line that says what broke.
    pub async fn advance(&self, by: Duration) -> Result<(), String> {
        let micros = i64::try_from(by.as_micros()).map_err(|_| "this is too far to go".to_owned())?;
        self.server.clock.advance(micros).map_err(|error| error.message().to_owned())?;
        self.settle().await
    }

    /// Returns once everything that is due has happened, webhooks too.
    ///
    /// # Errors
    /// One line that says what broke.
    pub async fn settle(&self) -> Result<(), String> {
        self.server.settle().await.map_err(in_words)
    }

    /// All webhooks and what became of them.
    ///
    /// # Errors
    /// One line that says what broke.
    pub async fn deliveries(&self) -> Result<Value, String> {
        self.server.database.read(Sender::all).await.map_err(in_words)
    }

    /// Everything as it was at the start.
    ///
    /// # Errors
    /// One line that says what broke.
    pub async fn reset(&self) -> Result<(), String> {
        self.server.reset().await.map_err(in_words)
    }
}
