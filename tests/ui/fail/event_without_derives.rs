use outbox_runtime::{Delivery, Event, Outbox, Postgres, Tx, consumer, registry};
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

registry! {
    struct Shop;
    events: [OrderPlaced, OrderPlacedV1, OrderPaid, OrderShipped],
    consumers: [receipt],
}

async fn place(outbox: &Outbox<Shop, Postgres>, tx: &mut Tx<'_, Postgres>) {
    let _ = outbox.emit(tx, OrderPlaced { id: 7 }).await;
    let _ = outbox.emit(tx, OrderPaid::Cash).await;
}

fn main() {}
