use outbox_runtime::{Batch, Delivery, Error, Event, Outbox, OutboxTx, Postgres, Tx, consumer, emits, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event)]
#[event(name = "order.placed", version = 2, key = id, upcast(from = OrderPlacedV1))]
struct OrderPlaced {
    id: u64,
}

#[derive(Event, Serialize, Deserialize)]
#[event(name = "order.placed", retired)]
struct OrderPlacedV1 {}

#[derive(Event, Serialize, JsonSchema)]
#[event(name = "order.paid")]
enum OrderPaid {
    Cash,
}

#[derive(Event, Deserialize, JsonSchema)]
#[event(name = "order.shipped")]
struct OrderShipped {}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(_: OrderPlacedV1) -> Self {
        Self { id: 0 }
    }
}

// What uses them is not to blame.
#[consumer(name = "email.receipt", when = |order| order.id > 0)]
async fn receipt(_: Delivery<OrderPlaced>) {}

#[consumer(name = "analytics", batch(max = 10))]
async fn track(_: Batch<OrderPaid>) {}

#[consumer(name = "stock.reserve", delivery = tx, delay = |_| std::time::Duration::from_secs(1))]
async fn reserve(_: OrderShipped, _: &mut Tx<'_, Postgres>) {}

#[emits(OrderShipped, with = || OrderShipped {})]
async fn ship(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

registry! {
    struct Shop;
    events: [OrderPlaced, OrderPlacedV1, OrderPaid, OrderShipped],
    handlers: [ship],
    consumers: [receipt, track, reserve],
}

async fn place(outbox: &Outbox<Shop, Postgres>, tx: &mut Tx<'_, Postgres>) {
    let _ = outbox.emit(tx, OrderPlaced { id: 7 }).await;
    let _ = outbox.emit(tx, OrderPaid::Cash).await;
}

fn main() {}
