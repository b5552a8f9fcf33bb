//! An audit of the state's file that shares no code with the server: whole cents, its own sums, the raw rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;

/// What a client knows to have happened: the order that a key was answered with, and what it costs in cents.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) order_id: String,
    pub(crate) cents: i64,
}

/// Checks that the rows say the same as the client: one order and one charge for each key, and nothing besides.
///
/// # Errors
/// What does not add up.
pub(crate) fn audit(file: &Path, opening_cents: i64, known: &BTreeMap<String, Known>) -> Result<(), String> {
    let state = Connection::open(file).map_err(|error| error.to_string())?;
    let rows = |query: &str| -> Vec<Vec<String>> {
        let mut statement = state.prepare(query).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    };
    let mut orders: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows("SELECT id, charged FROM orders") {
        orders.insert(row[0].clone(), cents(&row[1])?);
    }
    let mut charges: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut balance = opening_cents;
    for row in rows("SELECT kind, order_id, amount, balance FROM ledger ORDER BY number") {
        let amount = cents(&row[2])?;
        balance += amount;
        if balance != cents(&row[3])? {
            return Err(format!("the ledger does not add up at {row:?}"));
        }
        match row[0].as_str() {
            "charge" => charges.entry(row[1].clone()).or_default().push(-amount),
            other => return Err(format!("an entry of kind {other} that nobody asked for")),
        }
    }
    let wallet = rows("SELECT balance FROM projects");
    if cents(&wallet[0][0])? != balance {
        return Err(format!("the wallet holds {}, the ledger says {balance} cents", wallet[0][0]));
    }
    for (id, cost) in &orders {
        if charges.get(id) != Some(&vec![*cost]) {
            return Err(format!("order {id} costs {cost} cents and was charged {:?}", charges.get(id)));
        }
    }
    let answered: BTreeSet<&String> = known.values().map(|known| &known.order_id).collect();
    if answered.len() != known.len() {
        return Err("two keys have one order".to_owned());
    }
    for (key, Known { order_id, cents }) in known {
        match orders.get(order_id) {
            None => return Err(format!("the acknowledged order {order_id} of the key {key} is lost")),
            Some(cost) if cost != cents => return Err(format!("order {order_id} costs {cost} cents, not {cents}")),
            Some(_) => {}
        }
    }
    match orders.keys().find(|id| !answered.contains(id)) {
        Some(id) => Err(format!("double charge: nobody has been told of order {id}")),
        None => Ok(()),
    }
}

fn cents(text: &str) -> Result<i64, String> {
    let (whole, fraction) = text.split_once('.').ok_or_else(|| format!("{text} is no amount"))?;
    let digits: i64 = format!("{whole}{fraction}").parse().map_err(|_| format!("{text} is no amount"))?;
    if fraction.len() == 2 { Ok(digits) } else { Err(format!("{text} has not two places")) }
}
