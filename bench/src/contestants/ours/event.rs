//! The payload of the benchmarks as an event of this project.

use outbox_contest::Order;
use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order was placed.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "bench.order_placed", version = 1, key = key)]
pub(super) struct OrderPlaced {
    pub(super) n: u64,
    pub(super) key: String,
    customer: String,
    amount_cents: u64,
    gift: bool,
    note: String,
}

impl OrderPlaced {
    pub(super) fn of(n: u64) -> Self {
        let Order { n, key, customer, amount_cents, gift, note } = Order::of(n);
        Self { n, key, customer, amount_cents, gift, note }
    }
}
