use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {}

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>);

fn main() {}
