//! Webhooks arrive, at least once, where they may go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cardseal::Envelope;
use cardseal_server::{HoldPoint, Options, Project, Sandbox};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::support::{Bench, Client};

#[tokio::test]
async fn every_event_arrives_sealed_and_once_if_it_is_taken() {
    let bench = Bench::start().await;
    let before = bench.active_card("user-1").await;
    let hook = Hook::start(&bench, |_, _| Say::taken()).await;
    hook.subscribe(&bench).await;
    let card_id = bench.active_card("user-2").await;
    bench.sandbox.control().settle().await.unwrap();

    let seen = hook.seen();
    for Received { headers, event, .. } in &seen {
        assert_eq!(headers["api-key"], bench.api_key);
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["user-agent"], format!("cardseal-sandbox/{}", cardseal::VERSION));
        assert_eq!(headers["host"], hook.url.split('/').nth(2).unwrap());
        assert!(event["timestamp"].as_str().unwrap().ends_with('Z'), "{event}");
        assert!(!event.to_string().contains(&before), "nothing is told of what was before the subscription: {event}");
    }
    let told = |kind, member, status| {
        let of_kind = seen.iter().map(|received| &received.event).filter(|event| event["type"] == kind);
        of_kind.filter(|event| event[member]["card_id"] == card_id).map(|event| text(&event[member][status])).collect()
    };
    let orders: BTreeSet<_> = told("order.status_changed", "order", "status");
    assert_eq!(orders, texts(["new", "activating", "completed"]));
    let cards: BTreeSet<_> = told("card.status_changed", "card", "provider_card_status");
    assert_eq!(cards, texts(["pending_activation", "active"]));
    let ids: BTreeSet<_> = seen.iter().map(|received| text(&received.event["delivery_id"])).collect();
    assert_eq!((seen.len(), ids.len()), (5, 5));
    assert_eq!(states(&bench).await, states_of([("delivered", 5)]));
}

#[tokio::test]
async fn what_is_not_taken_comes_again_sealed_anew() {
    let bench = quiet().await;
    let hook = Hook::start(&bench, |_, attempt| match attempt {
        1 => Say::answer("500 Internal Server Error", TAKEN),
        2 => Say::Raw(Vec::new()), // closes the connection
        _ => Say::taken(),
    })
    .await;
    hook.subscribe(&bench).await;
    one_event(&bench).await;
    for _ in 0..3 {
        bench.sandbox.control().advance(LONGEST_BACKOFF).await.unwrap();
    }
    let seen = hook.seen();
    assert_eq!(seen.len(), 3);
    let different = |of: fn(&Received) -> &str| seen.iter().map(of).collect::<BTreeSet<_>>().len();
    assert_eq!(different(|received| &received.dedupe_key), 1);
    assert_eq!(different(|received| &received.body), 3);
    assert_eq!(seen[0].event, seen[2].event);
    let delivery = &deliveries(&bench).await[0];
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("delivered"), &json!(3)));
}

