use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

struct MailError;

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>) -> Result<(), MailError> {
    Err(MailError)
}

#[consumer(name = "email.reminder")]
async fn remind(_: Delivery<OrderPlaced>) -> u64 {
    7
}

fn main() {}
