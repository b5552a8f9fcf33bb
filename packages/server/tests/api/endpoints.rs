//! Every endpoint does what the protocol says of it.

use serde_json::json;

use crate::support::Bench;

#[tokio::test]
async fn a_card_is_issued_topped_up_frozen_and_unfrozen() {
    let client = Bench::start().await;
    let card_id = client.active_card("user-1").await;
    assert_eq!(client.balance().await, "984.85"); // 1000 - 5.00 - 10.00 - 1.5 %

    let order = client.call("/cards/topup", json!({"card_id": card_id, "amount": "20.00"})).await.unwrap();
    assert_eq!((&order["status"], &order["topup_status"]), (&json!("new"), &json!("new")));
    assert_eq!((&order["balance_before"], &order["balance_after"]), (&json!("984.85"), &json!("964.55")));
    let order = client.ended(order["order_id"].as_str().unwrap()).await;
    assert_eq!((&order["status"], &order["topup_status"]), (&json!("completed"), &json!("completed")));

    let card = client.call("/cards/get", json!({"card_id": card_id})).await.unwrap();
    assert_eq!(card["balance"], "30.00");
    assert_eq!((&card["provider_card_status"], &card["is_issued"]), (&json!("active"), &json!(true)));

    for (path, status) in [("/cards/freeze", "frozen"), ("/cards/unfreeze", "active")] {
        let order = client.call(path, json!({"card_id": card_id, "external_user_id": "user-1"})).await.unwrap();
        let order = client.ended(order["order_id"].as_str().unwrap()).await;
        assert_eq!(order["status"], "completed", "{order}");
        let card = client.call("/cards/get", json!({"card_id": card_id})).await.unwrap();
        assert_eq!(card["provider_card_status"], status);
    }
}
