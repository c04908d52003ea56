use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "email.receipt", timeout = "10 mins")]
async fn receipt(_: Delivery<OrderPlaced>) {}

#[consumer(name = "email.reminder", delay = "soon", timeout = "0s")]
async fn remind(_: Delivery<OrderPlaced>) {}

#[consumer(name = "email.thanks", retry(backoff = "1s..15"))]
async fn thank(_: Delivery<OrderPlaced>) {}

fn main() {}
