use outbox_runtime::{Context, Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid")]
struct OrderPaid {}

struct Mailer;

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>, _: Delivery<OrderPaid>) {}

#[consumer(name = "email.reminder")]
async fn remind(_: Delivery<OrderPlaced>, _: Mailer) {}

#[consumer(name = "email.thanks")]
async fn thank(_: Delivery<OrderPlaced>, _: Context, _: Context) {}

fn main() {}
