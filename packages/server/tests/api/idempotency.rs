//! One key, one order, one charge.

use serde_json::json;

use crate::support::Bench;

#[tokio::test]
async fn a_repeat_gets_the_order_as_it_is_and_charges_nothing() {
    let bench = Bench::start().await;
    let card_id = bench.active_card("user-1").await;
    let payload = json!({"card_id": card_id, "amount": "10.00"});
    let first = bench.call_with_key("/cards/topup", payload.clone(), "topup-1").await.unwrap();
    let charged = bench.balance().await;
    bench.ended(first["order_id"].as_str().unwrap()).await;
    let repeat = bench.call_with_key("/cards/topup", payload.clone(), "topup-1").await.unwrap();
    assert_eq!((&repeat["order_id"], &repeat["status"]), (&first["order_id"], &json!("completed")));
    // Members in another order, and one spelt otherwise, are the same request.
    let text = format!(r#"{{"amount":"\u0031\u0030.00","card_id":"{card_id}"}}"#);
    let options = cardseal::RequestOptions::new(&bench.api_key).idempotency_key("topup-1");
    let request = bench.envelope.seal_request_json("/cards/topup", &text, &options).unwrap();
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = bench.post(&request.path, &headers, request.body.as_bytes()).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(bench.balance().await, charged);
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let bench = Bench::start().await;
    let card_id = bench.active_card("user-1").await;
    bench.call_with_key("/cards/topup", json!({"card_id": card_id, "amount": "10.00"}), "topup-1").await.unwrap();
    let charged = bench.balance().await;
    for amount in [json!("10.01"), json!("10.0"), json!(10)] {
        let payload = json!({"card_id": card_id, "amount": amount});
        let error = bench.call_with_key("/cards/topup", payload, "topup-1").await.unwrap_err();
        assert_eq!(error.slug.as_deref(), Some("invalid_request"));
        assert!(error.message.contains("Idempotency-Key"), "{}", error.message);
    }
    let payload = json!({"product_code": "virtual_usd", "external_user_id": "user-1"});
    let error = bench.call_with_key("/cards/create", payload, "topup-1").await.unwrap_err();
    assert_eq!(error.slug.as_deref(), Some("invalid_request"), "on another path");
    assert_eq!(bench.balance().await, charged);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let bench = Bench::with(|options| options.balance = "30.00".to_owned()).await;
    let card_id = bench.active_card("user-1").await; // 14.85 are left
    let payload = json!({"card_id": card_id, "amount": "20.00"});
    let error = bench.call_with_key("/cards/topup", payload, "topup-1").await.unwrap_err();
    assert_eq!(error.slug.as_deref(), Some("insufficient_funds"));
    bench.call_with_key("/cards/topup", json!({"card_id": card_id, "amount": "10.00"}), "topup-1").await.unwrap();
}

#[tokio::test]
async fn the_key_is_looked_up_before_any_business_rule() {
    let bench = Bench::with(|options| options.balance = "25.00".to_owned()).await;
    let card_id = bench.active_card("user-1").await; // 9.85 are left
    let payload = json!({"product_code": "virtual_usd", "external_user_id": "user-1"});
    let first = bench.call_with_key("/cards/create", payload.clone(), "issue-1").await.unwrap(); // 4.85 are left
    let repeat = bench.call_with_key("/cards/create", payload, "issue-1").await.unwrap();
    assert_eq!(first["order_id"], repeat["order_id"], "although it could not be paid a second time");
    assert_ne!(first["card_id"], json!(card_id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_at_once_one_is_charged() {
    for data in [None, Some(tempfile::tempdir().unwrap())] {
        let bench =
            Bench::with(|options| options.data = data.as_ref().map(|folder| folder.path().join("state.db"))).await;
        let card_id = bench.active_card("user-1").await;
        let before: f64 = bench.balance().await.parse().unwrap();
        let payload = json!({"card_id": card_id, "amount": "10.00"});
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let (client, payload) = (bench.client.clone(), payload.clone());
                tokio::spawn(async move { client.call_with_key("/cards/topup", payload, "topup-1").await })
            })
            .collect();
        let mut orders = Vec::new();
        for call in calls {
            orders.push(call.await.unwrap().expect("every one is answered with the order")["order_id"].clone());
        }
        orders.dedup();
        assert_eq!(orders.len(), 1, "one order for all");
        let after: f64 = bench.balance().await.parse().unwrap();
        assert_eq!(format!("{:.2}", before - after), "10.15", "one charge");
    }
}
