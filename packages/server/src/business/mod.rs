//! What the endpoints do once a request is authentic, fresh and in form.
//!
//! All of it runs within one transaction. A refusal leaves nothing behind but the replay claims.

mod cardholders;
mod cards;
mod fields;
mod orders;
mod users;
mod wallet;
mod webhooks;

use cardseal::IdempotencyKey;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::{Map, Value};

use crate::ids::Ids;
use crate::orders::Order;
use crate::refusal::{Refusal, Result};
use fields::Fields;

pub(crate) use wallet::{credit, ledger};

/// A request and what it may touch.
pub(crate) struct Call<'c> {
    pub(crate) tx: &'c Connection,
    pub(crate) ids: Ids,
    /// The server's clock, in microseconds.
    pub(crate) now: i64,
    /// How long an order rests between two steps, in microseconds.
    pub(crate) step_micros: i64,
    pub(crate) project: i64,
    /// Whether webhooks may go to loopback and private addresses.
    pub(crate) private_webhooks: bool,
    pub(crate) payload: &'c Map<String, Value>,
    pub(crate) idempotency: Option<Idempotency>,
}

/// What makes a request run once.
pub(crate) struct Idempotency {
    pub(crate) key: IdempotencyKey,
    pub(crate) fingerprint: String,
}

impl<'c> Call<'c> {
    fn fields(&self) -> Fields<'c> {
        Fields(self.payload)
    }
}

/// Performs the endpoint at a normalised path; `None` where there is no endpoint.
pub(crate) fn perform(path: &str, call: &Call<'_>) -> Option<Result<Value>> {
    Some(match path {
        "/api/v1/project/wallet/trc20" => wallet::address(call),
        "/api/v1/project/balance" => wallet::balance(call),
        "/api/v1/users/create" => users::create(call),
        "/api/v1/cardholders/create" => cardholders::create(call),
        "/api/v1/cards/products" => cards::products(),
        "/api/v1/cards/create" => once(call, cards::create),
        "/api/v1/cards/topup" => once(call, cards::topup),
        "/api/v1/cards/get" => cards::get(call),
        "/api/v1/cards/freeze" => cards::freeze(call),
        "/api/v1/cards/unfreeze" => cards::unfreeze(call),
        "/api/v1/orders/check" => orders::check(call),
        "/api/v1/wh/subscribe" => webhooks::subscribe(call),
        "/api/v1/wh/unsubscribe" => webhooks::unsubscribe(call),
        "/api/v1/wh/subscriptions" => webhooks::subscriptions(call),
        _ => return None,
    })
}

/// Creates an order, or gives the one that the same key has created (protocol: overview, idempotency).
///
/// The claim of the key comes first and is unique, so that of two requests at once one alone goes on. It is looked up
/// before any business rule; a refusal takes it back with everything else.
fn once(call: &Call<'_>, create: fn(&Call<'_>) -> Result<i64>) -> Result<Value> {
    let Some(Idempotency { key, fingerprint }) = &call.idempotency else {
        let message = "this call charges money: send the header Idempotency-Key, the same with every retry";
        return Err(Refusal::new("idempotency_key_required", message));
    };
    let row = (call.project, key.as_str());
    let claimed = call
        .tx
        .prepare_cached("INSERT OR IGNORE INTO idempotency (project, key, fingerprint) VALUES (?1, ?2, ?3)")?
        .execute((row.0, row.1, fingerprint))?;
    if claimed == 1 {
        let number = create(call)?;
        call.tx
            .prepare_cached("UPDATE idempotency SET order_number = ?3 WHERE project = ?1 AND key = ?2")?
            .execute((row.0, row.1, number))?;
        return orders::shown(&Order::read(call.tx, number)?);
    }
    let known: Option<(String, i64)> = call
        .tx
        .prepare_cached("SELECT fingerprint, order_number FROM idempotency WHERE project = ?1 AND key = ?2")?
        .query_row(row, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match known {
        Some((known, number)) if known == *fingerprint => orders::shown(&Order::read(call.tx, number)?),
        Some(_) => Err(Refusal::invalid(
            "this Idempotency-Key belongs to another request: nothing was charged; make a new key for a new request",
        )),
        None => Err(Refusal::internal("an idempotency key is there and is not")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_of_the_protocol_is_served() {
        let tx = Connection::open_in_memory().unwrap();
        let payload = Map::new();
        for endpoint in cardseal::ENDPOINTS {
            let call = Call {
                tx: &tx,
                ids: Ids { seed: None },
                now: 0,
                step_micros: 0,
                project: 1,
                private_webhooks: false,
                payload: &payload,
                idempotency: None,
            };
            assert!(perform(endpoint.path, &call).is_some(), "{}", endpoint.path);
        }
    }
}
