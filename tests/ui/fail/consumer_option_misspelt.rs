use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "email.receipt", retires(max = 3))]
async fn receipt(_: Delivery<OrderPlaced>) {}

#[consumer(name = "email.reminder", priority = 7)]
async fn remind(_: Delivery<OrderPlaced>) {}

#[consumer(name = "email.thanks", retry(maximum = 3), on_dead = hold_on, ordered)]
async fn thank(_: Delivery<OrderPlaced>) {}

fn main() {}