#[tokio::test]
async fn only_a_plain_success_counts() {
    let bench = quiet().await;
    let elsewhere = Hook::start(&bench, |_, _| Say::taken()).await;
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 16\r\n\r\n{TAKEN}", elsewhere.url);
    let long = format!("{{\"success\":true,\"pad\":\"{}\"}}", "x".repeat(64 * 1024));
    let wrong = [
        Say::answer("200 OK", r#"{"success":"true"}"#),
        Say::answer("200 OK", r#"{"success":true} and more"#),
        Say::answer("200 OK", r#"{"success":false}"#),
        Say::answer("200 OK", ""),
        Say::answer("200 OK", "<html>It works!</html>"),
        Say::answer("200 OK", &long),
        Say::answer("201 Created", TAKEN),
        Say::answer("204 No Content", ""),
        Say::Raw(redirect.into_bytes()),
        Say::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"success\":true}".to_vec()),
        Say::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
    ];
    let mut hooks = Vec::new();
    for say in wrong {
        let hook = Hook::start(&bench, move |_, _| say.clone()).await;
        hook.subscribe(&bench).await;
        hooks.push(hook);
    }
    let right = Hook::start(&bench, |_, _| Say::answer("200 OK", " {\"more\": [], \"success\": true}\n")).await;
    right.subscribe(&bench).await;
    one_event(&bench).await;
    bench.sandbox.control().settle().await.unwrap();
    let all = deliveries(&bench).await;
    assert_eq!(all.len(), hooks.len() + 1);
    for (delivery, hook) in all.iter().zip(&hooks) {
        assert_eq!(delivery["state"], "pending", "{delivery}");
        assert!(delivery["last_error"].is_string() && delivery["due_at"].is_string(), "{delivery}");
        assert!(!hook.seen().is_empty(), "{delivery}");
    }
    assert_eq!(all[hooks.len()]["state"], "delivered");
    assert!(elsewhere.seen().is_empty(), "a redirect was followed");
}

#[tokio::test]
async fn after_twelve_attempts_it_is_parked_and_shown() {
    let bench = quiet().await;
    let hook = Hook::start(&bench, |_, _| Say::answer("503 Service Unavailable", "")).await;
    hook.subscribe(&bench).await;
    one_event(&bench).await;
    for _ in 0..15 {
        bench.sandbox.control().advance(LONGEST_BACKOFF).await.unwrap();
    }
    assert_eq!(hook.seen().len(), 12);
    let delivery = &deliveries(&bench).await[0];
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("parked"), &json!(12)));
    assert_eq!((&delivery["due_at"], &delivery["url"]), (&Value::Null, &json!(hook.url)));
    assert!(text(&delivery["last_error"]).starts_with("answered 503"), "{delivery}");
}

#[tokio::test]
async fn every_subscription_gets_everything_of_its_own_project() {
    let two = [Project::new("key_one", "the secret of one"), Project::new("key_two", "the secret of two")];
    let bench = Bench::with(|options| options.projects = two.into()).await;
    let other = Client {
        api_key: "key_two".to_owned(),
        envelope: Envelope::new("the secret of two").unwrap(),
        ..bench.client.clone()
    };
    let (first, second) =
        (Hook::start(&bench, |_, _| Say::taken()).await, Hook::start(&bench, |_, _| Say::taken()).await);
    let others = Hook::start(&other, |_, _| Say::taken()).await;
    first.subscribe(&bench).await;
    second.subscribe(&bench).await;
    others.subscribe(&other).await;
    let card = bench.active_card("user-1").await;
    let others_card = other.active_card("user-1").await;
    bench.sandbox.control().settle().await.unwrap();
    for (hook, own, foreign) in
        [(&first, &card, &others_card), (&second, &card, &others_card), (&others, &others_card, &card)]
    {
        let seen = hook.seen();
        assert_eq!(seen.len(), 5);
        assert!(seen.iter().all(|received| received.event.to_string().contains(own.as_str())));
        assert!(!seen.iter().any(|received| received.event.to_string().contains(foreign.as_str())));
    }
    assert_eq!(states(&bench).await, states_of([("delivered", 15)]));
    let ids = |hook: &Hook| hook.seen().into_iter().map(|received| received.dedupe_key).collect::<BTreeSet<_>>();
    assert!(ids(&first).is_disjoint(&ids(&second)), "a delivery is one subscription's");
}

