//! The control plane: the clock, what the provider does wrong, what can be seen; in process and over HTTP.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cardseal::{Timestamp, hazmat};
use cardseal_server::{Options, Project, Sandbox};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, raw, send};

const BALANCE: &str = "/api/v1/project/balance";

/// A bench whose clock stands still and whose orders rest for a second.
async fn frozen() -> Bench {
    let bench = Bench::with(|options| options.step_millis = 1_000).await;
    bench.sandbox.control().freeze().await.unwrap();
    bench
}

async fn advance(bench: &Bench, by: Duration) {
    bench.sandbox.control().advance(by).await.unwrap();
}

const SECOND: Duration = Duration::from_secs(1);

/// Calls an endpoint at the server's time, wherever that is; a refusal is its slug.
async fn call(bench: &Bench, path: &str, mut payload: Value) -> Result<Value, String> {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    let number = CALLS.fetch_add(1, Relaxed);
    let now = bench.sandbox.control().now_micros().unwrap();
    payload["request_timestamp"] = (now - number).into(); // a claim each, while the clock stands still
    let body = bench.envelope.seal(&payload).unwrap();
    let key = format!("key-{number}");
    let mut headers = bench.headers();
    headers.push(("Idempotency-Key", &key));
    let answer = bench.post(&format!("/api/v1{path}"), &headers, body.as_bytes()).await.unwrap();
    let opened: Value = bench.envelope.open(&answer.body).unwrap();
    if answer.status == 200 { Ok(opened) } else { Err(opened["error_slug"].as_str().unwrap().to_owned()) }
}

/// Orders a card for a new cardholder, and gives the order.
async fn issue(bench: &Bench, user: &str, amount: &str) -> Value {
    bench.cardholder(user).await;
    let payload = json!({"product_code": "virtual_usd", "external_user_id": user, "amount": amount});
    call(bench, "/cards/create", payload).await.unwrap()
}

/// An active card, with the clock as far on as that takes.
async fn card(bench: &Bench, user: &str) -> Value {
    let order = issue(bench, user, "10.00").await;
    advance(bench, 10 * SECOND).await;
    order["card_id"].clone()
}

async fn topup(bench: &Bench, card_id: &Value, amount: &str) -> Result<Value, String> {
    call(bench, "/cards/topup", json!({"card_id": card_id, "amount": amount})).await
}

async fn order(bench: &Bench, order: &Value) -> Value {
    let orders = bench.sandbox.control().orders().await.unwrap();
    let orders = orders.as_array().unwrap().iter();
    orders.clone().find(|known| known["order_id"] == order["order_id"]).unwrap().clone()
}

/// The order's status, and how far it has come at the provider, now and after each second until it has ended.
async fn passed(bench: &Bench, created: &Value) -> Vec<String> {
    let mut passed = Vec::new();
    loop {
        let order = order(bench, created).await;
        let step = order.get("topup_status").or(order.get("issue_status")).unwrap();
        passed.push(format!("{} {}", order["status"].as_str().unwrap(), step.as_str().unwrap()));
        if order["status"] == "completed" || order["status"] == "failed" {
            return passed;
        }
        advance(bench, SECOND).await;
    }
}

fn at(micros: u64, seconds: u64) -> String {
    let micros = i128::from(micros + seconds * 1_000_000);
    let time = time::OffsetDateTime::from_unix_timestamp_nanos(micros / 1_000 * 1_000_000).unwrap();
    time.format(&time::format_description::well_known::Rfc3339).unwrap()
}

fn cents(amount: &Value) -> i64 {
    let (whole, fraction) = amount.as_str().unwrap().split_once('.').unwrap();
    assert_eq!(fraction.len(), 2, "{amount}");
    format!("{whole}{fraction}").parse().unwrap()
}

