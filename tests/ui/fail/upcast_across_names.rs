use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, upcast(from = OrderPaid))]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid", version = 1)]
struct OrderPaid {}

impl From<OrderPaid> for OrderPlaced {
    fn from(_: OrderPaid) -> Self {
        Self {}
    }
}

fn main() {}
