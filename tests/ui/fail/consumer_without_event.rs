use outbox_runtime::{Context, Delivery, Event, State, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "email.receipt")]
async fn receipt() {}

#[consumer(name = "email.reminder")]
async fn remind(_: State<u64>, _: Context) {}

#[consumer(name = "email.thanks")]
async fn thank(_: &OrderPlaced) {}

#[consumer(name = "email.offer")]
async fn offer(_: Delivery<OrderPlaced>, _: impl Send) {}

registry! {
    struct Shop;
    events: [OrderPlaced],
    consumers: [receipt, remind, thank],
}

fn main() {}
