use outbox_runtime::{Delivery, Event, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>) {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid")]
struct OrderPaid {}

registry! {
    struct Shop;
    events: [OrderPaid],
    consumers: [receipt],
}

fn main() {}