#[tokio::test]
async fn the_window_has_its_edges_on_both_sides() {
    let bench = frozen().await;
    let now = bench.sandbox.control().now_micros().unwrap();
    let cases = [(29_900_000, true), (30_000_000, true), (30_000_001, false), (30_100_000, false)];
    for (number, (micros, is_within)) in cases.into_iter().enumerate() {
        for (side, stamp) in [(0, now - micros), (1, now + micros)] {
            let nonce = [u8::try_from(2 * number + side).unwrap(); 24];
            let stamp = Timestamp::from_micros(stamp).unwrap();
            let body = hazmat::seal_json(&bench.envelope, "{}", stamp, &nonce).unwrap();
            let answer = bench.post(BALANCE, &bench.headers(), body.as_bytes()).await.unwrap();
            if is_within {
                assert_eq!(answer.status, 200, "{micros} {side}");
            } else {
                assert!(answer.text().contains("outside allowed window"), "{micros} {side}: {}", answer.text());
            }
        }
    }
}

#[tokio::test]
async fn orders_stand_still_with_the_clock_and_take_a_step_a_second() {
    let bench = frozen().await;
    let card_id = card(&bench, "user-1").await;
    let created = topup(&bench, &card_id, "20.00").await.unwrap();
    for (millis, status) in [(999, "new"), (1, "provider_in_progress"), (999, "provider_in_progress")] {
        advance(&bench, Duration::from_millis(millis)).await;
        bench.sandbox.control().settle().await.unwrap();
        assert_eq!(order(&bench, &created).await["topup_status"], status);
    }
    advance(&bench, Duration::from_millis(1)).await;
    let expected = ["processing provider_verification", "completed completed"];
    assert_eq!(passed(&bench, &created).await, expected);
}

#[tokio::test]
async fn one_long_advance_takes_every_step_at_its_own_time() {
    let bench = frozen().await;
    let card_id = card(&bench, "user-1").await;
    let start = bench.sandbox.control().now_micros().unwrap();
    let good = topup(&bench, &card_id, "20.00").await.unwrap();
    let bad = topup(&bench, &card_id, "20.44").await.unwrap();
    advance(&bench, Duration::from_secs(86_400)).await;
    assert_eq!(bench.sandbox.control().now_micros().unwrap(), start + 86_400_000_000);
    assert_eq!(order(&bench, &good).await["completed_at"], at(start, 3));
    assert_eq!(order(&bench, &bad).await["failed_at"], at(start, 7));
    let ledger = bench.sandbox.control().ledger().await.unwrap();
    let refund = ledger.as_array().unwrap().last().unwrap();
    assert_eq!((&refund["kind"], &refund["at"]), (&json!("refund"), &json!(at(start, 7))));
}

#[tokio::test]
async fn a_running_clock_is_advanced_by_exactly_as_much() {
    let bench = Bench::with(|options| options.step_millis = 1_000).await;
    let order_id = issue(&bench, "user-1", "10.00").await;
    advance(&bench, 12 * SECOND).await;
    assert_eq!(order(&bench, &order_id).await["status"], "completed");
    let state = bench.sandbox.control().state().await.unwrap();
    assert_eq!((&state["offset_millis"], &state["is_frozen"]), (&json!(12_000), &json!(false)));
}

#[tokio::test]
async fn a_clock_that_is_off_refuses_what_a_right_one_takes() {
    let bench = Bench::start().await;
    let control = bench.sandbox.control();
    for millis in [3_600_000, -3_600_000] {
        control.set_offset(millis).await.unwrap();
        assert_eq!(bench.refusal("/project/balance", json!({})).await, "timestamp_outside_window");
    }
    control.set_offset(0).await.unwrap();
    assert_eq!(bench.balance().await, "1000.00");
    control.freeze().await.unwrap();
    control.advance(3_600 * SECOND).await.unwrap();
    control.thaw().await.unwrap();
    assert_eq!(bench.refusal("/project/balance", json!({})).await, "timestamp_outside_window", "it runs on from there");
}

