use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "Order Placed")]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order..paid")]
struct OrderPaid {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = order.shipped)]
struct OrderShipped {}

fn main() {}
