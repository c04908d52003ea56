use outbox_runtime::{Batch, Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "a", ordered = true, timeout = 20, concurrency = 0, shards = many, audit())]
async fn a(_: Delivery<OrderPlaced>) {}

#[consumer(name = "b", retry = 5, when = "total > 0", delivery = once, start = "now")]
async fn b(_: Delivery<OrderPlaced>) {}

#[consumer(name = "c", retry, start = yesterday, batch)]
async fn c(_: Batch<OrderPlaced>) {}

#[consumer(name = "d", start = "2026-02-30T00:00:00Z", batch(wait = "1s"), retry = "none")]
async fn d(_: Batch<OrderPlaced>) {}

fn main() {}
