use outbox_runtime::{Consumers, Event, Outbox, Sqlite, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "invoice.paid")]
struct Paid {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "invoice.closed")]
struct Closed {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "app.started")]
struct Started {}

#[consumer(name = "log")]
async fn log(_: Closed) {}

registry! {
    struct Billing;
    include: ["common"],
    events: [Paid],
    event: [Closed],
}

registry! {
    struct Shop;
    include: [Billing],
    events: [Started],
    consumers: [log],
}

// What uses the registries is not to blame.
async fn emits(shop: &Outbox<Shop, Sqlite>) -> outbox_runtime::Result<()> {
    let mut tx = shop.begin().await?;
    shop.emit(&mut tx, Started {}).await?;
    shop.emit(&mut tx, Paid {}).await?;
    shop.of::<Billing>().emit(&mut tx, Closed {}).await?;
    tx.commit().await
}

fn run<R: Consumers<Sqlite>>() {}

fn starts_a_worker() {
    run::<Shop>();
}

fn main() {}
