//! Webhooks: which events there are for whom, and how they are sent.
//!
//! An event becomes one delivery for each subscription, in the transaction that caused it: nothing that happened goes
//! untold, and nothing is told that did not happen.

mod address;
mod client;
mod sender;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::clock::iso;
use crate::ids::Ids;
use crate::refusal::Result;

pub(crate) use address::check_url;
pub(crate) use sender::Sender;

/// Writes a delivery for each of the project's subscriptions. The payload is that of the first version of the protocol:
/// `type` and `timestamp`; `delivery_id`, and the member that is named, are beside it.
pub(crate) fn emit(
    tx: &Connection,
    ids: Ids,
    project: i64,
    now: i64,
    event_type: &str,
    member: &str,
    value: Value,
) -> Result<()> {
    let mut subscriptions =
        tx.prepare_cached("SELECT id, url FROM subscriptions WHERE project = ?1 AND ended_at IS NULL ORDER BY number")?;
    let subscriptions = subscriptions
        .query_map([project], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(String, String)>>>()?;
    for (subscription, url) in subscriptions {
        let number: i64 = tx
            .prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM deliveries")?
            .query_row([], |row| row.get(0))?;
        let id = ids.id("delivery", number)?;
        let payload = json!({"type": event_type, "timestamp": iso(now), "delivery_id": id, member: value});
        tx.prepare_cached(
            "INSERT INTO deliveries (number, id, project, subscription, url, event_type, payload, state, created_at, due_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', ?8, ?8)",
        )?
        .execute((number, &id, project, subscription, url, event_type, payload.to_string(), now))?;
    }
    Ok(())
}
