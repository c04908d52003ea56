use outbox_runtime::{Error, OutboxTx, Postgres, emits};

struct OrderPlaced;

#[emits(OrderPlaced, with = || OrderPlaced)]
async fn place_order(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

fn main() {}
