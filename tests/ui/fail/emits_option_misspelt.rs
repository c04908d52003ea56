use outbox_runtime::{Error, OutboxTx, Postgres, emits};

#[emits(name = "a", inputs(id))]
async fn a(tx: OutboxTx<Postgres>, id: u64) -> Result<(), Error> {
    let _ = (tx, id);
    Ok(())
}

#[emits(nam = "b")]
async fn b(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(name = "c", name = "d")]
async fn c(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

fn main() {}
