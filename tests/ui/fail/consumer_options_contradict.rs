use outbox_runtime::{Batch, Delivery, Event, Tx, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "batch-tx", delivery = tx, batch(max = 10))]
async fn batch_tx(_: Batch<OrderPlaced>) {}

#[consumer(name = "batch-tx.with-tx", delivery = tx, batch(max = 10))]
async fn batch_tx_with_tx(_: Delivery<OrderPlaced>, _: &mut Tx<'_, sqlx::Postgres>) {}

#[consumer(name = "batch-tx-ordered", delivery = tx, ordered, batch(max = 10))]
async fn batch_tx_ordered(_: Batch<OrderPlaced>) {}

#[consumer(name = "batch-ordered", ordered, batch(max = 10))]
async fn batch_ordered(_: Batch<OrderPlaced>) {}

#[consumer(name = "concurrency-tx", delivery = tx, concurrency = 4)]
async fn concurrency_tx(_: Delivery<OrderPlaced>, _: &mut Tx<'_, sqlx::Postgres>) {}

#[consumer(name = "on-dead-continue", on_dead = continue)]
async fn on_dead_continue(_: Delivery<OrderPlaced>) {}

#[consumer(name = "on-dead-hold", on_dead = hold)]
async fn on_dead_hold(_: Delivery<OrderPlaced>) {}

#[consumer(name = "backoff-with", retry(backoff = "1s..1m", with = policy))]
async fn backoff_with(_: Delivery<OrderPlaced>) {}

#[consumer(name = "none-and-more", retry = none, retry(max = 3))]
async fn none_and_more(_: Delivery<OrderPlaced>) {}

fn main() {}