#[tokio::test]
async fn nothing_comes_after_unsubscribing() {
    let bench = quiet().await;
    let go_on = Arc::new(Notify::new());
    let hook = Hook::start(&bench, {
        let go_on = Arc::clone(&go_on);
        move |_, _| Say::AfterThat(Arc::clone(&go_on), b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".to_vec())
    })
    .await;
    let id = hook.subscribe(&bench).await;
    one_event(&bench).await;
    hook.wait_for(1).await;
    // It is being sent at this moment.
    bench.call("/wh/unsubscribe", json!({"id": id})).await.unwrap();
    go_on.notify_one();
    one_event(&bench).await;
    let listed = bench.call("/wh/subscriptions", json!({})).await.unwrap();
    assert_eq!(listed, json!({"subscriptions": []}));
    assert_eq!(bench.refusal("/wh/unsubscribe", json!({"id": id})).await, "invalid_request");
    for _ in 0..3 {
        bench.sandbox.control().advance(LONGEST_BACKOFF).await.unwrap();
    }
    assert_eq!(hook.seen().len(), 1);
    assert_eq!(states(&bench).await, states_of([("cancelled", 1)]));
}

#[tokio::test]
async fn with_a_seed_no_id_is_given_twice() {
    let bench = Bench::with(|options| {
        options.seed = Some(7);
        options.step_millis = NEVER;
    })
    .await;
    let hook = Hook::start(&bench, |_, _| Say::answer("500 No", "")).await;
    let mut ids = BTreeSet::new();
    for _ in 0..2 {
        let id = hook.subscribe(&bench).await;
        one_event(&bench).await;
        bench.sandbox.control().settle().await.unwrap();
        bench.call("/wh/unsubscribe", json!({"id": id})).await.unwrap();
        ids.insert(id);
    }
    assert_eq!(ids.len(), 2);
    let ids: BTreeSet<_> = deliveries(&bench).await.iter().map(|delivery| text(&delivery["id"])).collect();
    assert_eq!(ids.len(), 2);
}

#[tokio::test]
async fn a_receiver_that_never_answers_holds_up_nobody_else() {
    let bench = Bench::start().await;
    let silent = Hook::start(&bench, |_, _| Say::Nothing).await;
    let quick = Hook::start(&bench, |_, _| Say::taken()).await;
    silent.subscribe(&bench).await;
    quick.subscribe(&bench).await;
    // More events than can be sent at once, and orders that end meanwhile.
    for user in ["user-1", "user-2", "user-3", "user-4"] {
        bench.active_card(user).await;
    }
    quick.wait_for(20).await;
    let is_open = |delivery: &Value| delivery["url"] == silent.url && delivery["state"] == "pending";
    let of_silent = deliveries(&bench).await.into_iter().filter(is_open).count();
    assert_eq!(of_silent, 20);
}

#[tokio::test]
async fn an_attempt_ends_without_an_answer() {
    let bench = quiet().await;
    let hook = Hook::start(&bench, |_, attempt| if attempt == 1 { Say::Nothing } else { Say::taken() }).await;
    hook.subscribe(&bench).await;
    one_event(&bench).await;
    // Waits for it: ten seconds.
    bench.sandbox.control().settle().await.unwrap();
    let delivery = &deliveries(&bench).await[0];
    assert_eq!(delivery["last_error"], "no answer within 10 s");
    bench.sandbox.control().advance(LONGEST_BACKOFF).await.unwrap();
    assert_eq!(states(&bench).await, states_of([("delivered", 1)]));
}

#[tokio::test]
async fn after_a_reset_nothing_of_before_comes_and_what_is_new_does() {
    let bench = quiet().await;
    let hook = Hook::start(&bench, |_, _| Say::Nothing).await;
    hook.subscribe(&bench).await;
    one_event(&bench).await;
    hook.wait_for(1).await;
    bench.sandbox.control().reset().await.unwrap();
    assert_eq!(states(&bench).await, BTreeMap::new());
    let taking = Hook::start(&bench, |_, _| Say::taken()).await;
    taking.subscribe(&bench).await;
    one_event(&bench).await;
    bench.sandbox.control().settle().await.unwrap();
    assert_eq!((hook.seen().len(), taking.seen().len()), (1, 1));
}

#[tokio::test]
async fn a_reset_breaks_off_what_would_never_end() {
    let bench = quiet().await;
    let control = bench.sandbox.control();
    control.hold(Some(HoldPoint::DuringWebhook));
    let hook = Hook::start(&bench, |_, _| Say::taken()).await;
    hook.subscribe(&bench).await;
    one_event(&bench).await;
    while deliveries(&bench).await[0]["attempts"] != 1 {
        tokio::task::yield_now().await; // until it is taken up, and held
    }
    control.reset().await.unwrap();
    hook.subscribe(&bench).await;
    one_event(&bench).await;
    control.settle().await.unwrap();
    assert_eq!(hook.seen().len(), 1, "the one after the reset");
}

#[tokio::test]
async fn private_addresses_need_the_flag() {
    let bench = Bench::with(|options| options.private_webhooks = false).await;
    for url in [
        "http://127.0.0.1/",
        "http://localhost:8080/",
        "http://0x7f.1/",
        "http://[::ffff:10.0.0.1]/",
        "http://10.1.2.3",
    ] {
        let error = bench.call("/wh/subscribe", json!({"url": url})).await.unwrap_err();
        assert!(error.message.starts_with("`url` cannot lead to a private address"), "{url}: {}", error.message);
    }
    bench.call("/wh/subscribe", json!({"url": "https://example.com/hook"})).await.unwrap();
    let open = Bench::start().await;
    for url in ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://0.0.0.0/", "ftp://example.com/"] {
        assert_eq!(open.refusal("/wh/subscribe", json!({"url": url})).await, "invalid_request", "{url}");
    }
}

