use outbox_runtime::{Error, OutboxTx, Postgres, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct PlaceOrder {
    sku: String,
    card: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    id: u64,
}

#[emits(name = "a", key = order.sku, input(order))]
async fn a(tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<(), Error> {
    let _ = (tx, order);
    Ok(())
}

#[emits(name = "b", key = input.sku)]
async fn b(tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<(), Error> {
    let _ = (tx, order);
    Ok(())
}

#[emits(name = "c", key = output.id)]
async fn c(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(name = "d", key = "output.id")]
async fn d(tx: OutboxTx<Postgres>) -> Result<Order, Error> {
    let _ = tx;
    Ok(Order { id: 1 })
}

#[emits(name = "e", key = input.card, input(order), skip(input.card))]
async fn e(tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<(), Error> {
    let _ = (tx, order);
    Ok(())
}

#[emits(name = "f", key = output.number)]
async fn f(tx: OutboxTx<Postgres>) -> Result<Order, Error> {
    let _ = tx;
    Ok(Order { id: 1 })
}

#[emits(name = "g", key = output)]
async fn g(tx: OutboxTx<Postgres>) -> Result<Order, Error> {
    let _ = tx;
    Ok(Order { id: 1 })
}

fn main() {}
