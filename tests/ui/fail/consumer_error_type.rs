use outbox_runtime::{Batch, Delivery, Event, consumer};
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

#[consumer(name = "email.thanks")]
async fn thank(_: Delivery<OrderPlaced>) -> Result<u64, std::io::Error> {
    Ok(7)
}

#[consumer(name = "analytics", batch(max = 10))]
async fn track(_: Batch<OrderPlaced>) -> Result<(), MailError> {
    Err(MailError)
}

#[consumer(name = "analytics.count", batch(max = 10))]
async fn count(_: Batch<OrderPlaced>) -> Result<String, std::io::Error> {
    Ok(String::new())
}

fn main() {}