#[tokio::test]
async fn claims_end_by_the_clock_that_can_be_moved() {
    let bench = frozen().await;
    let control = bench.sandbox.control();
    let send = async |stamp: u64, nonce: u8| {
        let stamp = Timestamp::from_micros(stamp).unwrap();
        let body = hazmat::seal_json(&bench.envelope, "{}", stamp, &[nonce; 24]).unwrap();
        bench.post(BALANCE, &bench.headers(), body.as_bytes()).await.unwrap().text()
    };
    let now = control.now_micros().unwrap();
    assert!(send(now, 1).await.contains("encrypted"));
    assert!(send(now + 1, 1).await.contains("Duplicate"), "the nonce");
    advance(&bench, 71 * SECOND).await;
    assert!(send(now + 71_000_000, 1).await.contains("encrypted"), "forgotten after 70 s");
}

#[tokio::test]
async fn cents_of_a_top_up_choose_what_the_provider_does_wrong() {
    let (ok, fails) = ("completed completed", "failed failed");
    let [new, new_error] = ["new new", "processing new_error"];
    let [at_work, work_error] = ["processing provider_in_progress", "processing provider_in_progress_error"];
    let [check, check_error] = ["processing provider_verification", "processing provider_verification_error"];
    let cases: [(&str, &[&str]); 5] = [
        ("20.40", &[new, at_work, check, ok]),
        ("20.41", &[new, new_error, at_work, check, ok]),
        ("20.42", &[new, at_work, work_error, at_work, check, ok]),
        ("20.43", &[new, at_work, check, check_error, check, ok]),
        ("20.44", &[new, at_work, work_error, at_work, work_error, at_work, work_error, fails]),
    ];
    let bench = frozen().await;
    let card_id = card(&bench, "user-1").await;
    let before = bench.sandbox.control().ledger().await.unwrap().as_array().unwrap().len();
    for (amount, expected) in cases {
        let created = topup(&bench, &card_id, amount).await.unwrap();
        assert_eq!(passed(&bench, &created).await, expected, "{amount}");
        let order = order(&bench, &created).await;
        let slug = order.get("last_error_slug");
        assert_eq!(slug, (amount != "20.40").then(|| json!("provider_error")).as_ref(), "{amount}");
    }
    assert_adds_up(&bench, 100_000).await;
    let ledger = bench.sandbox.control().ledger().await.unwrap();
    let kinds: Vec<_> = ledger.as_array().unwrap()[before..].iter().map(|entry| entry["kind"].clone()).collect();
    assert_eq!(kinds, ["charge", "charge", "charge", "charge", "charge", "refund"]);
    // On the card is what came through: 10.00 and four times 20.40 to 20.43.
    assert_eq!(call(&bench, "/cards/get", json!({"card_id": card_id})).await.unwrap()["balance"], "91.66");
    // The wallet paid 1.5 % on each of these, and 5.00 for the card.
    assert_eq!(call(&bench, "/project/balance", json!({})).await.unwrap()["available"], "901.95");
}

#[tokio::test]
async fn cents_of_a_first_top_up_do_the_same_to_an_issue() {
    let (ok, fails) = ("completed completed", "failed initial_topup_error");
    let [new, create, created] =
        ["new card_create_pending", "activating card_create_pending", "activating card_create_done"];
    let create_error = "activating card_create_error";
    let [ask, ask_error] = ["activating initial_topup_pending", "activating initial_topup_error"];
    let [at_work, done] = ["activating initial_topup_in_progress", "activating initial_topup_done"];
    let check_error = "activating initial_topup_verify_error";
    let cases: [(&str, &[&str], &str); 5] = [
        ("20.40", &[new, created, ask, at_work, done, ok], "active"),
        ("20.41", &[new, create_error, create, created, ask, at_work, done, ok], "active"),
        ("20.42", &[new, created, ask, ask_error, ask, at_work, done, ok], "active"),
        ("20.43", &[new, created, ask, at_work, done, check_error, done, ok], "active"),
        ("20.44", &[new, created, ask, ask_error, ask, ask_error, ask, ask_error, fails], "closed"),
    ];
    let bench = Bench::with(|options| options.step_millis = 1_000).await;
    for (amount, expected, status) in cases {
        bench.sandbox.control().reset().await.unwrap();
        bench.sandbox.control().freeze().await.unwrap();
        let created = issue(&bench, "user-1", amount).await;
        assert_eq!(passed(&bench, &created).await, expected, "{amount}");
        let card = call(&bench, "/cards/get", json!({"card_id": created["card_id"]})).await.unwrap();
        assert_eq!(card["provider_card_status"], status, "{amount}");
        assert_eq!(card["balance"], if status == "active" { amount } else { "0.00" });
        assert_adds_up(&bench, 100_000).await;
    }
    let available = call(&bench, "/project/balance", json!({})).await.unwrap()["available"].clone();
    assert_eq!(available, "1000.00", "the last one failed: its fee came back too");
}

