use outbox_runtime::{Event, EventKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(EventKey)]
struct Nothing;

#[derive(EventKey, Serialize, Deserialize, JsonSchema)]
struct OrderNumber {
    year: u32,
    number: u32,
}

#[derive(EventKey)]
enum Order {
    Id(u64),
    Name(String),
}

#[derive(EventKey)]
union Both {
    id: u64,
    number: u64,
}

#[derive(EventKey)]
struct Price(f64);

#[derive(EventKey)]
#[event_key(krate = outbox_runtime)]
struct Elsewhere(u64);

// The type is reported once, and not its uses.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = number)]
struct OrderPlaced {
    number: OrderNumber,
}

fn main() {}
