use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", retird)]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid", priority = 7, Version = 2)]
struct OrderPaid {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event("order.shipped")]
struct OrderShipped {}

fn main() {}
