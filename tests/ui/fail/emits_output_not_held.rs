use outbox_runtime::{Error, OutboxTx, Postgres, emits};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    id: u64,
}

struct Response;

#[emits(name = "a", output = Order)]
async fn a(tx: OutboxTx<Postgres>) -> Result<Response, Error> {
    let _ = tx;
    Ok(Response)
}

fn main() {}
