use outbox_runtime::{Delivery, Event, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(version = 2, no_upcast)]
struct OrderPaid {}

// What uses them is not to blame.
#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>) {}

registry! {
    struct Shop;
    events: [OrderPlaced, OrderPaid],
    consumers: [receipt],
}

fn main() {}