/// Each entry's balance is the one before and its amount, and the last is what the API says.
async fn assert_adds_up(bench: &Bench, opening_cents: i64) {
    let ledger = bench.sandbox.control().ledger().await.unwrap();
    let mut balance = opening_cents;
    for entry in ledger.as_array().unwrap() {
        balance += cents(&entry["amount"]);
        assert_eq!(cents(&entry["balance"]), balance, "{entry}");
        assert_eq!(cents(&entry["amount"]) < 0, entry["kind"] == "charge", "{entry}");
    }
    assert_eq!(cents(&call(bench, "/project/balance", json!({})).await.unwrap()["available"]), balance);
}

#[tokio::test]
async fn three_failed_top_ups_shut_a_card_for_an_hour() {
    let bench = frozen().await;
    let card_id = card(&bench, "user-1").await;
    for _ in 0..3 {
        topup(&bench, &card_id, "20.44").await.unwrap();
        advance(&bench, 10 * SECOND).await;
    }
    assert_eq!(topup(&bench, &card_id, "20.00").await.unwrap_err(), "topup_attempts_exceeded");
    // The first failed 23 s ago: 7 s after it was made.
    advance(&bench, Duration::from_secs(3_600 - 24)).await;
    assert_eq!(topup(&bench, &card_id, "20.00").await.unwrap_err(), "topup_attempts_exceeded");
    advance(&bench, SECOND).await;
    topup(&bench, &card_id, "20.00").await.unwrap();
}

#[tokio::test]
async fn a_reset_leaves_the_projects_alone() {
    let bench = Bench::start().await;
    let control = bench.sandbox.control();
    bench.active_card("user-1").await;
    control.fund("7.00", None).await.unwrap();
    bench.call("/wh/subscribe", json!({"url": "http://127.0.0.1:9/"})).await.unwrap();
    let body = bench.envelope.seal(&json!({})).unwrap();
    let send = async || bench.post(BALANCE, &bench.headers(), body.as_bytes()).await.unwrap().status;
    assert_eq!((send().await, send().await), (200, 400));
    control.set_offset(20_000).await.unwrap();
    control.add_faults([cardseal_server::FaultRule::new(cardseal_server::Fault::Html { status: 502 })]).unwrap();
    control.reset().await.unwrap();

    let state = control.state().await.unwrap();
    assert_eq!((&state["offset_millis"], &state["faults"], &state["requests"]), (&json!(0), &json!(0), &json!(0)));
    for (name, count) in state["counts"].as_object().unwrap() {
        assert_eq!(*count, u32::from(name == "projects"), "{name}");
    }
    assert_eq!(send().await, 200, "its claim is gone");
    assert_eq!(bench.balance().await, "1000.00");
    assert_eq!(
        bench.refusal("/cards/create", json!({"product_id": 1, "external_user_id": "user-1"})).await,
        "user_not_found"
    );
    bench.active_card("user-1").await;
}

