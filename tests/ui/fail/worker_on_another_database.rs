use outbox_runtime::{Delivery, Event, Outbox, Sqlite, Tx, Worker, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {}

#[consumer(name = "stock.reserve", delivery = tx)]
async fn reserve(_: Delivery<OrderPlaced>, _: &mut Tx<'_, sqlx::Postgres>) {}

registry! {
    struct Shop;
    events: [OrderPlaced],
    consumers: [reserve],
}

async fn work(outbox: Outbox<Shop, Sqlite>) -> outbox_runtime::Result<()> {
    Worker::new(outbox, ()).run_until(std::future::pending()).await?;
    Ok(())
}

fn main() {}
