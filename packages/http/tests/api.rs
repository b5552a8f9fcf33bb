//! The client and the middleware against the reference server, and against small servers that do what it never does.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it does not expect")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cardseal::{Envelope, FailureClass};
use cardseal_http::{AttemptEvent, Client, Error, Options, SealMiddleware, api_error};
use cardseal_server::{Fault, FaultRule, Sandbox, When};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const BALANCE: &str = "/project/balance";

/// A server whose orders end at once, and a client of its project.
async fn bench() -> (Sandbox, Client) {
    let mut options = cardseal_server::Options::default();
    options.step_millis = 0;
    let sandbox = Sandbox::start(options).await.unwrap();
    let client = Client::new(&sandbox.url(), sandbox.api_key(), sandbox.secret()).unwrap();
    (sandbox, client)
}

async fn card(sandbox: &Sandbox, client: &Client) -> Value {
    let user = json!({"external_user_id": "user-1"});
    let _: Value = client.call("/users/create", &user).await.unwrap();
    let holder = json!({
        "external_user_id": "user-1", "subprovider_code": "sandbox", "first_name": "Ada", "last_name": "Lovelace",
        "birth_date": "1990-12-10", "email": "ada@example.com", "phone_number_full": "+4915112345678", "country_iso": "DE",
    });
    let _: Value = client.call("/cardholders/create", &holder).await.unwrap();
    let card = json!({"external_user_id": "user-1", "product_code": "virtual_usd", "amount": "10.00"});
    let order: Value = client.call_keyed("/cards/create", &card, "card-1").await.unwrap();
    sandbox.control().settle().await.unwrap();
    order["card_id"].clone()
}

fn middleware(sandbox: &Sandbox, options: Options) -> ClientWithMiddleware {
    let envelope = Envelope::new(sandbox.secret()).unwrap();
    let seal = SealMiddleware::new(sandbox.api_key(), envelope).options(options);
    ClientBuilder::new(reqwest::Client::new()).with(seal).build()
}

fn url(sandbox: &Sandbox, path: &str) -> String {
    format!("{}/api/v1{path}", sandbox.url())
}

