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

registry! {
    struct Nothing;
}

registry! {
    struct NothingEither;
    include: [],
    events: [],
    consumers: [],
}

registry! {
    struct Gap;
    include: [, NothingEither],
    handlers: [,],
    events: [OrderPlaced, , ],
    consumers: [receipt],
}

fn main() {}
