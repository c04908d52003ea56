use outbox_runtime::{Delivery, Event, Tx, consumer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "stock.reserve")]
async fn reserve(_: Delivery<OrderPlaced>, _: &mut Tx<'_, sqlx::Postgres>) {}

fn main() {}
