use outbox_runtime::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", index(custommer, customer, customer))]
struct OrderPlaced {
    customer: String,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid", index("order"), key = order)]
struct OrderPaid {
    order: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.shipped", index(parcel))]
struct OrderShipped {
    #[serde(flatten)]
    parcel: Parcel,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Parcel {}

fn main() {}
