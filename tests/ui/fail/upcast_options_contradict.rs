use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, upcast(from = OrderPlacedV1), no_upcast)]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", upcast(from = OrderPlaced))]
struct OrderPlacedV1 {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid", no_upcast)]
struct OrderPaid {}

fn main() {}
