use outbox_runtime::{Error, OutboxTx, Postgres, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct PlaceOrder {
    sku: String,
    card: String,
}

#[emits(name = "a", skip(input.card))]
async fn a(tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<(), Error> {
    let _ = (tx, order);
    Ok(())
}

#[emits(name = "b", input(order), skip(output.card))]
async fn b(tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<(), Error> {
    let _ = (tx, order);
    Ok(())
}

#[emits(name = "c", input(order), skip(order.card, input, card))]
async fn c(tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<(), Error> {
    let _ = (tx, order);
    Ok(())
}

#[emits(name = "d", input(order), skip(input.card, input.card))]
async fn d(tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<(), Error> {
    let _ = (tx, order);
    Ok(())
}

#[emits(name = "e", input(order), skip(input.crad))]
async fn e(tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<(), Error> {
    let _ = (tx, order);
    Ok(())
}

fn main() {}
