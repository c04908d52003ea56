use outbox_runtime::{Consumers, Delivery, Event, Tx, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "stock.reserve", delivery = tx)]
async fn reserve(_: Delivery<OrderPlaced>, _: &mut Tx<'_, sqlx::Postgres>) {}

registry! {
    struct Shop;
    events: [OrderPlaced],
    consumers: [reserve],
}

fn run<R: Consumers<sqlx::Sqlite>>() {}

fn starts_a_worker() {
    run::<Shop>();
}

fn main() {}
