//! One adapter under one fault.

use std::collections::{HashMap, HashSet};

use cardseal::{Envelope, IdempotencyKey, RequestOptions};
use cardseal_server::{Options, Sandbox};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::driver::{Account, Command};
use crate::exchange::{Call, Kind, calls, on_the_wire};
use crate::fault::Fault;
use crate::proxy::{Proxy, Seen};

/// What happened in it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Cell {
    fired: usize,
    /// Bodies that went over the wire a second time.
    pub(crate) identical: usize,
    /// Bodies that the proxy sent twice, and that were accepted twice.
    replayed: usize,
    nested: usize,
    /// Charges beyond one for each key.
    double_charged: usize,
    /// Orders that were acknowledged and are not there.
    lost: usize,
    /// Keyed and read calls that did not end well.
    failed: usize,
    /// Unsafe calls that came more than once.
    pub(crate) unsafe_repeated: usize,
    /// Unsafe calls that were hit, may have been executed, and did not end with `outcome_unknown`.
    untold: usize,
    /// Keyed calls that came under more than one key, or another than the caller's.
    rekeyed: usize,
    /// Anything else that may not be.
    broken: usize,
    example: Option<String>,
}

impl Cell {
    pub(crate) const HEAD: &str = "\
| adapter | fault | fired | identical bodies | nested seals | double charges | lost orders | failed keyed, read | unsafe repeated | not told | other key | other |
|---|---|---|---|---|---|---|---|---|---|---|---|";

    pub(crate) fn row(&self, adapter: &str, fault: Fault) -> String {
        let Self {
            fired,
            identical,
            replayed: _,
            nested,
            double_charged,
            lost,
            failed,
            unsafe_repeated,
            untold,
            rekeyed,
            broken,
            example: _,
        } = self;
        let fault = fault.name();
        format!(
            "| {adapter} | {fault} | {fired} | {identical} | {nested} | {double_charged} | {lost} | {failed} | {unsafe_repeated} | {untold} | {rekeyed} | {broken} |"
        )
    }

    /// The promises that were not kept.
    pub(crate) fn broken(&self) -> Vec<String> {
        let promises = [
            (self.identical, "identical bodies"),
            (self.replayed, "replays accepted"),
            (self.nested, "nested seals"),
            (self.double_charged, "double charges"),
            (self.lost, "lost orders"),
            (self.failed, "keyed or read calls failed"),
            (self.unsafe_repeated, "unsafe calls were sent again"),
            (self.untold, "unsafe calls ended without a word about their outcome"),
            (self.rekeyed, "keyed calls under another key"),
            (self.broken, "requests or answers that make no sense"),
            (LEAST_FAULTS.saturating_sub(self.fired), "faults too few"),
        ];
        let example = self.example.as_deref().unwrap_or_default();
        promises
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what} {example}"))
            .collect()
    }

    fn other(&mut self, what: String) {
        self.broken += 1;
        self.example.get_or_insert(what);
    }
}

const LEAST_FAULTS: usize = 50;

/// Runs an adapter's driver against a server of its own, with a proxy between that has one fault.
pub(crate) async fn run(command: &Command, fault: Fault) -> Cell {
    let mut options = Options::default();
    options.balance = "1000000.00".to_owned();
    options.step_millis = 0;
    let sandbox = Sandbox::start(options).await.unwrap();
    let card_id = active_card(&sandbox).await;
    let charges_before = charges(&sandbox).await;
    let address = sandbox.url().strip_prefix("http://").unwrap().parse().unwrap();
    let proxy = Proxy::start(address, sandbox.secret(), fault).await;
    let account =
        Account { url: proxy.url.clone(), api_key: sandbox.api_key().to_owned(), secret: sandbox.secret().to_owned() };
    let calls = calls(&card_id);
    let ended = command.run(&account, &calls).await;
    let seen = proxy.seen();
    let Seen { fired, identical, replayed, nested, .. } = seen;
    let mut cell = Cell { fired, identical, replayed, nested, ..Cell::default() };
    for broken in &seen.broken {
        cell.other(broken.clone());
    }
    judge(&mut cell, fault, &calls, &ended, &seen);
    let acknowledged: Vec<&Value> =
        ended.values().map(|outcome| &outcome["ok"]["order_id"]).filter(|id| id.is_string()).collect();
    let orders = sandbox.control().orders().await.unwrap();
    let known: HashSet<&Value> = orders.as_array().unwrap().iter().map(|order| &order["order_id"]).collect();
    cell.lost = acknowledged.iter().filter(|id| !known.contains(**id)).count();
    let distinct = acknowledged.iter().collect::<HashSet<_>>().len();
    cell.lost += acknowledged.len() - distinct; // two keys, one order
    let keys: HashSet<&String> = seen.keys.values().flatten().collect();
    cell.double_charged = (charges(&sandbox).await - charges_before).saturating_sub(keys.len());
    sandbox.stop().await;
    cell
}

