use outbox_runtime::{Event, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, no_upcast)]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, no_upcast)]
struct OrderPlacedAgain {}

registry! {
    struct Shop;
    events: [OrderPlaced, OrderPlacedAgain],
}

fn main() {}
