use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = oder_id)]
struct OrderPlaced {
    order_id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid", key = "order_id")]
struct OrderPaid {
    order_id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.shipped", key = order.id)]
struct OrderShipped {
    order: Order,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.changed", key = order_id)]
enum OrderChanged {
    Renamed { order_id: u64 },
    Dropped,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tick", key = id)]
struct Tick;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "pair", key = 2)]
struct Pair(u64, u64);

fn main() {}
