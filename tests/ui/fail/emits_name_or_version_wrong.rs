use outbox_runtime::{Error, OutboxTx, Postgres, emits};

#[emits]
async fn a(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(name = "Place Order")]
async fn b(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(name = "c", version = 0)]
async fn c(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(name = "d", version = 2)]
async fn d(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(name = "e", no_upcast)]
async fn e(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

fn main() {}
