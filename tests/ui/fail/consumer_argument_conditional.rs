use outbox_runtime::{Context, Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {}

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>, #[cfg(debug_assertions)] _: Context) {}

fn main() {}
