use outbox_runtime::{Delivery, Event, Retry, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

fn patient(attempt: u32) -> Retry {
    let _ = attempt;
    Retry::Dead
}

#[consumer(name = "email.receipt", retry = patient)]
async fn receipt(_: Delivery<OrderPlaced>) {}

fn main() {}
