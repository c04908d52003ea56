use outbox_runtime::{Delivery, Event, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

struct Mailer;

impl Mailer {
    #[consumer(name = "email.receipt")]
    async fn receipt(&self, order: Delivery<OrderPlaced>) {
        let _ = order.total;
    }
}

fn main() {}
