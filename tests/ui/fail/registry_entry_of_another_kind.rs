use outbox_runtime::{Delivery, Event, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

struct NotAnEvent;

async fn receipt(_: Delivery<OrderPlaced>) {}

struct NotAConsumer;

registry! {
    struct Shop;
    events: [OrderPlaced, NotAnEvent],
    consumers: [receipt, NotAConsumer],
}

registry! {
    struct Market;
    include: [NotARegistry],
    events: [OrderPlaced],
    handlers: [NotAHandler],
}

struct NotARegistry;

struct NotAHandler;

registry! {
    struct Bazaar;
    events: [OrderPlaced, OrderPayed],
}

fn main() {}
