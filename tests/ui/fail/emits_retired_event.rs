use outbox_runtime::{Error, Event, OutboxTx, Postgres, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", retired)]
struct OrderPlaced {
    id: u64,
}

#[emits(OrderPlaced, with = || OrderPlaced { id: 1 })]
async fn place_order(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

fn main() {}
