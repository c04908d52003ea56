use outbox_runtime::{Event, Outbox, Postgres, Sqlite, Tx, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {}

registry! {
    struct Shop;
    events: [OrderPlaced],
}

async fn place(
    outbox: Outbox<Shop, Postgres>,
    ours: &mut Tx<'_, Sqlite>,
    sqlx: &mut sqlx::Transaction<'_, Sqlite>,
) -> outbox_runtime::Result<()> {
    outbox.emit(ours, OrderPlaced {}).await?;
    outbox.emit(sqlx, OrderPlaced {}).await?;
    Ok(())
}

fn main() {}
