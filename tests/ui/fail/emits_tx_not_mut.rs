use outbox_runtime::{Error, OutboxTx, Postgres, emits};

#[emits(name = "a")]
async fn a(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = sqlx::query("select 1").execute(&mut *tx).await;
    Ok(())
}

fn main() {}
