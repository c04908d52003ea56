use outbox_runtime::{Error, OutboxTx, Postgres, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct PlaceOrder {
    sku: String,
    card: String,
}

#[emits(name = "a", input(sku))]
async fn a(tx: OutboxTx<Postgres>, PlaceOrder { sku, card }: PlaceOrder) -> Result<(), Error> {
    let _ = (tx, sku, card);
    Ok(())
}

#[emits(name = "b", input(id))]
async fn b(tx: OutboxTx<Postgres>, id: impl Into<u64>) -> Result<(), Error> {
    let _ = (tx, id.into());
    Ok(())
}

#[emits(name = "c", input(id))]
async fn c<T: Into<u64>>(tx: OutboxTx<Postgres>, id: T) -> Result<(), Error> {
    let _ = (tx, id.into());
    Ok(())
}

#[emits(name = "d", input(id))]
async fn d(tx: OutboxTx<Postgres>, id: Option<&str>) -> Result<(), Error> {
    let _ = (tx, id);
    Ok(())
}

#[emits(name = "e")]
async fn e<T>(tx: OutboxTx<Postgres>, id: T) -> Result<T, Error> {
    let _ = tx;
    Ok(id)
}

fn main() {}
