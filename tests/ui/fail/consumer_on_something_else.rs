use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "email.receipt")]
struct Receipt {}

#[consumer(name = "email.receipt")]
pub mod receipts {}

trait Mails {
    #[consumer(name = "email.receipt")]
    async fn receipt(order: Delivery<OrderPlaced>);
}

fn main() {}
