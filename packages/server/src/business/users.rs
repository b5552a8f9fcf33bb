//! Users of a project. The documents give no shapes: these are ours.

use rusqlite::OptionalExtension as _;
use serde::Serialize;
use serde_json::Value;

use super::Call;
use crate::clock::iso;
use crate::refusal::{Refusal, Result};

#[derive(Serialize)]
struct User<'u> {
    user_id: String,
    external_user_id: &'u str,
    created_at: String,
}

/// `/users/create`: `external_user_id` → the user.
pub(super) fn create(call: &Call<'_>) -> Result<Value> {
    let external_user_id = call.fields().external_user_id()?;
    let tx = call.tx;
    let number = super::cards::next_number(tx, "users")?;
    let user_id = call.ids.id("user", number)?;
    let created = tx
        .prepare_cached(
            "INSERT OR IGNORE INTO users (number, id, project, external_user_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute((number, &user_id, call.project, external_user_id, call.now))?;
    if created == 0 {
        return Err(Refusal::new("external_user_id_exists", "there is a user with this `external_user_id`"));
    }
    Ok(serde_json::to_value(User { user_id, external_user_id, created_at: iso(call.now) })?)
}

/// The number of the user that a request names.
pub(super) fn named(call: &Call<'_>) -> Result<i64> {
    let external_user_id = call.fields().external_user_id()?;
    let mut users = call.tx.prepare_cached("SELECT number FROM users WHERE project = ?1 AND external_user_id = ?2")?;
    let number = users.query_row((call.project, external_user_id), |row| row.get(0)).optional()?;
    number.ok_or_else(|| Refusal::new("user_not_found", "there is no user with this `external_user_id`"))
}
