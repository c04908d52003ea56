use outbox_runtime::{Batch, Event, Tx, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "analytics")]
async fn track(_: Batch<OrderPlaced>) {}

#[consumer(name = "analytics.exactly", delivery = tx)]
async fn track_exactly(_: Batch<OrderPlaced>, _: &mut Tx<'_, sqlx::Postgres>) {}

fn main() {}
