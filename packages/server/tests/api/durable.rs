//! What a restart leaves.

use serde_json::json;

use crate::support::Bench;

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let first = Bench::with(|options| {
        options.data = Some(file.clone());
        options.step_millis = 3_600_000; // the order stays where it is
    })
    .await;
    first.cardholder("user-1").await;
    let payload = json!({"product_code": "virtual_usd", "external_user_id": "user-1", "amount": "10.00"});
    let order = first.call_with_key("/cards/create", payload.clone(), "issue-1").await.unwrap();
    assert_eq!(order["status"], "new");
    let replayed = first.envelope.seal(&json!({})).unwrap();
    let path = "/api/v1/project/balance";
    assert_eq!(first.post(path, &first.headers(), replayed.as_bytes()).await.unwrap().status, 200);
    let (api_key, secret) = (first.sandbox.api_key().to_owned(), first.sandbox.secret().to_owned());
    first.sandbox.stop().await;

    let second = Bench::with(|options| {
        options.data = Some(file);
        options.step_millis = 3_600_000;
    })
    .await;
    assert_eq!((second.sandbox.api_key(), second.sandbox.secret()), (api_key.as_str(), secret.as_str()));
    let answer = second.post(path, &second.headers(), replayed.as_bytes()).await.unwrap();
    assert_eq!(answer.text(), r#"{"error":"Duplicate request detected"}"#, "replay claims");
    let repeat = second.call_with_key("/cards/create", payload, "issue-1").await.unwrap();
    assert_eq!(repeat["order_id"], order["order_id"], "idempotency keys");
    assert_eq!(second.balance().await, "984.85", "the wallet");
}

#[tokio::test]
async fn an_order_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let first = Bench::with(|options| {
        options.data = Some(file.clone());
        options.step_millis = 300;
    })
    .await;
    first.cardholder("user-1").await;
    let payload = json!({"product_code": "virtual_usd", "external_user_id": "user-1", "amount": "10.00"});
    let order_id = first.call("/cards/create", payload).await.unwrap()["order_id"].as_str().unwrap().to_owned();
    let order = loop {
        let order = first.call("/orders/check", json!({"order_id": order_id})).await.unwrap();
        if order["status"] != "new" {
            break order;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!(order["status"], "activating", "in the middle of it");
    first.sandbox.stop().await;

    let second = Bench::with(|options| options.data = Some(file)).await;
    assert_eq!(second.ended(&order_id).await["issue_status"], "completed");
}

#[tokio::test]
async fn two_processes_can_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let one = Bench::with(|options| options.data = Some(file.clone())).await;
    let two = Bench::with(|options| options.data = Some(file.clone())).await;
    let card_id = one.active_card("user-1").await;
    let payload = json!({"card_id": card_id, "amount": "10.00"});
    let calls = (0..20).map(|number| {
        let client = if number % 2 == 0 { one.client.clone() } else { two.client.clone() };
        let payload = payload.clone();
        tokio::spawn(async move { client.call_with_key("/cards/topup", payload, "topup-1").await })
    });
    let calls: Vec<_> = calls.collect();
    let mut orders = Vec::new();
    for call in calls {
        orders.push(call.await.unwrap().unwrap()["order_id"].clone());
    }
    orders.dedup();
    assert_eq!(orders.len(), 1);
    assert_eq!(two.balance().await, "974.70");
    let body = one.envelope.seal(&json!({})).unwrap();
    let path = "/api/v1/project/balance";
    assert_eq!(one.post(path, &one.headers(), body.as_bytes()).await.unwrap().status, 200);
    assert_eq!(two.post(path, &two.headers(), body.as_bytes()).await.unwrap().status, 400, "claims are shared");
}

#[tokio::test]
async fn what_cannot_be_had_is_one_line() {
    use cardseal_server::{Options, Project, Sandbox};
    let failed = async |change: fn(&mut Options)| {
        let mut options = Options::default();
        change(&mut options);
        let message = Sandbox::start(options).await.unwrap_err().to_string();
        assert!(!message.contains('\n') && !message.contains("the same secret"), "{message}");
        message
    };
    let message = failed(|options| options.data = Some("/no/such/folder/state.db".into())).await;
    assert!(message.contains("/no/such/folder/state.db"), "{message}");
    let message = failed(|options| options.projects = vec![Project::new("key_1", "short")]).await;
    assert!(message.contains("at least 8"), "{message}");
    let message = failed(|options| options.projects = vec![Project::new("key 1", "long enough")]).await;
    assert!(message.contains("API key"), "{message}");
    let message = failed(|options| {
        options.projects = ["one", "two"].map(|key| Project::new(key, "the same secret")).into();
    })
    .await;
    assert!(message.contains("belong together"), "{message}");
    let message = failed(|options| options.balance = "much".to_owned()).await;
    assert!(message.contains("1000.00"), "{message}");
    let message = failed(|options| options.redis = Some("redis://127.0.0.1:1".to_owned())).await;
    assert!(message.contains("Redis"), "{message}");
}
