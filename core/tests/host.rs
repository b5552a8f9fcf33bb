//! What the core offers to bindings whose host keeps time and randomness: the calls on a `Host`, and clocks that share.

#![cfg(all(feature = "std", feature = "serde"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::cell::Cell;

use cardseal::binding::{self, Placed};
use cardseal::hazmat::{self, Host, Nonce};
use cardseal::{Clock, Envelope, Error, ErrorCode, RequestOptions, Timestamp};

/// Counts what is asked of it.
#[derive(Default)]
struct Counting {
    stamps: Cell<u64>,
    nonces: Cell<u8>,
    is_dry: bool,
}

impl Host for Counting {
    fn stamp(&self) -> Result<Timestamp, Error> {
        self.stamps.set(self.stamps.get() + 1);
        Timestamp::from_micros(1_700_000_000_000_000 + self.stamps.get())
    }

    fn nonce(&self) -> Result<Nonce, Error> {
        self.nonces.set(self.nonces.get() + 1);
        if self.is_dry { Err(Error::new(ErrorCode::EntropyUnavailable, "dry")) } else { Ok([self.nonces.get(); 24]) }
    }
}

fn envelope() -> Envelope {
    Envelope::new("your_api_secret_key_here").unwrap()
}

#[test]
fn a_host_is_asked_for_time_only_where_a_stamp_is_made_and_for_a_nonce_only_where_something_is_sealed() {
    let (host, envelope) = (Counting::default(), envelope());
    let options = RequestOptions::new("key_1");
    let asked = || (host.stamps.get(), host.nonces.get());

    assert_eq!(hazmat::seal_json_on(&host, &envelope, "[]").unwrap_err().code(), "invalid_payload");
    assert_eq!(hazmat::seal_response_json_on(&host, &envelope, "").unwrap_err().code(), "invalid_payload");
    assert_eq!(hazmat::seal_webhook_json_on(&host, &envelope, "1").unwrap_err().code(), "invalid_payload");
    let refused = hazmat::seal_request_json_on(&host, &envelope, "/cards/topup", "{}", &options).unwrap_err();
    assert_eq!((refused.code(), asked()), ("idempotency_key_required", (0, 0)));

    hazmat::seal_json_on(&host, &envelope, r#"{"request_timestamp":5}"#).unwrap();
    hazmat::seal_response_json_on(&host, &envelope, "[]").unwrap();
    hazmat::seal_webhook_json_on(&host, &envelope, "{}").unwrap();
    assert_eq!(asked(), (0, 3));
    let stamped = hazmat::seal_json_on(&host, &envelope, "{}").unwrap();
    assert_eq!(&*envelope.open_json(&stamped).unwrap(), r#"{"request_timestamp":1700000000000001}"#);
    let request = hazmat::seal_request_json_on(&host, &envelope, "/cards/get", "{}", &options).unwrap();
    assert_eq!((request.timestamp.as_micros(), request.nonce), (1_700_000_000_000_002, [5; 24]));

    let dry = Counting { is_dry: true, ..Counting::default() };
    assert_eq!(hazmat::seal_json_on(&dry, &envelope, "{}").unwrap_err().code(), "entropy_unavailable");
}

#[test]
fn a_text_is_sealed_where_it_stands_as_it_is_elsewhere() {
    let envelope = envelope();
    // Below and beyond what is encoded at once, with every length of its last group.
    for length in (0..300).chain(3_000..3_200).chain([6_143, 9_216, 100_000]) {
        let json = format!(" \t{{\"note\":\"{}\"}}\r\n", "é".repeat(length / 2) + &"x".repeat(length % 2));
        for ahead in [0, length / 3, length] {
            let placed = || {
                let start = Placed::ROOM + ahead;
                Placed::new("\0".repeat(start) + &json, start)
            };
            let host = Counting::default;
            let stamped = binding::seal_on(&host(), &envelope, placed()).unwrap().into_body_in_place();
            assert_eq!(stamped, binding::seal_on(&host(), &envelope, &*json).unwrap().into_body().into_bytes());
            let as_it_is = binding::seal_response_on(&host(), &envelope, placed()).unwrap().into_body_in_place();
            let elsewhere = binding::seal_response_on(&host(), &envelope, &*json).unwrap().into_body();
            assert_eq!(as_it_is, elsewhere.into_bytes(), "{length} {ahead}");
        }
    }
}

#[test]
fn a_text_without_room_before_it_is_not_sealed() {
    let host = Counting::default();
    let placed = Placed::new(String::from("{}"), 0);
    assert_eq!(binding::seal_on(&host, &envelope(), placed).unwrap_err().code(), "too_large");
    let beyond = Placed::new(String::from("{}"), 3);
    assert_eq!(binding::seal_on(&host, &envelope(), beyond).unwrap_err().code(), "invalid_payload");
}

#[test]
fn clocks_that_share_a_cell_never_give_the_same_stamp() {
    let (mut one, mut other, mut cell) = (Clock::new(), Clock::new(), [0.0; 2]);
    let wall = 1_700_000_000_000_000;
    let stamps: Vec<u64> = (0..6)
        .map(|turn| if turn % 2 == 0 { &mut one } else { &mut other }.next_shared(&mut cell, wall).unwrap().as_micros())
        .collect();
    assert_eq!(stamps, (1_700_000_000_000_000..1_700_000_000_000_006).collect::<Vec<_>>());
    assert_eq!(cell, [1_700_000_000_000_005.0, 1_700_000_000_000_000.0]);
}

#[test]
fn a_cell_that_cannot_be_true_is_dropped_and_written_anew() {
    let wall = 1_700_000_000_000_000;
    for nonsense in [[f64::NAN, 0.0], [-1.0, 0.0], [1_700_000_000_000_001.5, 1.0], [f64::INFINITY; 2], [9e15, 1.0]] {
        let mut cell = nonsense;
        let stamp = Clock::new().next_shared(&mut cell, wall).unwrap();
        assert_eq!((stamp.as_micros(), cell), (1_700_000_000_000_000, [1_700_000_000_000_000.0; 2]), "{nonsense:?}");
    }
}

#[test]
fn the_clock_of_the_process_follows_a_cell_that_is_ahead_and_writes_what_it_gave() {
    let before = Timestamp::now().unwrap().as_micros();
    let mut cell = [(before + 1_000_000) as f64, before as f64];
    let stamp = Timestamp::now_shared(&mut cell).unwrap().as_micros();
    assert!(stamp > before + 1_000_000 && cell[0] == stamp as f64, "{stamp} {cell:?}");
    assert!(Timestamp::now().unwrap().as_micros() > stamp);
}