/// What the middleware gives in the place of a response.
fn inner(error: &reqwest_middleware::Error) -> &Error {
    match error {
        reqwest_middleware::Error::Middleware(error) => error.downcast_ref().expect("an error of this crate"),
        reqwest_middleware::Error::Reqwest(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_card_is_topped_up_once_though_the_answer_is_lost() {
    let (sandbox, client) = bench().await;
    let card_id = card(&sandbox, &client).await;
    let lost = FaultRule::new(Fault::Drop { when: When::After }).path("/cards/topup").count(2);
    sandbox.control().add_faults([lost]).unwrap();
    let topup = json!({"card_id": card_id, "amount": "20.00"});
    let order: Value = client.call_keyed("/cards/topup", &topup, "topup-1").await.unwrap();
    let order = client.wait_for_order(order["order_id"].as_str().unwrap(), Duration::from_secs(30)).await.unwrap();
    assert_eq!(order["status"], "completed");
    let ledger = sandbox.control().ledger().await.unwrap();
    let charges = ledger.as_array().unwrap().iter().filter(|entry| entry["kind"] == "charge").count();
    assert_eq!(charges, 2, "the card and one top-up: {ledger}");
}

#[tokio::test]
async fn an_order_that_does_not_end_is_given_back_as_it_is() {
    let mut options = cardseal_server::Options::default();
    options.step_millis = 3_600_000;
    let sandbox = Sandbox::start(options).await.unwrap();
    let client = Client::new(&sandbox.url(), sandbox.api_key(), sandbox.secret()).unwrap();
    let card_id = card(&sandbox, &client).await;
    assert!(card_id.is_string());
    let orders = sandbox.control().orders().await.unwrap();
    let error = client.wait_for_order(orders[0]["order_id"].as_str().unwrap(), Duration::ZERO).await.unwrap_err();
    assert!(matches!(&error, Error::OrderPending { order } if order["status"] == "new"), "{error:?}");
    assert_eq!(error.code(), Some("order_pending"));
}

#[tokio::test]
async fn what_cannot_be_repeated_has_an_unknown_outcome() {
    let (sandbox, client) = bench().await;
    for fault in
        [Fault::Drop { when: When::After }, Fault::Status { status: 503, when: When::Before }, Fault::FlippedTag]
    {
        sandbox.control().add_faults([FaultRule::new(fault).count(1)]).unwrap();
        let user = json!({"external_user_id": "user-1"});
        let error = client.call::<Value>("/users/create", &user).await.unwrap_err();
        let Error::OutcomeUnknown(unknown) = &error else { panic!("{error:?}") };
        assert_eq!((unknown.attempts, &*unknown.path), (1, "/api/v1/users/create"));
        assert!(error.to_string().contains("ask the API before you repeat it"), "{error}");
        sandbox.control().reset().await.unwrap();
    }
}

#[tokio::test]
async fn a_keyed_call_that_runs_out_of_attempts_carries_its_key() {
    let (sandbox, client) = bench().await;
    sandbox.control().add_faults([FaultRule::new(Fault::Html { status: 502 })]).unwrap();
    let mut options = Options::default();
    options.attempts = 2;
    let topup = json!({"card_id": "card_1", "amount": "20.00"});
    let client = client.options(options);
    let error = client.call_keyed::<Value>("/cards/topup", &topup, "topup-1").await.unwrap_err();
    let Error::OutcomeUnknown(unknown) = &error else { panic!("{error:?}") };
    assert_eq!((unknown.attempts, unknown.idempotency_key.as_deref()), (2, Some("topup-1")));
    assert_eq!(unknown.last.as_api().unwrap().status, 502);
    // A read gives its last failure as it is.
    let error = client.call::<Value>(BALANCE, &json!({})).await.unwrap_err();
    assert_eq!(error.as_api().unwrap().status, 502);
}

#[tokio::test]
async fn a_business_error_is_final_and_typed() {
    let (sandbox, client) = bench().await;
    let error = client.call::<Value>("/cards/get", &json!({"card_id": "card_1"})).await.unwrap_err();
    let api = error.as_api().unwrap();
    assert_eq!((api.status, api.code.as_deref(), api.encrypted), (404, Some("card_not_found"), true));

    let http = middleware(&sandbox, Options::default());
    let response = http.post(url(&sandbox, "/cards/get")).body(r#"{"card_id":"card_1"}"#).send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(api_error(&response).unwrap().code.as_deref(), Some("card_not_found"));
    assert!(response.error_for_status_ref().is_err());
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["error_slug"], "card_not_found");
}

#[tokio::test]
async fn a_response_is_plain_json_to_the_caller() {
    let (sandbox, _) = bench().await;
    let http = middleware(&sandbox, Options::default());
    for body in [None, Some("{}")] {
        let mut request = http.post(url(&sandbox, BALANCE));
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.url().path()), (200, "/api/v1/project/balance"));
        assert_eq!(response.headers()["content-type"], "application/json");
        assert!(api_error(&response).is_none());
        assert_eq!(response.text().await.unwrap(), r#"{"available":"1000.00","currency":"usdt"}"#);
    }
}

#[tokio::test]
async fn what_is_no_request_of_this_api_is_refused_before_it_is_sent() {
    let (sandbox, client) = bench().await;
    let control = sandbox.control();
    let http = middleware(&sandbox, Options::default());
    let sealed = Envelope::new(sandbox.secret()).unwrap().seal(&json!({})).unwrap();
    let topup = url(&sandbox, "/cards/topup");
    for (request, code) in [
        (http.get(url(&sandbox, BALANCE)), "invalid_option"),
        (http.post(url(&sandbox, BALANCE)).body(sealed.clone()), "already_sealed"),
        (http.post(url(&sandbox, BALANCE)).body("amount=20"), "invalid_payload"),
        (http.post(url(&sandbox, BALANCE)).body(vec![0xff]), "invalid_option"),
        (http.post(topup.clone()).body("{}"), "idempotency_key_required"),
        (http.post(topup.clone()).header("Idempotency-Key", "two words"), "invalid_idempotency_key"),
        (http.post(topup).header("Idempotency-Key", "1").header("Idempotency-Key", "2"), "invalid_option"),
    ] {
        let error = request.send().await.unwrap_err();
        assert_eq!(inner(&error).code(), Some(code), "{error}");
        assert!(!error.to_string().contains('\n'));
    }
    let sealed: Value = serde_json::from_str(&sealed).unwrap();
    assert_eq!(client.call::<Value>(BALANCE, &sealed).await.unwrap_err().code(), Some("already_sealed"));
    assert_eq!(control.journal().unwrap(), json!([]));
}

#[tokio::test]
async fn each_attempt_is_told_without_secrets() {
    let (sandbox, client) = bench().await;
    let unavailable = Fault::Status { status: 503, when: When::Before };
    let duplicate = Fault::Plain { code: "duplicate_request".to_owned() };
    sandbox.control().add_faults([FaultRule::new(unavailable).count(1), FaultRule::new(duplicate).count(1)]).unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&events);
    let options = Options::default().on_attempt(move |event: &AttemptEvent<'_>| {
        let AttemptEvent { path, attempt, status, failure_class, code, wait, .. } = *event;
        let code = code.map(str::to_owned);
        listener.lock().unwrap().push((path.to_owned(), attempt, status, failure_class, code, wait.is_some()));
        let shown = format!("{event:?}");
        assert!(!shown.contains("key_") && !shown.contains("encrypted"), "{shown}");
    });
    let _: Value = client.options(options).call(BALANCE, &json!({})).await.unwrap();
    let path = "/api/v1/project/balance".to_owned();
    assert_eq!(
        *events.lock().unwrap(),
        [
            (path.clone(), 1, Some(503), Some(FailureClass::Transient), None, true),
            (path.clone(), 2, Some(400), Some(FailureClass::Reseal), Some("duplicate_request".to_owned()), true),
            (path, 3, Some(200), None, None, false),
        ]
    );
}

