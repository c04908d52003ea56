use outbox_runtime::{Delivery, Event, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer]
async fn receipt(_: Delivery<OrderPlaced>) {}

#[consumer("email.reminder")]
async fn remind(_: Delivery<OrderPlaced>) {}

#[consumer(name = "Email Thanks")]
async fn thank(_: Delivery<OrderPlaced>) {}

registry! {
    struct Shop;
    events: [OrderPlaced],
    consumers: [receipt, remind, thank],
}

fn main() {}
