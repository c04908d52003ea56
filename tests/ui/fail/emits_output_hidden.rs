use outbox_runtime::{Error, OutboxTx, Postgres, emits};

#[emits(name = "a")]
async fn a(tx: OutboxTx<Postgres>) -> Result<impl std::fmt::Display, Error> {
    let _ = tx;
    Ok(1)
}

type ApiResult = Result<u8, Error>;

#[emits(name = "b")]
async fn b(tx: OutboxTx<Postgres>) -> ApiResult {
    let _ = tx;
    Ok(1)
}

#[emits(name = "c", infallible)]
async fn c(tx: OutboxTx<Postgres>) -> impl std::fmt::Display {
    let _ = tx;
    1
}

fn main() {}