/// Answers every request with the same bytes, and counts them.
async fn answering(answer: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 64 * 1024];
            let read = stream.read(&mut bytes).await.unwrap();
            requests.lock().unwrap().push(String::from_utf8_lossy(&bytes[..read]).into_owned());
            if answer.is_empty() {
                tokio::spawn(async move { stream.read_to_end(&mut Vec::new()).await });
            } else {
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    });
    (url, seen)
}

#[tokio::test]
async fn no_redirect_is_followed() {
    for answer in [
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ] {
        let (url, seen) = answering(answer).await;
        let client = Client::new(&url, "key_1", "your_api_secret_key_here").unwrap();
        let error = client.call::<Value>(BALANCE, &json!({})).await.unwrap_err();
        assert!((300..400).contains(&error.as_api().unwrap().status), "{error}");
        assert_eq!(seen.lock().unwrap().len(), 1);

        let seal = SealMiddleware::new("key_1", Envelope::new("your_api_secret_key_here").unwrap());
        let http = ClientBuilder::new(reqwest::Client::new()).with(seal).build();
        let error = http.post(format!("{url}/api/v1/project/balance")).send().await.unwrap_err();
        let message = inner(&error).to_string();
        assert!(!message.contains("encrypted"), "{message}");
        let bodies = seen.lock().unwrap().iter().filter(|request| request.contains("encrypted")).count();
        assert_eq!(bodies, 2, "a sealed body each, and no other");
    }
}

#[tokio::test]
async fn a_deadline_ends_an_attempt_that_nobody_answers() {
    let (url, _) = answering("").await;
    let mut options = Options::default();
    options.deadline = Duration::from_millis(200);
    let client = Client::new(&url, "key_1", "your_api_secret_key_here").unwrap().options(options);
    let error = client.call::<Value>(BALANCE, &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    let error = client.call_keyed::<Value>("/cards/topup", &json!({}), "topup-1").await.unwrap_err();
    assert_eq!(error.code(), Some("outcome_unknown"));
}

#[tokio::test]
async fn what_never_connected_is_tried_again_and_its_outcome_is_known() {
    let refusing = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut options = Options::default();
    options.attempts = 3;
    let tries = Arc::new(Mutex::new(0));
    let count = Arc::clone(&tries);
    let options = options.on_attempt(move |_| *count.lock().unwrap() += 1);
    let client =
        Client::new(&format!("http://{refusing}"), "key_1", "your_api_secret_key_here").unwrap().options(options);
    let error = client.call::<Value>("/users/create", &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert_eq!(*tries.lock().unwrap(), 3);
}

#[tokio::test]
async fn retry_after_that_ends_past_the_deadline_ends_the_call() {
    for when in ["3600", "Fri, 31 Dec 2123 23:59:59 GMT"] {
        let answer = format!(
            "HTTP/1.1 429 Too Many Requests\r\nRetry-After: {when}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let (url, seen) = answering(answer.leak()).await;
        let client = Client::new(&url, "key_1", "your_api_secret_key_here").unwrap();
        let error = client.call::<Value>(BALANCE, &json!({})).await.unwrap_err();
        assert_eq!(error.as_api().unwrap().status, 429);
        assert_eq!(seen.lock().unwrap().len(), 1);
    }
}

#[test]
fn nothing_shows_a_secret_and_wrong_settings_are_named() {
    let client = Client::new("https://api.example.com/api/v1", "key_visible", "your_api_secret_key_here").unwrap();
    let seal = SealMiddleware::new("key_visible", Envelope::new("your_api_secret_key_here").unwrap());
    let shown = format!("{client:?} {seal:?}");
    assert!(!shown.contains("key_visible") && !shown.contains("your_api"), "{shown}");
    for url in ["", "api.example.com", "ftp://api.example.com", "http://"] {
        assert_eq!(
            Client::new(url, "key_1", "your_api_secret_key_here").unwrap_err().code(),
            Some("invalid_option"),
            "{url}"
        );
    }
    assert_eq!(Client::new("http://localhost", "key_1", "short").unwrap_err().code(), Some("invalid_key"));
}
