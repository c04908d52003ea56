use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

fn positive(total: &i64) -> bool {
    *total > 0
}

#[consumer(name = "email.receipt", when = positive)]
async fn receipt(_: Delivery<OrderPlaced>) {}

#[consumer(name = "email.reminder", when = |event| event.total)]
async fn remind(_: Delivery<OrderPlaced>) {}

#[consumer(name = "email.thanks", delay = |event, _| event.total)]
async fn thank(_: Delivery<OrderPlaced>) {}

fn main() {}
