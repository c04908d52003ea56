use outbox_runtime::{Batch, Delivery, Event, Tx, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "a", delivery = tx, batch(max = 10))]
async fn a(_: Batch<OrderPlaced>) {}

#[consumer(name = "b", ordered, batch(max = 10))]
async fn b(_: Batch<OrderPlaced>) {}

#[consumer(name = "c", delivery = tx, concurrency = 4)]
async fn c(_: Delivery<OrderPlaced>, _: &mut Tx<'_, sqlx::Postgres>) {}

#[consumer(name = "d", on_dead = continue)]
async fn d(_: Delivery<OrderPlaced>) {}

#[consumer(name = "e", retry(backoff = "1s..1m", with = policy))]
async fn e(_: Delivery<OrderPlaced>) {}

fn main() {}
