use outbox_runtime::{Event, Outbox, Postgres, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {}

registry! {
    struct Shop;
    events: [OrderPlaced],
}

async fn place(outbox: Outbox<Shop, Postgres>, mut pool: sqlx::PgPool) -> outbox_runtime::Result<()> {
    outbox.emit(&mut pool, OrderPlaced {}).await?;
    outbox.emit(&pool, OrderPlaced {}).await?;
    outbox.emit_all(&mut pool, [OrderPlaced {}]).await?;
    Ok(())
}

fn main() {}
