use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "email.receipt", retry(backoff = "10m..1s"))]
async fn receipt(_: Delivery<OrderPlaced>) {}

#[consumer(name = "email.reminder", retry(backoff = "5s"))]
async fn remind(_: Delivery<OrderPlaced>) {}

fn main() {}
