//! Cards: the products, their issue, top-ups, and changes of status.

use cardseal::CardStatus;
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::{Value, json};

use super::{Call, cardholders, orders, users, wallet};
use crate::catalog::{PRODUCTS, Product, product};
use crate::clock::iso;
use crate::money::Money;
use crate::orders::{Card, NewOrder, Order, OrderType};
use crate::refusal::{Refusal, Result};

/// `/cards/products` → all products, those that cannot be ordered too. The shape is ours.
pub(super) fn products() -> Result<Value> {
    Ok(json!({"products": PRODUCTS}))
}

/// `/cards/create`: a product and a user → an order. `amount`, the first top-up, is ours; without it the card waits for one.
pub(super) fn create(call: &Call<'_>) -> Result<i64> {
    let fields = call.fields();
    let code = match fields.optional_code("product_code")? {
        Some(code) => code,
        None => fields.optional_code("product_id")?.ok_or_else(|| Refusal::invalid("`product_code` is missing"))?,
    };
    let user = users::named(call)?;
    let product = product(&code)
        .ok_or_else(|| Refusal::new("product_not_found", "there is no such product: `/cards/products` lists them"))?;
    if !product.is_active {
        return Err(Refusal::new("product_not_active", "this product cannot be ordered at present"));
    }
    if !cardholders::is_cardholder(call, user, product.subprovider_code)? {
        let message = "this user is no cardholder with the product's provider: call `/cardholders/create` first";
        return Err(Refusal::new("cardholder_not_found", message));
    }
    let amount = fields.optional_amount("amount")?;
    if let Some(amount) = amount {
        check_limits(product, amount)?;
    }
    let amount = amount.unwrap_or(Money::ZERO);
    let card = Card::create(call, user, product.product_code)?;
    let cost = product.issue_fee.plus(with_fee(product, amount));
    let data = json!({"product_code": product.product_code, "issue_fee": product.issue_fee, "amount": amount});
    order(call, NewOrder { order_type: OrderType::Issue, card, amount, cost, data })
}

/// `/cards/topup`: a card and an amount → an order.
pub(super) fn topup(call: &Call<'_>) -> Result<i64> {
    let card = named(call)?;
    let amount = call.fields().amount("amount")?;
    let product = product(&card.product_code).ok_or_else(|| Refusal::internal("a card without a product"))?;
    if let Some(currency) = call.fields().optional_text("currency")?
        && !currency.eq_ignore_ascii_case(product.currency)
    {
        let message = format!("this card is in {}: leave `currency` out or name that", product.currency);
        return Err(Refusal::new("currency_mismatch", message));
    }
    match card.status {
        CardStatus::Active | CardStatus::WaitForTopupActivationByUser => {}
        CardStatus::Frozen | CardStatus::Closed => {
            let message = format!("this card is {}: only an active one can be topped up", card.status);
            return Err(Refusal::new("card_not_active", message));
        }
        _ => {
            let message = "this card is not issued yet: wait until its order has ended";
            return Err(Refusal::new("card_issue_not_completed", message));
        }
    }
    check_limits(product, amount)?;
    if Order::failed_topups_since(call.tx, card.number, call.now - ATTEMPTS_MICROS)? >= MOST_FAILED_TOPUPS {
        let message = "too many top-ups of this card have failed within an hour: try again later";
        return Err(Refusal::new("topup_attempts_exceeded", message));
    }
    let cost = with_fee(product, amount);
    let data = json!({"amount": amount, "fee": cost.minus(amount), "currency": product.currency});
    order(call, NewOrder { order_type: OrderType::Topup, card: card.number, amount, cost, data })
}

