use outbox_runtime::{OutboxTx, Postgres, Tx, emits};

struct ApiError;

#[emits(name = "a")]
async fn a(tx: OutboxTx<Postgres>) -> Result<u8, ApiError> {
    let _ = tx;
    Ok(1)
}

#[emits(name = "b")]
async fn b(tx: &mut Tx<'_, Postgres>) -> Result<(), String> {
    let _ = tx;
    Ok(())
}

fn main() {}
