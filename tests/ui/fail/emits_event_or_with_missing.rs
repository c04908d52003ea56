use outbox_runtime::{Error, Event, OutboxTx, Postgres, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {
    id: u64,
}

#[emits(OrderPlaced)]
async fn a(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(name = "b", with = || OrderPlaced { id: 1 })]
async fn b(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(OrderPlaced, name = "c", with = || OrderPlaced { id: 1 }, key = output.id)]
async fn c(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

fn main() {}
