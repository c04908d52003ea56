use outbox_runtime::{Error, OutboxTx, Postgres, emits};

#[emits(name = "a", input(id))]
async fn a(tx: OutboxTx<Postgres>, id: u64) -> Result<String, Error> {
    let _ = tx;
    Ok(id)
}

#[emits(name = "b")]
async fn b(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
}

#[emits(name = "c")]
async fn c(tx: OutboxTx<Postgres>) -> Result<u8, Error> {
    let _ = tx;
    let number: u8 = "7".parse()?;
    Ok(number)
}

fn main() {}
