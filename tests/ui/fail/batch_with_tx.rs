use outbox_runtime::{Batch, Event, Tx, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {}

#[consumer(name = "analytics", batch(max = 500))]
async fn track(_: Batch<OrderPlaced>, _: &mut Tx<'_, sqlx::Postgres>) {}

fn main() {}
