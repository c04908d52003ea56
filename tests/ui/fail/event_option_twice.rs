use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 1, version = 2)]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid")]
#[event(name = "order.payed")]
struct OrderPaid {}

fn main() {}
