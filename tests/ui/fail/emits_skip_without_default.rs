use outbox_runtime::{Error, OutboxTx, Postgres, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Card(String);

#[derive(Serialize, Deserialize, JsonSchema)]
struct PlaceOrder {
    sku: String,
    card: Card,
}

#[emits(name = "a", input(order), skip(input.card))]
async fn a(tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<(), Error> {
    let _ = (tx, order);
    Ok(())
}

fn main() {}
