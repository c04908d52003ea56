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
async fn receipt(_: Delivery<OrderPlaced>) {
    let shared = std::rc::Rc::new(7);
    std::future::ready(()).await;
    drop(shared);
}

fn main() {}
