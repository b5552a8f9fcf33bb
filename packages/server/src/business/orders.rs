//! Orders as the API shows them.

use serde_json::Value;

use super::Call;
use crate::orders::Order;
use crate::refusal::{Refusal, Result};

/// `/orders/check`: `order_id` → the order as it is now.
pub(super) fn check(call: &Call<'_>) -> Result<Value> {
    let order_id = call.fields().text("order_id")?;
    match Order::find(call.tx, call.project, order_id)? {
        Some(order) => shown(&order),
        None => Err(Refusal::new("order_not_found", "there is no order with this `order_id`")),
    }
}

/// The answer that shows an order.
pub(super) fn shown(order: &Order) -> Result<Value> {
    Ok(serde_json::to_value(order.view())?)
}
