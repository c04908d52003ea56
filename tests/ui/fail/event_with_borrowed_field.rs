use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {
    customer: &'static str,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.changed")]
enum OrderChanged {
    Renamed(Option<&'static str>),
}

// Whoever says how a reference is read, may have one.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.shipped")]
struct OrderShipped {
    #[serde(skip)]
    cached: &'static str,
}

fn main() {}
