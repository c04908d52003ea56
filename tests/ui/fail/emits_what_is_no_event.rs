use outbox_runtime::{Error, OutboxTx, Postgres, Tx, emits, registry};

struct OrderPlaced;

#[emits(OrderPlaced, with = || OrderPlaced)]
async fn place_order(tx: OutboxTx<Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

#[emits(OrderPlaced, with = || OrderPlaced)]
async fn place_again(tx: &mut Tx<'_, Postgres>) -> Result<(), Error> {
    let _ = tx;
    Ok(())
}

// What lists them is not to blame.
registry! {
    struct Shop;
    handlers: [place_order, place_again],
}

fn main() {}
