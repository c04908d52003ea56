//! Events in every form.

use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 3, key = order_id, upcast(from = OrderPlacedV2))]
#[event(reserved("coupon"))]
pub struct OrderPlaced {
    /// The order.
    pub order_id: u64,
    /// What it costs.
    pub total: i64,
}

/// An order was placed, last year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, key = self.order_id, no_upcast, retired)]
pub struct OrderPlacedV2 {
    /// The order.
    pub order_id: u64,
}

/// An order was placed, long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", retired, crate = outbox_runtime)]
pub struct OrderPlacedV1 {
    /// The order, by its old number.
    pub number: u64,
}

impl From<OrderPlacedV2> for OrderPlaced {
    fn from(older: OrderPlacedV2) -> Self {
        Self { order_id: older.order_id, total: 0 }
    }
}

/// An order was changed.
#[derive(Clone, Debug, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
#[event(name = "order.changed", key = order_id)]
pub enum OrderChanged {
    /// It has another name.
    Renamed {
        /// The order.
        order_id: Option<u64>,
        /// The name.
        name: String,
    },
    /// It was sent.
    Shipped {
        /// The order.
        order_id: Option<u64>,
    },
}

/// Something moved.
#[derive(Clone, Debug, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "moved", key = 0)]
pub struct Moved(String, (i32, i32));

/// Time passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "ticked")]
pub struct Ticked;

/// An event with a computed key.
#[derive(Clone, Debug, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "computed", key = format!("{}/{}", self.tenant, self.number))]
pub struct Computed {
    /// Whose it is.
    pub tenant: String,
    /// Which one.
    pub number: u32,
}
