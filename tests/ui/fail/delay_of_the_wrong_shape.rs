use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    seconds: u64,
}

fn seconds(order: &OrderPlaced) -> u64 {
    order.seconds
}

#[consumer(name = "no-duration", delay = seconds)]
async fn no_duration(_: Delivery<OrderPlaced>) {}

#[consumer(name = "no-duration.closure", delay = |order| order.seconds)]
async fn no_duration_closure(_: Delivery<OrderPlaced>) {}

#[consumer(name = "no-argument", delay = || std::time::Duration::ZERO)]
async fn no_argument(_: Delivery<OrderPlaced>) {}

#[consumer(name = "a-number", delay = 30)]
async fn a_number(_: Delivery<OrderPlaced>) {}

fn main() {}
