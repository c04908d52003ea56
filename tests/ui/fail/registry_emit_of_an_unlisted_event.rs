use outbox_runtime::{Event, Outbox, Sqlite, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "user.signed_up")]
struct SignedUp {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "invoice.paid")]
struct Paid {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "app.started")]
struct Started {}

registry! {
    struct Common;
    events: [SignedUp],
}

registry! {
    struct Billing;
    include: [Common],
    events: [Paid],
}

registry! {
    struct Shop;
    include: [Common, Billing],
}

async fn start(outbox: &Outbox<Shop, Sqlite>) -> outbox_runtime::Result<()> {
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Started {}).await?;
    tx.commit().await
}

fn main() {}
