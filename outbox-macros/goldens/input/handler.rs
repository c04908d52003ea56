//! One handler that emits.

use outbox_runtime::{OutboxTx, Sqlite, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlaceOrder {
    /// What.
    pub sku: String,
    /// What pays for it.
    pub card: String,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// Which order.
    pub id: u64,
}

/// Takes an order.
#[emits(name = "rpc.orders.place", key = output.id, input(order), skip(input.card))]
pub async fn place_order(
    tx: OutboxTx<Sqlite>,
    order: PlaceOrder,
) -> Result<Order, outbox_runtime::Error> {
    let _ = (tx, order);
    Ok(Order { id: 7 })
}
