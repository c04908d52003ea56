use outbox_runtime::{Error, OutboxTx, Postgres, emits};

struct PlaceOrder;

#[derive(serde::Serialize, serde::Deserialize)]
struct Order;

#[emits(name = "a", input(order))]
async fn a(tx: OutboxTx<Postgres>, order: PlaceOrder) -> Result<Order, Error> {
    let _ = (tx, order);
    Ok(Order)
}

#[emits(name = "b", input(order, id))]
async fn b(tx: OutboxTx<Postgres>, order: &PlaceOrder, id: u64) -> Result<(), Error> {
    let _ = (tx, order, id);
    Ok(())
}

fn main() {}
