use outbox_runtime::{Error, Event, OutboxTx, Postgres, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {
    id: u64,
}

#[emits(OrderPlaced, with = |name: &String| OrderPlaced { id: name.len() as u64 })]
async fn a(tx: OutboxTx<Postgres>, name: String) -> Result<(), Error> {
    let _ = tx;
    drop(name);
    Ok(())
}

fn main() {}
