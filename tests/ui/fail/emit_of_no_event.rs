use outbox_runtime::{Event, Outbox, Postgres, Tx, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {}

#[derive(Serialize, Deserialize, JsonSchema)]
struct OrderPaid {}

registry! {
    struct Shop;
    events: [OrderPlaced],
}

async fn place(outbox: Outbox<Shop, Postgres>) -> outbox_runtime::Result<()> {
    let mut tx: Tx<'_, Postgres> = outbox.begin().await?;
    outbox.emit(&mut tx, OrderPaid {}).await?;
    outbox.emit_all(&mut tx, ["paid"]).await?;
    tx.commit().await
}

fn main() {}
