use outbox_runtime::{Error, Event, OutboxTx, Postgres, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {
    id: u64,
}

#[emits(OrderPlaced, with = |id: &u64, name: &String| OrderPlaced { id: *id })]
async fn a(tx: OutboxTx<Postgres>, id: u64) -> Result<(), Error> {
    let _ = (tx, id);
    Ok(())
}

fn make(id: u64) -> OrderPlaced {
    OrderPlaced { id }
}

#[emits(OrderPlaced, with = make)]
async fn b(tx: OutboxTx<Postgres>, id: u64) -> Result<(), Error> {
    let _ = (tx, id);
    Ok(())
}

#[emits(OrderPlaced, with = |id| *id)]
async fn c(tx: OutboxTx<Postgres>, id: u64) -> Result<(), Error> {
    let _ = (tx, id);
    Ok(())
}

#[emits(OrderPlaced, with = || OrderPlaced { id: 0 })]
async fn d(tx: OutboxTx<Postgres>, name: &str, _: u8, ids: &[u64]) -> Result<String, Error> {
    let _ = (tx, ids);
    Ok(name.to_owned())
}

fn main() {}
