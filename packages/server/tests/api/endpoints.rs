//! Every endpoint does what the protocol says of it.

use cardseal::IdempotencyKey;
use serde_json::json;

use crate::support::{Bench, cardholder};

#[tokio::test]
async fn the_wallet_has_an_address_and_a_balance() {
    let bench = Bench::with(|options| options.balance = "12.5".to_owned()).await;
    let balance = bench.call("/project/balance", json!({})).await.unwrap();
    assert_eq!(balance, json!({"available": "12.50", "currency": "usdt"}));
    let wallet = bench.call("/project/wallet/trc20", json!({})).await.unwrap();
    let address = wallet["usdt_trc20"].as_str().unwrap();
    assert_eq!((address.len(), &address[..8]), (34, "TSandbox"));
}

#[tokio::test]
async fn a_user_becomes_a_cardholder() {
    let bench = Bench::start().await;
    let user = bench.call("/users/create", json!({"external_user_id": "user-1"})).await.unwrap();
    assert_eq!(user["external_user_id"], "user-1");
    assert!(user["user_id"].as_str().unwrap().starts_with("user_"));
    let holder = bench.call("/cardholders/create", cardholder("user-1")).await.unwrap();
    assert!(holder["cardholder_id"].as_str().unwrap().starts_with("cardholder_"));
    assert_eq!(
        (&holder["registration_status"], &holder["kyc_status"], &holder["kyc_level"]),
        (&json!("active"), &json!("approved"), &json!("basic"))
    );
}

#[tokio::test]
async fn products_are_named_with_what_they_cost() {
    let products = Bench::start().await.call("/cards/products", json!({})).await.unwrap();
    let virtual_usd = &products["products"][0];
    assert_eq!(virtual_usd["product_code"], "virtual_usd");
    assert_eq!((&virtual_usd["issue_fee"], &virtual_usd["min_topup"]), (&json!("5.00"), &json!("10.00")));
}

#[tokio::test]
async fn a_card_is_issued_topped_up_frozen_and_unfrozen() {
    let bench = Bench::start().await;
    let card_id = bench.active_card("user-1").await;
    assert_eq!(bench.balance().await, "984.85"); // 1000 - 5.00 - 10.00 - 1.5 %

    let order = bench.call("/cards/topup", json!({"card_id": card_id, "amount": "20.00"})).await.unwrap();
    assert_eq!((&order["status"], &order["topup_status"]), (&json!("new"), &json!("new")));
    assert_eq!((&order["balance_before"], &order["balance_after"]), (&json!("984.85"), &json!("964.55")));
    let order = bench.ended(order["order_id"].as_str().unwrap()).await;
    assert_eq!((&order["status"], &order["topup_status"]), (&json!("completed"), &json!("completed")));

    let card = bench.call("/cards/get", json!({"card_id": card_id})).await.unwrap();
    assert_eq!(card["balance"], "30.00");
    assert_eq!((&card["provider_card_status"], &card["is_issued"]), (&json!("active"), &json!(true)));

    for (path, status) in [("/cards/freeze", "frozen"), ("/cards/unfreeze", "active")] {
        let order = bench.call(path, json!({"card_id": card_id, "external_user_id": "user-1"})).await.unwrap();
        let order = bench.ended(order["order_id"].as_str().unwrap()).await;
        assert_eq!(order["status"], "completed", "{order}");
        let card = bench.call("/cards/get", json!({"card_id": card_id})).await.unwrap();
        assert_eq!(card["provider_card_status"], status);
    }
}

#[tokio::test]
async fn a_card_without_a_first_top_up_waits_for_one() {
    let bench = Bench::start().await;
    bench.cardholder("user-1").await;
    let payload = json!({"product_id": 1, "external_user_id": "user-1"}); // as older integrations name a product
    let order = bench.call("/cards/create", payload).await.unwrap();
    let order = bench.ended(order["order_id"].as_str().unwrap()).await;
    assert_eq!((&order["status"], &order["issue_status"]), (&json!("completed"), &json!("initial_topup_skipped")));
    let card_id = &order["card_id"];
    let status = async || bench.call("/cards/get", json!({"card_id": card_id})).await.unwrap();
    assert_eq!(status().await["provider_card_status"], "wait_for_topup_activation_by_user");
    let order = bench.call("/cards/topup", json!({"card_id": card_id, "amount": 10.5})).await.unwrap();
    bench.ended(order["order_id"].as_str().unwrap()).await;
    let card = status().await;
    assert_eq!((&card["provider_card_status"], &card["balance"]), (&json!("active"), &json!("10.50")));
}

#[tokio::test]
async fn an_order_shows_the_members_that_the_protocol_names() {
    let bench = Bench::start().await;
    bench.cardholder("user-1").await;
    let payload = json!({"product_code": "virtual_usd", "external_user_id": "user-1"});
    let order = bench.call("/cards/create", payload).await.unwrap();
    let order = bench.ended(order["order_id"].as_str().unwrap()).await;
    let members: Vec<_> = order.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "order_id",
            "order_type",
            "status",
            "issue_status",
            "card_id",
            "balance_before",
            "balance_after",
            "data",
            "created_at",
            "completed_at"
        ]
    );
    assert_eq!(order["order_type"], "card_issue");
    assert!(order["created_at"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn subscriptions_are_made_listed_and_ended() {
    let bench = Bench::start().await;
    let made = bench.call("/wh/subscribe", json!({"url": "http://127.0.0.1:9/hook"})).await.unwrap();
    let listed = bench.call("/wh/subscriptions", json!({})).await.unwrap();
    assert_eq!(listed, json!({"subscriptions": [made]}));
    bench.call("/wh/unsubscribe", json!({"id": made["id"]})).await.unwrap();
    assert_eq!(bench.call("/wh/subscriptions", json!({})).await.unwrap(), json!({"subscriptions": []}));
}

#[tokio::test]
async fn a_project_sees_nothing_of_another() {
    let bench = Bench::with(|options| {
        options.projects =
            ["one", "two"].map(|name| cardseal_server::Project::new(name, format!("secret of {name}"))).into();
    })
    .await;
    let mut other = bench.client.clone();
    other.api_key = "two".to_owned();
    other.envelope = cardseal::Envelope::new("secret of two").unwrap();

    let card_id = bench.active_card("user-1").await;
    assert_eq!(other.refusal("/cards/get", json!({"card_id": card_id})).await, "card_not_found");
    assert_eq!(other.balance().await, "1000.00");
    assert_eq!(other.refusal("/cards/topup", json!({"card_id": card_id, "amount": "10"})).await, "card_not_found");
    // The same key in another project is another key.
    let key = IdempotencyKey::generate().unwrap();
    other.cardholder("user-1").await;
    let payload = json!({"product_code": "virtual_usd", "external_user_id": "user-1"});
    let mine = bench.call_with_key("/cards/create", payload.clone(), key.as_str()).await.unwrap();
    let theirs = other.call_with_key("/cards/create", payload, key.as_str()).await.unwrap();
    assert_ne!(mine["order_id"], theirs["order_id"]);
    assert_eq!(other.refusal("/orders/check", json!({"order_id": mine["order_id"]})).await, "order_not_found");
}
