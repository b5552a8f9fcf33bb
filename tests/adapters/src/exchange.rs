//! The calls of a cell.

use cardseal::SealedRequest;
use serde_json::{Value, json};

/// A call that a driver makes.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: usize,
    pub(crate) kind: Kind,
    path: &'static str,
    payload: Value,
    pub(crate) idempotency_key: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Keyed,
    Read,
    Unsafe,
}

const KEYED: usize = 200;
const READS: usize = 100;
const UNSAFE: usize = 40;

/// Top-ups of a card, questions after it, and new users, in turns.
pub(crate) fn calls(card_id: &Value) -> Vec<Call> {
    let kinds = [(Kind::Keyed, KEYED), (Kind::Read, READS), (Kind::Unsafe, UNSAFE)];
    let all = kinds.into_iter().flat_map(|(kind, count)| std::iter::repeat_n(kind, count));
    all.enumerate().map(|(id, kind)| call(id, kind, card_id)).collect()
}

/// A call of a kind.
pub(crate) fn call(id: usize, kind: Kind, card_id: &Value) -> Call {
    let (path, mut payload) = match kind {
        Kind::Keyed => ("/cards/topup", json!({"card_id": card_id, "amount": "20.00"})),
        Kind::Read => ("/cards/get", json!({"card_id": card_id})),
        Kind::Unsafe => ("/users/create", json!({"external_user_id": format!("user-of-call-{id}")})),
    };
    payload[MARK] = id.into();
    let idempotency_key = (kind == Kind::Keyed).then(|| format!("topup-{id}"));
    Call { id, kind, path, payload, idempotency_key }
}

/// The member by which the proxy knows a call, under whatever key or envelope; the server takes no notice of it.
pub(crate) const MARK: &str = "call_id";

impl Call {
    pub(crate) fn line(&self) -> Value {
        let Self { id, kind: _, path, payload, idempotency_key } = self;
        json!({"id": id, "path": path, "payload": payload, "idempotency_key": idempotency_key})
    }
}

/// A sealed request as it goes over the wire.
pub(crate) fn on_the_wire(request: &SealedRequest) -> String {
    let SealedRequest { path, headers, body, .. } = request;
    let length = body.len();
    let mut text = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    text.extend(["\r\n", body]);
    text
}
