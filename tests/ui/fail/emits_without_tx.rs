use outbox_runtime::{Error, emits};

#[emits(name = "a", input(id))]
async fn a(id: u64) -> Result<(), Error> {
    let _ = id;
    Ok(())
}

#[emits(name = "b")]
async fn b(pool: &sqlx::PgPool) -> Result<(), Error> {
    let _ = pool;
    Ok(())
}

fn main() {}
