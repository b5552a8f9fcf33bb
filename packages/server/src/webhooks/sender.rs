//! Sends what is due.

use std::sync::Arc;

use rusqlite::Connection;

use crate::refusal::Result;
use crate::server::Server;

/// The client that webhooks are sent with.
#[derive(Debug)]
pub(crate) struct Sender {}

impl Sender {
    pub(crate) fn new(_private: bool) -> Result<Self, String> {
        Ok(Self {})
    }

    /// Makes all deliveries that are due; false if none was.
    pub(crate) async fn send_due(&self, _server: &Arc<Server>) -> Result<bool> {
        Ok(false)
    }

    /// When the next delivery is due.
    pub(crate) fn next_due(tx: &Connection) -> Result<Option<i64>> {
        let mut due = tx.prepare_cached("SELECT min(due_at) FROM deliveries WHERE due_at IS NOT NULL")?;
        Ok(due.query_row([], |row| row.get(0))?)
    }
}
