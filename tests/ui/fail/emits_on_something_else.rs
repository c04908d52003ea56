use outbox_runtime::{Error, OutboxTx, Postgres, emits};

#[emits(name = "a")]
fn a(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

struct Service;

impl Service {
    #[emits(name = "b")]
    async fn b(&self, tx: OutboxTx<Postgres>) -> Result<(), Error> {
        let _ = tx;
        Ok(())
    }
}

#[allow(async_fn_in_trait)]
trait Places {
    #[emits(name = "c")]
    async fn c(tx: OutboxTx<Postgres>) -> Result<(), Error>;
}

#[emits(name = "d")]
struct D;

fn main() {}