fn judge(cell: &mut Cell, fault: Fault, calls: &[Call], ended: &HashMap<usize, Value>, seen: &Seen) {
    for call in calls {
        let attempts = seen.attempts.get(&call.id).copied().unwrap_or_default();
        let Some(outcome) = ended.get(&call.id) else {
            cell.other(format!("call {} has no end", call.id));
            continue;
        };
        let is_ok = outcome["ok"].is_object();
        match call.kind {
            Kind::Keyed | Kind::Read => {
                if !is_ok {
                    cell.failed += 1;
                    cell.example.get_or_insert(outcome.to_string());
                }
                let keys = seen.keys.get(&call.id);
                let expected = call.idempotency_key.clone().map(|key| HashSet::from([key]));
                cell.rekeyed += usize::from(call.kind == Kind::Keyed && keys != expected.as_ref());
            }
            Kind::Unsafe => {
                cell.unsafe_repeated += usize::from(attempts > 1);
                // A connection that was dropped while idle may be noticed in time, or too late: both are right.
                let was_hit = call.id.is_multiple_of(fault.every()) && fault != Fault::DropIdle;
                let is_told = outcome["error"] == "outcome_unknown";
                let is_right = if fault == Fault::DropIdle {
                    is_ok || is_told
                } else if was_hit {
                    is_told
                } else {
                    is_ok
                };
                if !is_right {
                    cell.untold += 1;
                    cell.example.get_or_insert(outcome.to_string());
                }
            }
        }
    }
}

/// How many charges there have been.
pub(crate) async fn charges(sandbox: &Sandbox) -> usize {
    let ledger = sandbox.control().ledger().await.unwrap();
    ledger.as_array().unwrap().iter().filter(|entry| entry["kind"] == "charge").count()
}

/// A card that can be topped up.
pub(crate) async fn active_card(sandbox: &Sandbox) -> Value {
    let user = json!({"external_user_id": "user-1"});
    call(sandbox, "/users/create", &user).await;
    let holder = json!({
        "external_user_id": "user-1", "subprovider_code": "sandbox", "first_name": "Ada", "last_name": "Lovelace",
        "birth_date": "1990-12-10", "email": "ada@example.com", "phone_number_full": "+4915112345678", "country_iso": "DE",
    });
    call(sandbox, "/cardholders/create", &holder).await;
    let card = json!({"external_user_id": "user-1", "product_code": "virtual_usd", "amount": "10.00"});
    let order = call(sandbox, "/cards/create", &card).await;
    sandbox.control().settle().await.unwrap();
    order["card_id"].clone()
}

/// Calls the server itself, past the proxy.
async fn call(sandbox: &Sandbox, path: &str, payload: &Value) -> Value {
    let envelope = Envelope::new(sandbox.secret()).unwrap();
    let key = IdempotencyKey::generate().unwrap();
    let options = RequestOptions::new(sandbox.api_key()).idempotency_key(key.as_str());
    let request = envelope.seal_request(path, payload, &options).unwrap();
    let mut stream = TcpStream::connect(sandbox.url().strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(on_the_wire(&request).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    envelope.open(body.as_bytes()).unwrap()
}
