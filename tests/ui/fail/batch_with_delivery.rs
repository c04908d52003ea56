use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "analytics", batch(max = 500))]
async fn track(_: Delivery<OrderPlaced>) {}

#[consumer(name = "analytics.quietly", batch(max = 500))]
async fn track_quietly(_: OrderPlaced) {}

fn main() {}