#[tokio::test]
async fn a_name_is_judged_by_where_it_leads_when_something_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let start = async |private| {
        let mut options = Options::default();
        options.data = Some(folder.path().join("state.db"));
        options.step_millis = NEVER;
        options.private_webhooks = private;
        let sandbox = Sandbox::start(options).await.unwrap();
        let client = Client::of(&sandbox);
        Bench { sandbox, client }
    };
    let bench = start(true).await;
    let hook = Hook::start(&bench, |_, _| Say::taken()).await;
    let url = hook.url.replace("127.0.0.1", "localhost");
    bench.call("/wh/subscribe", json!({"url": url})).await.unwrap();
    one_event(&bench).await;
    bench.sandbox.control().settle().await.unwrap();
    assert_eq!(hook.seen().len(), 1, "the name leads to the receiver");
    bench.sandbox.stop().await;

    // The same subscription, with a server that may not go there.
    let bench = start(false).await;
    one_event(&bench).await;
    bench.sandbox.control().settle().await.unwrap();
    assert_eq!(hook.seen().len(), 1);
    let delivery = &deliveries(&bench).await[1];
    assert_eq!(delivery["state"], "pending");
    assert!(text(&delivery["last_error"]).starts_with("the url leads to a private address"), "{delivery}");
}

/// A sandbox whose orders never take a step, so that each causes one event.
async fn quiet() -> Bench {
    Bench::with(|options| options.step_millis = NEVER).await
}

/// Far longer than all backoff together.
const NEVER: u64 = 1_000_000_000;
const LONGEST_BACKOFF: Duration = Duration::from_secs(600);

async fn one_event(client: &Client) {
    let user = cardseal::IdempotencyKey::generate().unwrap().to_string();
    client.cardholder(&user).await;
    let payload = json!({"product_code": "virtual_usd", "external_user_id": user, "amount": "10.00"});
    client.call("/cards/create", payload).await.unwrap();
}

async fn deliveries(bench: &Bench) -> Vec<Value> {
    bench.sandbox.control().deliveries().await.unwrap().as_array().unwrap().clone()
}

/// How many deliveries are in which state.
async fn states(bench: &Bench) -> BTreeMap<String, usize> {
    deliveries(bench).await.iter().fold(BTreeMap::new(), |mut states, delivery| {
        *states.entry(text(&delivery["state"])).or_default() += 1;
        states
    })
}

