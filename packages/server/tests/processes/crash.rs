//! Killed in the middle of a card issue or a top-up, the server charges once and loses no order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::books::{Known, audit};
use crate::subject::{Orders, Subject};
use crate::support::Client;

/// The points, in the order in which a request comes to them.
const POINTS: [&str; 6] =
    ["before_claim", "after_claim", "before_commit", "before_answer", "during_webhook", "during_step"];
const ROUNDS: usize = 20;

/// Every point, twenty times.
pub(crate) fn everywhere() {
    Runtime::new().unwrap().block_on(async {
        let mut bench = Bench::set_up(false).await;
        let mut hit = BTreeMap::new();
        for point in POINTS {
            for round in 0..ROUNDS {
                bench.round(point, round).await.unwrap();
                *hit.entry(point).or_insert(0) += 1;
            }
            println!("{point}: {ROUNDS} kills, the books are right");
        }
        assert_eq!(hit.values().sum::<usize>(), POINTS.len() * ROUNDS);
        bench.every_event_arrives().await;
        println!("{} of {} kills hit their point; 0 double charges, 0 lost orders", POINTS.len() * ROUNDS, 120);
    });
}

/// The control: the same check on a schema that lets a key in twice.
pub(crate) fn without_unique() {
    Runtime::new().unwrap().block_on(async {
        let mut bench = Bench::set_up(true).await;
        let wrong = bench.round("before_answer", 0).await.expect_err("the check sees the double charge");
        assert!(wrong.contains("double charge"), "{wrong}");
    });
}

struct Bench {
    _folder: TempDir,
    file: PathBuf,
    orders: Orders,
    card_id: String,
    known: BTreeMap<String, Known>,
    receiver: Receiver,
}

impl Bench {
    async fn set_up(without_unique: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db");
        let orders = Orders { data: Some(file.to_str().unwrap().to_owned()), step_millis: 1, without_unique };
        let subject = Subject::start(&orders);
        let receiver = Receiver::start().await;
        let client = &subject.client;
        client.cardholder("user-1").await;
        let order = client.call_with_key("/cards/create", issue(), "set-up").await.unwrap();
        let card_id = order["card_id"].as_str().unwrap().to_owned();
        assert_eq!(client.ended(order["order_id"].as_str().unwrap()).await["status"], "completed");
        let known = [("set-up".to_owned(), Known { order_id: text(&order["order_id"]), cents: ISSUE_CENTS })];
        client.call("/wh/subscribe", json!({"url": receiver.url})).await.unwrap();
        subject.kill();
        Self { _folder: folder, file, orders, card_id, known: known.into(), receiver }
    }

    /// Starts, is killed at a point, starts again, and is asked again with the same key.
    async fn round(&mut self, point: &str, round: usize) -> Result<(), String> {
        let key = format!("{point}-{round}");
        let (path, payload, cents) = if round.is_multiple_of(2) {
            ("/cards/create", issue(), ISSUE_CENTS)
        } else {
            ("/cards/topup", json!({"card_id": self.card_id, "amount": "20.00"}), TOPUP_CENTS)
        };
        let subject = Subject::start(&self.orders);
        // What the last round has left undone must not come to this round's point in the place of its own.
        finish(&subject).await;
        subject.control("/control/hold", json!({"point": point})).await;
        let first = {
            let (client, payload, key) = (subject.client.clone(), payload.clone(), key.clone());
            tokio::spawn(async move { client.attempt(path, payload, &key).await })
        };
        tokio::task::block_in_place(|| subject.wait_until_held());
        subject.kill();
        let first = first.await.unwrap().transpose().unwrap();
        // Points after the answer: the client was told. Points before it: it knows nothing.
        assert_eq!(first.is_some(), ["during_webhook", "during_step"].contains(&point), "{point}");

        let subject = Subject::start(&self.orders);
        let order = subject.client.call_with_key(path, payload, &key).await.unwrap();
        if let Some(first) = first {
            assert_eq!(first["order_id"], order["order_id"], "the acknowledged order is there");
        }
        let order = subject.client.ended(order["order_id"].as_str().unwrap()).await;
        assert_eq!(order["status"], "completed", "{order}");
        subject.kill();
        self.known.insert(key, Known { order_id: text(&order["order_id"]), cents });
        audit(&self.file, OPENING_CENTS, &self.known)
    }

    /// At least once: whatever was killed while it was told is told again.
    async fn every_event_arrives(&self) {
        let subject = Subject::start(&self.orders);
        finish(&subject).await;
        let told = self.receiver.completed(&subject.client);
        let missing: Vec<&Known> = self.known.values().filter(|known| !told.contains(&known.order_id)).collect();
        // The first order was made before the subscription.
        assert_eq!(missing.len(), 1, "{missing:?}");
        subject.kill();
    }
}

/// Lets everything happen that is due within a while: a delivery that was cut short is tried again only after a lease.
async fn finish(subject: &Subject) {
    subject.control("/control/clock", json!({"advance_millis": 20_000})).await;
    subject.control("/control/clock", json!({"offset_millis": 0})).await;
}

fn issue() -> Value {
    json!({"product_code": "virtual_usd", "external_user_id": "user-1", "amount": "10.00"})
}

const OPENING_CENTS: i64 = 10_000_000;
/// 5.00 for the card, 10.00 for what is on it, 1.5 % of that.
const ISSUE_CENTS: i64 = 1_515;
const TOPUP_CENTS: i64 = 2_030;

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Takes every webhook, and keeps the bodies.
struct Receiver {
    url: String,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    let mut part = [0; 4096];
                    while let Ok(read @ 1..) = stream.read(&mut part).await {
                        request.extend_from_slice(&part[..read]);
                        let text = String::from_utf8_lossy(&request);
                        let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
                        if !body.ends_with('}') {
                            continue;
                        }
                        kept.lock().unwrap().push(body.to_owned());
                        let answer =
                            "HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: close\r\n\r\n{\"success\":true}";
                        let _ = stream.write_all(answer.as_bytes()).await;
                        return;
                    }
                });
            }
        });
        Self { url, bodies }
    }

    /// The orders whose completion was told.
    fn completed(&self, client: &Client) -> Vec<String> {
        let bodies = self.bodies.lock().unwrap();
        let events = bodies.iter().map(|body| client.envelope.open::<Value>(body).unwrap());
        events
            .filter(|event| event["order"]["status"] == "completed")
            .map(|event| text(&event["order"]["order_id"]))
            .collect()
    }
}