/// `/cards/get`: `card_id` → the card.
pub(super) fn get(call: &Call<'_>) -> Result<Value> {
    let card = named(call)?;
    let user: String = call
        .tx
        .prepare_cached("SELECT external_user_id FROM users WHERE number = ?1")?
        .query_row([card.user], |row| row.get(0))?;
    let currency = product(&card.product_code).map(|product| product.currency);
    Ok(json!({
        "card_id": card.id,
        "is_issued": card.last4.is_some(),
        "provider_card_status": card.status,
        "product_code": card.product_code,
        "external_user_id": user,
        "balance": card.balance,
        "currency": currency,
        "masked_number": card.last4.as_ref().map(|last4| format!("**** **** **** {last4}")),
        "created_at": iso(card.created_at),
    }))
}

/// `/cards/freeze`: a card and its user → an order.
pub(super) fn freeze(call: &Call<'_>) -> Result<Value> {
    change_status(call, OrderType::Freeze, &CardStatus::Active)
}

/// `/cards/unfreeze`: a card and its user → an order.
pub(super) fn unfreeze(call: &Call<'_>) -> Result<Value> {
    change_status(call, OrderType::Unfreeze, &CardStatus::Frozen)
}

fn change_status(call: &Call<'_>, order_type: OrderType, from: &CardStatus) -> Result<Value> {
    let user = users::named(call)?;
    let card = named(call)?;
    if card.user != user {
        return Err(Refusal::new("card_user_mismatch", "this card belongs to another user"));
    }
    if card.status != *from || Order::has_open_status_change(call.tx, card.number)? {
        let message = format!("this takes a card that is {from} and whose status is not about to change");
        return Err(Refusal::new("invalid_card_status", message));
    }
    let data = json!({"external_user_id": call.fields().external_user_id()?});
    let new = NewOrder { order_type, card: card.number, amount: Money::ZERO, cost: Money::ZERO, data };
    orders::shown(&Order::read(call.tx, order(call, new)?)?)
}

/// Charges the wallet and writes the order, which belong together.
fn order(call: &Call<'_>, new: NewOrder) -> Result<i64> {
    let number = next_number(call.tx, "orders")?;
    let id = call.ids.id("order", number)?;
    let balances = if new.cost > Money::ZERO { Some(wallet::charge(call, new.cost, &id)?) } else { None };
    Order::create(call, number, &id, &new, balances)?;
    Ok(number)
}

/// The card that a request names.
fn named(call: &Call<'_>) -> Result<Card> {
    let card_id = call.fields().text("card_id")?;
    if !card_id.starts_with("card_") {
        return Err(Refusal::new("invalid_card_id", "`card_id` has to begin with card_"));
    }
    let number = call
        .tx
        .prepare_cached("SELECT number FROM cards WHERE project = ?1 AND id = ?2")?
        .query_row((call.project, card_id), |row| row.get(0))
        .optional()?;
    match number {
        Some(number) => Card::read(call.tx, number),
        None => Err(Refusal::new("card_not_found", "there is no card with this `card_id`")),
    }
}

fn check_limits(product: &Product, amount: Money) -> Result<()> {
    let Product { min_topup, max_topup, .. } = product;
    if amount < *min_topup {
        return Err(Refusal::new("amount_below_minimum", format!("`amount` has to be at least {min_topup}")));
    }
    if amount > *max_topup {
        return Err(Refusal::new("amount_above_maximum", format!("`amount` can be at most {max_topup}")));
    }
    Ok(())
}

fn with_fee(product: &Product, amount: Money) -> Money {
    amount.plus(amount.basis_points(product.topup_fee_basis_points))
}

/// The number that the next row of a table gets.
pub(super) fn next_number(tx: &Connection, table: &'static str) -> Result<i64> {
    let mut last = tx.prepare_cached(&format!("SELECT coalesce(max(number), 0) + 1 FROM {table}"))?;
    Ok(last.query_row([], |row| row.get(0))?)
}

/// How many top-ups of a card may fail within an hour.
const MOST_FAILED_TOPUPS: u32 = 3;
const ATTEMPTS_MICROS: i64 = 3_600_000_000;