fn states_of<const N: usize>(states: [(&str, usize); N]) -> BTreeMap<String, usize> {
    states.map(|(state, count)| (state.to_owned(), count)).into()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn texts<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

const TAKEN: &str = r#"{"success":true}"#;

/// A receiver of webhooks that does what a test wants.
struct Hook {
    url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    seen: Mutex<Vec<Received>>,
    news: Notify,
    /// Something came that no webhook of this project is.
    is_broken: AtomicBool,
}

#[derive(Debug, Clone)]
struct Received {
    /// With names in lower case.
    headers: BTreeMap<String, String>,
    body: String,
    event: Value,
    dedupe_key: String,
}

/// What a receiver does.
#[derive(Debug, Clone)]
enum Say {
    Raw(Vec<u8>),
    AfterThat(Arc<Notify>, Vec<u8>),
    Nothing,
}

impl Say {
    fn taken() -> Self {
        Self::answer("200 OK", TAKEN)
    }

    fn answer(status: &str, body: &str) -> Self {
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{body}");
        Self::Raw(answer.into_bytes())
    }
}

impl Hook {
    /// `say` gets the opened event and how often it has come, this time included.
    async fn start(client: &Client, say: impl Fn(&Value, usize) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?a=b", listener.local_addr().unwrap());
        let state = Arc::new(State::default());
        let (shared, say, envelope) = (Arc::clone(&state), Arc::new(say), client.envelope.clone());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (state, say, envelope) = (Arc::clone(&shared), Arc::clone(&say), envelope.clone());
                let broken = Arc::clone(&state);
                let exchange = tokio::spawn(async move {
                    let received = receive(&mut stream, &envelope).await;
                    let said = {
                        let mut seen = state.seen.lock().unwrap();
                        seen.push(received.clone());
                        let attempts = seen.iter().filter(|known| known.dedupe_key == received.dedupe_key).count();
                        say(&received.event, attempts)
                    };
                    state.news.notify_one();
                    let answer = match said {
                        Say::Raw(answer) => answer,
                        Say::AfterThat(event, answer) => {
                            event.notified().await;
                            answer
                        }
                        Say::Nothing => std::future::pending().await,
                    };
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.shutdown().await;
                    let _ = stream.read_to_end(&mut Vec::new()).await; // no reset before the answer is read
                });
                tokio::spawn(async move {
                    broken.is_broken.fetch_or(exchange.await.is_err(), Ordering::SeqCst);
                });
            }
        });
        Self { url, state }
    }

    /// Gives the subscription's id.
    async fn subscribe(&self, client: &Client) -> String {
        text(&client.call("/wh/subscribe", json!({"url": self.url})).await.unwrap()["id"])
    }

    fn seen(&self) -> Vec<Received> {
        assert!(!self.state.is_broken.load(Ordering::SeqCst), "something came that is no webhook of this project");
        self.state.seen.lock().unwrap().clone()
    }

    async fn wait_for(&self, count: usize) {
        while self.state.seen.lock().unwrap().len() < count {
            self.state.news.notified().await;
        }
    }
}

async fn receive(stream: &mut TcpStream, envelope: &Envelope) -> Received {
    let mut request = Vec::new();
    let head = loop {
        request.push(stream.read_u8().await.unwrap());
        if request.ends_with(b"\r\n\r\n") {
            break String::from_utf8(std::mem::take(&mut request)).unwrap();
        }
    };
    let mut lines = head.trim_end().split("\r\n");
    assert_eq!(lines.next().unwrap(), "POST /hook?a=b HTTP/1.1");
    let headers: BTreeMap<_, _> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    let body = String::from_utf8(body).unwrap();
    let webhook = envelope.open_webhook(&*body).unwrap();
    let event: Value = serde_json::from_str(&webhook.payload).unwrap();
    assert_eq!(webhook.dedupe_key, format!("id:{}", text(&event["delivery_id"])));
    Received { headers, body, event, dedupe_key: webhook.dedupe_key }
}
