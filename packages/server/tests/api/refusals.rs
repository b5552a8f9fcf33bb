//! Every slug that the endpoints can meet, with its status, sealed.

use cardseal::ERROR_SLUGS;
use serde_json::{Value, json};

use crate::support::{Bench, cardholder};

/// The refusal has the slug, comes sealed, and with the status that the protocol's table gives.
async fn assert_refused(bench: &Bench, path: &str, payload: Value, slug: &str, named: &str) {
    let error = bench.call(path, payload.clone()).await.expect_err(slug);
    let status = ERROR_SLUGS.iter().find(|known| known.slug == slug).unwrap().status;
    assert_eq!((error.slug.as_deref(), error.status, error.encrypted), (Some(slug), status, true), "{path} {payload}");
    assert!(error.message.contains(named), "{}", error.message);
    let sealed: Value = error.payload.unwrap().parse().unwrap();
    let members: Vec<_> = sealed.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((members, &sealed["success"]), (vec!["success", "error", "error_slug"], &json!(false)));
}

#[tokio::test]
async fn users_and_cardholders() {
    let bench = Bench::start().await;
    let refused = async |path, payload, slug, named| assert_refused(&bench, path, payload, slug, named).await;
    refused("/users/create", json!({}), "external_user_id_required", "external_user_id").await;
    refused("/users/create", json!({"external_user_id": null}), "external_user_id_required", "external_user_id").await;
    refused("/users/create", json!({"external_user_id": 7}), "invalid_request", "`external_user_id`").await;
    refused("/users/create", json!({"external_user_id": "x".repeat(256)}), "invalid_request", "255").await;
    refused("/cardholders/create", cardholder("nobody"), "user_not_found", "external_user_id").await;
    bench.call("/users/create", json!({"external_user_id": "user-1"})).await.unwrap();
    refused("/users/create", json!({"external_user_id": "user-1"}), "external_user_id_exists", "").await;

    let with = |name: &str, value: Value| {
        let mut payload = cardholder("user-1");
        payload[name] = value;
        payload
    };
    refused("/cardholders/create", with("subprovider_code", json!("nobody")), "invalid_subprovider_id", "").await;
    for (name, value) in [
        ("first_name", json!("")),
        ("last_name", json!(["x"])),
        ("birth_date", json!("1990-02-30")),
        ("birth_date", json!("10.12.1990")),
        ("email", json!("ada")),
        ("phone_number_full", json!("call me")),
        ("country_iso", json!("de")),
    ] {
        refused("/cardholders/create", with(name, value), "invalid_request", name).await;
    }
    bench.call("/cardholders/create", with("unknown", json!({"is": "ignored"}))).await.unwrap();
    refused("/cardholders/create", cardholder("user-1"), "cardholder_already_exists", "").await;
}

#[tokio::test]
async fn card_issue() {
    let bench = Bench::with(|options| options.balance = "20.00".to_owned()).await;
    let refused = async |payload, slug, named| assert_refused(&bench, "/cards/create", payload, slug, named).await;
    bench.call("/users/create", json!({"external_user_id": "user-1"})).await.unwrap();
    let order = |code: &str| json!({"product_code": code, "external_user_id": "user-1"});
    refused(order("virtual_usd"), "cardholder_not_found", "/cardholders/create").await;
    bench.call("/cardholders/create", cardholder("user-1")).await.unwrap();
    refused(json!({"external_user_id": "user-1"}), "invalid_request", "`product_code`").await;
    refused(json!({"product_code": "virtual_usd"}), "external_user_id_required", "").await;
    refused(json!({"product_code": "virtual_usd", "external_user_id": "nobody"}), "user_not_found", "").await;
    refused(order("platinum"), "product_not_found", "/cards/products").await;
    refused(order("metal_usd"), "product_not_active", "").await;
    let with_amount =
        |amount: Value| json!({"product_code": "virtual_usd", "external_user_id": "user-1", "amount": amount});
    for amount in [json!("ten"), json!("-10"), json!("0"), json!("10.001"), json!(-3), json!(0)] {
        refused(with_amount(amount), "invalid_amount", "`amount`").await;
    }
    refused(with_amount(json!(["10"])), "invalid_request", "`amount`").await;
    refused(with_amount(json!("9.99")), "amount_below_minimum", "10.00").await;
    refused(with_amount(json!("5000.01")), "amount_above_maximum", "5000.00").await;
    refused(with_amount(json!("20.00")), "insufficient_funds", "25.30").await;
    assert_eq!(bench.balance().await, "20.00");
}

#[tokio::test]
async fn top_up_and_status_change() {
    let bench = Bench::with(|options| options.step_millis = 3_600_000).await; // no order gets anywhere
    bench.cardholder("user-1").await;
    bench.cardholder("user-2").await;
    let payload = json!({"product_code": "virtual_usd", "external_user_id": "user-1"});
    let pending = bench.call("/cards/create", payload).await.unwrap()["card_id"].clone();
    let refused = async |path, payload, slug, named| assert_refused(&bench, path, payload, slug, named).await;
    refused("/cards/topup", json!({"card_id": pending, "amount": "10"}), "card_issue_not_completed", "").await;
    refused("/cards/topup", json!({"amount": "10"}), "invalid_request", "`card_id`").await;
    refused("/cards/topup", json!({"card_id": "4111", "amount": "10"}), "invalid_card_id", "card_").await;
    refused("/cards/topup", json!({"card_id": "card_0", "amount": "10"}), "card_not_found", "").await;
    refused("/cards/topup", json!({"card_id": pending}), "invalid_request", "`amount`").await;
    refused("/cards/get", json!({"card_id": "card_0"}), "card_not_found", "").await;
    refused("/orders/check", json!({"order_id": "order_0"}), "order_not_found", "").await;
    refused("/orders/check", json!({}), "invalid_request", "`order_id`").await;
    let change = |user: &str| json!({"card_id": pending, "external_user_id": user});
    refused("/cards/freeze", change("user-2"), "card_user_mismatch", "").await;
    refused("/cards/freeze", change("nobody"), "user_not_found", "").await;
    refused("/cards/freeze", change("user-1"), "invalid_card_status", "active").await;
    refused("/cards/unfreeze", change("user-1"), "invalid_card_status", "frozen").await;

    let bench = Bench::start().await;
    let card_id = bench.active_card("user-1").await;
    let refused = async |path, payload, slug, named| assert_refused(&bench, path, payload, slug, named).await;
    let euros = json!({"card_id": card_id, "amount": "10", "currency": "eur"});
    refused("/cards/topup", euros, "currency_mismatch", "usd").await;
    let order = bench.call("/cards/freeze", json!({"card_id": card_id, "external_user_id": "user-1"})).await.unwrap();
    bench.ended(order["order_id"].as_str().unwrap()).await;
    refused("/cards/topup", json!({"card_id": card_id, "amount": "10"}), "card_not_active", "frozen").await;
}

#[tokio::test]
async fn webhooks() {
    let bench = Bench::start().await;
    let refused = async |path, payload, named| assert_refused(&bench, path, payload, "invalid_request", named).await;
    for url in [json!(null), json!(5), json!("ftp://example.com/"), json!("not a url")] {
        refused("/wh/subscribe", json!({"url": url}), "`url`").await;
    }
    refused("/wh/unsubscribe", json!({"id": "sub_0"}), "`id`").await;
    for _ in 0..16 {
        bench.call("/wh/subscribe", json!({"url": "http://127.0.0.1:9/"})).await.unwrap();
    }
    refused("/wh/subscribe", json!({"url": "http://127.0.0.1:9/"}), "16").await;
}
