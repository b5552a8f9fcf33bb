//! A project's wallet and its ledger.

use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

use super::Call;
use crate::money::{Money, WALLET_CURRENCY};
use crate::refusal::{Refusal, Result};

/// `/project/wallet/trc20` → where to send USDT to. Nobody owns this address: the control plane funds the wallet.
pub(super) fn address(call: &Call<'_>) -> Result<Value> {
    let mut wallet = call.tx.prepare_cached("SELECT wallet FROM projects WHERE id = ?1")?;
    Ok(json!({"usdt_trc20": wallet.query_row([call.project], |row| row.get::<_, String>(0))?}))
}

#[derive(Serialize)]
struct Balance {
    available: Money,
    currency: &'static str,
}

/// `/project/balance` → what is available.
pub(super) fn balance(call: &Call<'_>) -> Result<Value> {
    let available = read(call.tx, call.project)?;
    Ok(serde_json::to_value(Balance { available, currency: WALLET_CURRENCY })?)
}

/// Takes an amount from the wallet, and gives the balance before and after.
pub(super) fn charge(call: &Call<'_>, amount: Money, order_id: &str) -> Result<(Money, Money)> {
    let before = read(call.tx, call.project)?;
    let Some(after) = before.minus(amount) else {
        let message = format!("this costs {amount} {WALLET_CURRENCY}, and the wallet holds {before}: top it up first");
        return Err(Refusal::new("insufficient_funds", message));
    };
    enter(call.tx, call.project, Entry { kind: "charge", order_id, amount: amount.negated(), after, at: call.now })?;
    Ok((before, after))
}

/// Puts an amount into a wallet: a `fund` from outside, or the `refund` of an order.
pub(crate) fn credit(
    tx: &Connection,
    project: i64,
    kind: &str,
    order_id: &str,
    amount: Money,
    at: i64,
) -> Result<Money> {
    let after = read(tx, project)?.plus(amount);
    enter(tx, project, Entry { kind, order_id, amount, after, at })?;
    Ok(after)
}

struct Entry<'e> {
    kind: &'e str,
    order_id: &'e str,
    amount: Money,
    after: Money,
    at: i64,
}

/// The one place that changes a balance, so that the ledger always adds up to it.
fn enter(tx: &Connection, project: i64, entry: Entry<'_>) -> Result<()> {
    let Entry { kind, order_id, amount, after, at } = entry;
    tx.prepare_cached("UPDATE projects SET balance = ?2 WHERE id = ?1")?.execute((project, after))?;
    tx.prepare_cached(
        "INSERT INTO ledger (project, kind, order_id, amount, balance, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((project, kind, order_id, amount, after, at))?;
    Ok(())
}

fn read(tx: &Connection, project: i64) -> Result<Money> {
    Ok(tx.prepare_cached("SELECT balance FROM projects WHERE id = ?1")?.query_row([project], |row| row.get(0))?)
}

/// All entries of the ledger, for the control plane.
pub(crate) fn ledger(tx: &Connection) -> Result<Value> {
    let mut entries = tx.prepare_cached(
        "SELECT api_key, kind, order_id, amount, ledger.balance, at FROM ledger \
         JOIN projects ON projects.id = project ORDER BY number",
    )?;
    let rows = entries.query_map([], |row| {
        let (order_id, amount, balance): (Option<String>, Money, Money) = (row.get(2)?, row.get(3)?, row.get(4)?);
        Ok(json!({
            "api_key": row.get::<_, String>(0)?,
            "kind": row.get::<_, String>(1)?,
            "order_id": order_id.filter(|id| !id.is_empty()),
            "amount": amount,
            "balance": balance,
            "at": crate::clock::iso(row.get(5)?),
        }))
    })?;
    Ok(Value::Array(rows.collect::<rusqlite::Result<_>>()?))
}