#[tokio::test]
async fn a_reset_amid_traffic_ends() {
    let bench = Bench::with(|options| options.step_millis = 1).await;
    for round in 0..20 {
        let calls: Vec<_> = (0..8)
            .map(|number| {
                let client = bench.client.clone();
                tokio::spawn(async move {
                    let user = format!("user-{round}-{number}");
                    let _ = client.call("/users/create", json!({"external_user_id": user})).await;
                    let _ = client.call("/cards/products", json!({})).await;
                })
            })
            .collect();
        let control = bench.sandbox.control();
        let (advanced, reset, settled) = tokio::join!(control.advance(5 * SECOND), control.reset(), control.settle());
        assert_eq!((advanced, reset, settled), (Ok(()), Ok(()), Ok(())));
        for call in calls {
            call.await.unwrap();
        }
    }
}

#[tokio::test]
async fn money_goes_into_the_wallet_that_is_named() {
    let bench = Bench::with(|options| {
        options.projects = vec![Project::new("one", "the secret of one"), Project::new("two", "the secret of two")];
    })
    .await;
    let control = bench.sandbox.control();
    assert_eq!(control.fund("250", None).await.unwrap(), "1250.00");
    assert_eq!(control.fund("0.5", Some("two")).await.unwrap(), "1000.50");
    assert_eq!(control.fund("1.00", Some("three")).await.unwrap_err().code(), "project_not_found");
    for amount in ["", "0", "0.00", "-1", "1.001", "1e3", "ten", "1000000000"] {
        let error = control.fund(amount, None).await.unwrap_err();
        assert_eq!(error.code(), "invalid_amount", "{amount}");
        assert!(!error.to_string().contains('\n'));
    }
    let ledger = control.ledger().await.unwrap();
    let entries: Vec<_> =
        ledger.as_array().unwrap().iter().map(|entry| (&entry["api_key"], &entry["amount"])).collect();
    assert_eq!(entries, [(&json!("one"), &json!("250.00")), (&json!("two"), &json!("0.50"))]);
}

#[tokio::test]
async fn the_clock_goes_only_where_clocks_go() {
    let bench = Bench::start().await;
    let control = bench.sandbox.control();
    for years in [300, 1_000_000_000] {
        let far = Duration::from_secs(years * 31_557_600);
        assert_eq!(control.advance(far).await.unwrap_err().code(), "invalid_clock", "{years}");
    }
    for millis in [i64::MAX, i64::MIN, 8_000_000_000_000, -4_000_000_000_000] {
        assert_eq!(control.set_offset(millis).await.unwrap_err().code(), "invalid_clock", "{millis}");
    }
    assert_eq!(control.state().await.unwrap()["offset_millis"], 0);
}

