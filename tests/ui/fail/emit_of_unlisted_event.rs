use outbox_runtime::{Emit, Event, Outbox, Postgres, Tx, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid")]
struct OrderPaid {}

registry! {
    struct Shop;
    events: [OrderPaid],
}

async fn place(outbox: Outbox<Shop, Postgres>) -> outbox_runtime::Result<()> {
    let mut tx: Tx<'_, Postgres> = outbox.begin().await?;
    outbox.emit(&mut tx, OrderPlaced {}).await?;
    outbox.emit(&mut tx, Emit::new(OrderPlaced {}).dedup_key("7")).await?;
    outbox.emit_all(&mut tx, [OrderPlaced {}, OrderPlaced {}]).await?;
    outbox.emit_changed::<OrderPlaced, _>("delete from cart returning id").run(&mut tx).await?;
    tx.commit().await
}

fn main() {}
