//! One event.

use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Debug, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 1, key = order_id)]
pub struct OrderPlaced {
    /// Which order.
    pub order_id: u64,
    /// In cents.
    pub total: i64,
}
