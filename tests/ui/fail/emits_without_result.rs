use outbox_runtime::{OutboxTx, Postgres, emits};

#[emits(name = "a")]
async fn a(tx: OutboxTx<Postgres>) -> u64 {
    let _ = tx;
    1
}

#[emits(name = "b")]
async fn b(tx: OutboxTx<Postgres>) {
    let _ = tx;
}

#[emits(name = "c")]
async fn c(tx: OutboxTx<Postgres>) -> impl std::fmt::Display {
    let _ = tx;
    1
}

#[emits(name = "d", infallible)]
async fn d(tx: OutboxTx<Postgres>) -> Result<u64, outbox_runtime::Error> {
    let _ = tx;
    Ok(1)
}

fn main() {}
