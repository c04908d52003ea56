use outbox_runtime::{Error, OutboxTx, Postgres, emits};

#[emits(name = e, version = "1", key, input = id, skip = input.card)]
async fn a(tx: OutboxTx<Postgres>, id: u64) -> Result<(), Error> {
    let _ = (tx, id);
    Ok(())
}

#[emits(name = "b", input(a.b), output, infallible = true, upcast(OrderV1), derive(Event))]
async fn b(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits("c")]
async fn c(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

fn main() {}
