//! Subscriptions to webhooks. The documents give no shapes: these are ours.

use serde_json::{Value, json};

use super::Call;
use crate::clock::iso;
use crate::refusal::{Refusal, Result};
use crate::webhooks::check_url;

/// `/wh/subscribe`: `url` → the subscription. It gets every event from now on.
pub(super) fn subscribe(call: &Call<'_>) -> Result<Value> {
    let url = call.fields().0.get("url").and_then(Value::as_str);
    let url = url.ok_or_else(|| Refusal::invalid("`url` has to be a string"))?;
    check_url(url, call.private_webhooks).map_err(|wrong| Refusal::invalid(format!("`url` {wrong}")))?;
    let count: u32 = call
        .tx
        .prepare_cached("SELECT count(*) FROM subscriptions WHERE project = ?1 AND ended_at IS NULL")?
        .query_row([call.project], |row| row.get(0))?;
    if count >= MOST_SUBSCRIPTIONS {
        let message = format!("a project has at most {MOST_SUBSCRIPTIONS} subscriptions: unsubscribe one first");
        return Err(Refusal::invalid(message));
    }
    let number = super::cards::next_number(call.tx, "subscriptions")?;
    let id = call.ids.id("sub", number)?;
    call.tx
        .prepare_cached("INSERT INTO subscriptions (number, id, project, url, created_at) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute((number, &id, call.project, url, call.now))?;
    Ok(shown(&id, url, call.now))
}

/// `/wh/unsubscribe`: `id` → nothing more is sent to it, not even what is under way.
pub(super) fn unsubscribe(call: &Call<'_>) -> Result<Value> {
    let id = call.fields().text("id")?;
    let removed = call
        .tx
        .prepare_cached("UPDATE subscriptions SET ended_at = ?3 WHERE project = ?1 AND id = ?2 AND ended_at IS NULL")?
        .execute((call.project, id, call.now))?;
    if removed == 0 {
        return Err(Refusal::invalid("there is no subscription with this `id`"));
    }
    call.tx
        .prepare_cached(
            "UPDATE deliveries SET state = 'cancelled', due_at = NULL WHERE subscription = ?1 AND state = 'pending'",
        )?
        .execute([id])?;
    Ok(json!({"success": true}))
}

/// `/wh/subscriptions` → all of them.
pub(super) fn subscriptions(call: &Call<'_>) -> Result<Value> {
    let mut rows = call.tx.prepare_cached(
        "SELECT id, url, created_at FROM subscriptions WHERE project = ?1 AND ended_at IS NULL ORDER BY number",
    )?;
    let all = rows.query_map([call.project], |row| {
        Ok(shown(&row.get::<_, String>(0)?, &row.get::<_, String>(1)?, row.get(2)?))
    })?;
    Ok(json!({"subscriptions": all.collect::<rusqlite::Result<Vec<_>>>()?}))
}

fn shown(id: &str, url: &str, created_at: i64) -> Value {
    json!({"id": id, "url": url, "created_at": iso(created_at)})
}

const MOST_SUBSCRIPTIONS: u32 = 16;
