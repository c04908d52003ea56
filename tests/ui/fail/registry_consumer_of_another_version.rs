use outbox_runtime::{Event, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, no_upcast)]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlacedV1 {}

#[consumer(name = "email.receipt")]
async fn receipt(_: OrderPlacedV1) {}

registry! {
    struct Shop;
    events: [OrderPlaced],
    consumers: [receipt],
}

fn main() {}