#[tokio::test]
async fn the_journal_shows_what_came_and_why_it_was_refused() {
    let bench = Bench::start().await;
    assert_eq!(bench.balance().await, "1000.00");
    let control = bench.sandbox.control();
    assert_eq!(control.journal().unwrap(), json!([]), "kept from now on");

    let payload = json!({
        "external_user_id": "user-1", "cvv": "987", "card_number": "4111111111111111", "note": "5500 0000 0000 0004",
    });
    let body = bench.envelope.seal(&payload).unwrap();
    let mut headers = bench.headers();
    headers.push(("Idempotency-Key", "create-1"));
    let answer = bench.post("/api/v1/users/create", &headers, body.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 200);
    bench.post("/api/v1/users/create", &headers, body.as_bytes()).await.unwrap();
    bench.refusal("/users/create", json!({"external_user_id": "user-1"})).await;
    let stranger = cardseal::Envelope::new("a secret of somebody else").unwrap().seal(&json!({})).unwrap();
    bench.post(BALANCE, &bench.headers(), stranger.as_bytes()).await.unwrap();
    bench.post(BALANCE, &[], b"{}").await.unwrap();

    let journal = control.journal().unwrap();
    let verdicts: Vec<_> =
        journal.as_array().unwrap().iter().map(|entry| (&entry["status"], &entry["verdict"])).collect();
    assert_eq!(
        json!(verdicts),
        json!([
            [200, "ok"],
            [400, "duplicate_request"],
            [409, "external_user_id_exists"],
            [400, "decryption_failed"],
            [404, "api_key_not_found"],
        ])
    );
    let first = &journal[0];
    assert_eq!((&first["method"], &first["path"]), (&json!("POST"), &json!("/api/v1/users/create")));
    assert_eq!(first["body_sha256"], sha256(body.as_bytes()));
    assert_eq!(first["idempotency_key"], "create-1");
    assert_eq!(first["payload"]["external_user_id"], "user-1");
    for name in ["cvv", "card_number", "note"] {
        assert_eq!(first["payload"][name], "***", "{name}");
    }
    assert!(first["payload"]["request_timestamp"].is_u64());
    assert!(journal[1]["why"].as_str().unwrap().contains("received before"), "{journal}");
    assert!(journal[2]["why"].as_str().unwrap().contains("`external_user_id`"), "{journal}");
    assert_eq!(journal[3]["body_sha256"], sha256(stranger.as_bytes()), "what does not open has a hash too");
    assert_eq!(journal[3].get("payload"), None);
    let text = journal.to_string();
    for hidden in [bench.sandbox.secret(), "987", "4111", "5500"] {
        // A hash or a time may have three digits in a row by chance: they are looked for as values.
        assert!(!text.contains(&format!("\"{hidden}")), "{hidden}");
    }
    assert!(!text.contains(bench.sandbox.secret()));
    control.clear_journal();
    assert_eq!(control.journal().unwrap(), json!([]));
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn nothing_shows_a_secret_or_the_token() {
    let plane = Plane::start().await;
    let shown = format!("{:?} {:?}", plane.bench.sandbox, plane.bench.sandbox.control());
    assert!(!shown.contains(&plane.token) && !shown.contains(plane.bench.sandbox.secret()), "{shown}");
}

/// The control plane over HTTP.
struct Plane {
    bench: Bench,
    address: SocketAddr,
    token: String,
}

impl Plane {
    async fn start() -> Self {
        let bench = Bench::with(|options| options.control = Some(([127, 0, 0, 1], 0).into())).await;
        let (url, token) = bench.sandbox.control_plane().unwrap();
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        let token = token.to_owned();
        Self { bench, address, token }
    }

    async fn send(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let authorization = format!("Bearer {}", self.token);
        json_of(send(self.address, method, path, &[("Authorization", &authorization)], body.as_bytes()).await)
    }

    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = self.send(method, path, &body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// Sends a head of its own.
    async fn raw(&self, target: &str, headers: &str) -> (u16, Value) {
        let request = format!("GET {target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        json_of(raw(self.address, request.as_bytes()).await)
    }
}

fn json_of(answer: Option<Answer>) -> (u16, Value) {
    let answer = answer.expect("an answer");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), None);
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[tokio::test]
async fn every_route_does_what_it_says() {
    let plane = Plane::start().await;
    let Plane { bench, .. } = &plane;
    let state = plane.ok("POST", "/control/clock", json!({"freeze": true})).await;
    assert_eq!(state["is_frozen"], true);
    let now = state["now_micros"].as_u64().unwrap();
    let state = plane.ok("POST", "/control/clock", json!({"advance_millis": 1_500})).await;
    assert_eq!(state["now_micros"], now + 1_500_000);
    let state = plane.ok("POST", "/control/clock", json!({"thaw": true})).await;
    assert_eq!(state["is_frozen"], false);
    let state = plane.ok("POST", "/control/clock", json!({"offset_millis": -2_000})).await;
    assert_eq!(state["offset_millis"], -2_000);

    bench.active_card("user-1").await;
    assert_eq!(plane.ok("POST", "/control/settle", Value::Null).await, json!({"done": true}));
    let balance = plane.ok("POST", "/control/fund", json!({"amount": "15.15"})).await;
    assert_eq!(balance, json!({"balance": "1000.00"}));
    let api_key = &bench.api_key;
    let balance = plane.ok("POST", "/control/fund", json!({"amount": "1", "api_key": api_key})).await;
    assert_eq!(balance, json!({"balance": "1001.00"}));
    let orders = plane.ok("GET", "/control/orders", Value::Null).await;
    assert_eq!(orders["orders"][0]["status"], "completed");
    let ledger = plane.ok("GET", "/control/ledger", Value::Null).await;
    let kinds: Vec<_> = ledger["ledger"].as_array().unwrap().iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["charge", "fund", "fund"]);
    assert_eq!(plane.ok("GET", "/control/deliveries", Value::Null).await, json!({"deliveries": []}));
    let journal = plane.ok("GET", "/control/journal", Value::Null).await;
    assert_eq!(journal["journal"][0]["path"], "/api/v1/users/create");
    assert_eq!(plane.ok("DELETE", "/control/journal", Value::Null).await, json!({"done": true}));
    assert_eq!(plane.ok("GET", "/control/journal", Value::Null).await, json!({"journal": []}));

    let rule = json!({"kind": "drop", "when": "after", "path": "/cards/topup", "count": 2});
    let kept = json!({"path": "/api/v1/cards/topup", "count": 2, "probability": null, "kind": "drop", "when": "after"});
    assert_eq!(plane.ok("POST", "/control/faults", rule).await, json!({"faults": [kept]}));
    let more = json!([{"kind": "html"}, {"kind": "other_key", "probability": 0.5}]);
    plane.ok("POST", "/control/faults", more).await;
    let faults = plane.ok("GET", "/control/faults", Value::Null).await;
    assert_eq!(faults["faults"].as_array().unwrap().len(), 3);
    assert_eq!(plane.ok("DELETE", "/control/faults", Value::Null).await, json!({"done": true}));

    assert_eq!(plane.ok("POST", "/control/hold", json!({"point": "during_webhook"})).await, json!({"done": true}));
    assert_eq!(plane.ok("POST", "/control/hold", json!({"point": null})).await, json!({"done": true}));
    assert_eq!(plane.ok("POST", "/control/reset", json!({})).await, json!({"done": true}));
    let state = plane.ok("GET", "/control/state", Value::Null).await;
    assert_eq!((&state["counts"]["users"], &state["counts"]["projects"]), (&json!(0), &json!(1)));
    assert_eq!(bench.balance().await, "1000.00");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let plane = Plane::start().await;
    for (path, body, code, named) in [
        ("/control/clock", r#"{"freze":true}"#, "invalid_request", "`freze`"),
        ("/control/clock", r#"{"freeze":true,"thaw":true}"#, "invalid_request", "one of"),
        ("/control/clock", r#"{"freeze":false}"#, "invalid_request", "one of"),
        ("/control/clock", "", "invalid_request", "one of"),
        ("/control/clock", r#"{"advance_millis":-1}"#, "clock_backwards", "forward"),
        ("/control/clock", r#"{"advance_millis":9007199254740993}"#, "invalid_clock", "2255"),
        ("/control/clock", r#"{"advance_millis":"1"}"#, "invalid_request", "invalid type"),
        ("/control/reset", r#"{"all":true}"#, "invalid_request", "`all`"),
        ("/control/settle", "[1]", "invalid_request", "column 2"),
        ("/control/fund", r#"{"amount":"1","currency":"usd"}"#, "invalid_request", "`currency`"),
        ("/control/fund", "{}", "invalid_request", "`amount`"),
        ("/control/fund", r#"{"amount":"0"}"#, "invalid_amount", "above zero"),
        ("/control/faults", r#"{"kind":"html","often":1}"#, "invalid_fault", "`often`"),
        ("/control/faults", r#"[{"kind":"html"},{"kind":"nonsense"}]"#, "invalid_fault", "`nonsense`"),
        ("/control/faults", "nonsense", "invalid_request", "expected"),
        ("/control/hold", r#"{"point":"anywhere"}"#, "invalid_request", "`anywhere`"),
    ] {
        let (status, answer) = plane.send("POST", path, body).await;
        let error = answer["error"].as_str().unwrap();
        assert_eq!((status, &answer["code"]), (400, &json!(code)), "{path} {body}: {error}");
        assert!(error.contains(named) && !error.contains('\n'), "{path} {body}: {error}");
    }
    let (status, answer) = plane.send("POST", "/control/fund", r#"{"amount":"1","api_key":"nobody"}"#).await;
    assert_eq!((status, &answer["code"]), (404, &json!("project_not_found")));
    assert_eq!(plane.bench.sandbox.control().faults(), [], "a list is taken whole or not at all");
    let large = format!(r#"{{"amount":"{}"}}"#, "1".repeat(64 * 1024));
    let (status, answer) = plane.send("POST", "/control/fund", &large).await;
    assert_eq!((status, &answer["code"]), (413, &json!("too_large")));
    let (status, answer) = plane.send("GET", "/control/nothing", "").await;
    assert_eq!((status, &answer["code"]), (404, &json!("not_found")));
    for (method, path) in [("GET", "/control/reset"), ("PUT", "/control/faults"), ("POST", "/control/ledger")] {
        let (status, answer) = plane.send(method, path, "{}").await;
        assert_eq!((status, &answer["code"]), (405, &json!("method_not_allowed")), "{method} {path}");
    }
}

#[tokio::test]
async fn only_who_has_the_token_and_is_no_browser_comes_in() {
    let plane = Plane::start().await;
    let Plane { address, token, .. } = &plane;
    let port = address.port();
    let state = async |head: String| {
        let (status, answer) = plane.raw("/control/state", &head).await;
        (status, answer["code"].as_str().unwrap_or_default().to_owned())
    };
    let with = |host: &str| format!("Host: {host}\r\nAuthorization: Bearer {token}\r\n");
    for host in [format!("127.0.0.1:{port}"), format!("LocalHost:{port}"), format!("[::1]:{port}")] {
        assert_eq!(state(with(&host)).await, (200, String::new()), "{host}");
    }
    let right = with(&address.to_string());
    for host in [
        "127.0.0.1".to_owned(),
        "localhost:1".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("127.0.0.1:{port}\r\nHost: evil.example"),
    ] {
        assert_eq!(state(with(&host)).await, (421, "wrong_host".into()), "{host}");
    }
    assert_eq!(state(format!("Authorization: Bearer {token}\r\n")).await, (421, "wrong_host".into()));
    let (status, _) = plane.raw(&format!("http://evil.example:{port}/control/state"), &right).await;
    assert_eq!(status, 421, "the host of an absolute target");
    for origin in [format!("http://{address}"), "null".to_owned()] {
        assert_eq!(state(format!("{right}Origin: {origin}\r\n")).await, (403, "browser_refused".into()), "{origin}");
    }
    let host = format!("Host: {address}\r\n");
    for authorization in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {token}0"),
        format!("Bearer {}", &token[1..]),
        format!("Basic {token}"),
        token.clone(),
    ] {
        let head = format!("{host}Authorization: {authorization}\r\n");
        assert_eq!(state(head).await, (401, "unauthorized".into()), "{authorization}");
    }
    assert_eq!(state(host.clone()).await, (401, "unauthorized".into()));
    // Whoever may not come in does not learn which routes there are.
    let (status, _) = plane.raw("/control/nothing", &host).await;
    assert_eq!(status, 401);
    // The API's port has no control plane, and the control plane's no API.
    let authorization = format!("Bearer {token}");
    let answer = plane.bench.send("GET", "/control/state", &[("Authorization", &authorization)], b"").await.unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(plane.send("POST", BALANCE, "{}").await.0, 404);
}

#[tokio::test]
async fn it_is_off_unless_asked_and_never_beyond_loopback() {
    let bench = Bench::start().await;
    assert!(bench.sandbox.control_plane().is_none());
    let ready = bench.send("GET", "/ready", &[], b"").await.unwrap();
    assert_eq!((ready.status, ready.text()), (200, "ready\n".to_owned()));
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let mut options = Options::default();
        options.control = Some(address.parse().unwrap());
        let error = Sandbox::start(options).await.unwrap_err().to_string();
        assert!(error.contains("loopback") && !error.contains('\n'), "{error}");
    }
}
