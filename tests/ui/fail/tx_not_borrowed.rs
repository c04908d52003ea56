use outbox_runtime::{Delivery, Event, Tx, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "stock.reserve", delivery = tx)]
async fn reserve(_: Delivery<OrderPlaced>, _: Tx<'_, sqlx::Postgres>) {}

#[consumer(name = "stock.release", delivery = tx)]
async fn release(_: Delivery<OrderPlaced>, _: &Tx<'_, sqlx::Postgres>) {}

fn main() {}
