//! The events that are not made from a handler: `orders.place` is, in `orders.rs`.

use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An order was paid.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "orders.paid", version = 1, key = order_id)]
pub struct OrderPaid {
    /// The order.
    pub order_id: Uuid,
    /// In cents.
    pub total: i64,
}

/// An order was cancelled, by the customer or because nobody paid.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "orders.cancelled", version = 1, key = order_id)]
pub struct OrderCancelled {
    /// The order.
    pub order_id: Uuid,
    /// What had been paid, in cents.
    pub paid: i64,
}

/// An order left the house.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "orders.shipped", version = 1, key = order_id)]
pub struct OrderShipped {
    /// The order.
    pub order_id: Uuid,
}

/// There is not enough of something any more.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "stock.short", version = 1, key = sku)]
pub struct StockShort {
    /// Of what.
    pub sku: String,
    /// How many are missing.
    pub missing: i64,
}
