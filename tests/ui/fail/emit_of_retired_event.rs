use outbox_runtime::{Emit, Event, Outbox, Postgres, Tx, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, upcast(from = OrderPlacedV1))]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 1, retired)]
struct OrderPlacedV1 {}

impl From<OrderPlacedV1> for OrderPlaced {
    fn from(_: OrderPlacedV1) -> Self {
        Self {}
    }
}

registry! {
    struct Shop;
    events: [OrderPlaced, OrderPlacedV1],
}

async fn place(outbox: Outbox<Shop, Postgres>) -> outbox_runtime::Result<()> {
    let mut tx: Tx<'_, Postgres> = outbox.begin().await?;
    outbox.emit(&mut tx, OrderPlacedV1 {}).await?;
    outbox.emit(&mut tx, Emit::new(OrderPlacedV1 {}).dedup_key("7")).await?;
    outbox.emit_all(&mut tx, vec![OrderPlacedV1 {}]).await?;
    outbox.emit_changed::<OrderPlacedV1, _>("delete from cart returning id").run(&mut tx).await?;
    tx.commit().await
}

fn main() {}
