use outbox_runtime::{Error, OutboxTx, Postgres, Tx, emits};

#[emits(name = "a", input(bdy))]
async fn a(tx: OutboxTx<Postgres>, body: String) -> Result<(), Error> {
    let _ = (&tx, body);
    Ok(())
}

#[emits(name = "b", input(other))]
async fn b(tx: &mut Tx<'_, Postgres>, id: u64, name: &str) -> Result<(), Error> {
    let _ = (tx, id, name);
    Ok(())
}

#[emits(name = "c", input(tx))]
async fn c(mut tx: OutboxTx<Postgres>, id: u64) -> Result<(), Error> {
    sqlx::query("select 1").execute(&mut *tx).await.unwrap();
    let _ = id;
    Ok(())
}

#[emits(name = "d", input(id, id))]
async fn d(tx: OutboxTx<Postgres>, id: u64) -> Result<(), Error> {
    let _ = (tx, id);
    Ok(())
}

#[emits(name = "e", input(id))]
async fn e(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

fn main() {}
