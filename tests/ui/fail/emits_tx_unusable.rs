use outbox_runtime::{Error, OutboxTx, Postgres, Tx, emits};

#[emits(name = "a")]
async fn a(_: OutboxTx<Postgres>) -> Result<(), Error> {
    Ok(())
}

#[emits(name = "b")]
async fn b(tx: &Tx<'_, Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(name = "c")]
async fn c(tx: &mut OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(name = "d")]
async fn d(tx: OutboxTx<Postgres>, other: &mut Tx<'_, Postgres>) -> Result<(), Error> {
    let _ = (tx, other);
    Ok(())
}

fn main() {}
