//! `#[cfg]` on fields, variants, events, consumers and handlers, before and after the other attributes.

use outbox_runtime::{ConsumerDef, Delivery, Error, Event, OutboxTx, Registry, Sqlite};
use outbox_runtime::{consumer, emits, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = id, reserved("absent"))]
struct OrderPlaced {
    #[cfg(all())]
    id: u64,
    #[cfg(any())]
    id: Absent,
    #[cfg(any())]
    absent: Absent,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(all(), event(name = "order.changed", key = id))]
enum OrderChanged {
    Renamed { id: u64 },
    #[cfg(any())]
    Absent,
}

#[cfg(any())]
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "absent")]
struct Before(Absent);

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "absent")]
#[cfg(any())]
struct After(Absent);

#[cfg(all())]
#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>) {}

#[cfg(any())]
#[consumer(name = "email.receipt")]
async fn receipt(_: Absent) {}

#[consumer(name = "email.thanks")]
#[cfg(all())]
async fn thank(_: Delivery<OrderPlaced>) {}

#[consumer(name = "email.thanks")]
#[cfg(any())]
async fn thank(_: Absent) {}

#[consumer(name = "email.renamed")]
#[cfg_attr(any(), absent)]
async fn renamed(#[cfg_attr(any(), absent)] _: Delivery<OrderChanged>) {}

#[emits(name = "rpc.place", input(sku, count))]
#[cfg(all())]
async fn place(tx: OutboxTx<Sqlite>, sku: String, count: u32) -> Result<(), Error> {
    let _ = (tx, sku, count);
    Ok(())
}

#[emits(name = "rpc.place", input(sku, count))]
#[cfg(any())]
async fn place(tx: OutboxTx<Sqlite>, sku: Absent, count: Absent) -> Result<Absent, Error> {
    Ok(Absent)
}

#[emits(OrderPlaced, with = |_: &u64| OrderPlaced { id: 7 })]
#[cfg(any())]
async fn absent(tx: OutboxTx<Sqlite>, id: u64) -> Result<(), Absent> {
    Ok(())
}

registry! {
    struct Shop;
    events: [OrderPlaced, OrderChanged],
    handlers: [place],
    consumers: [receipt, thank, renamed],
}

fn main() {
    assert_eq!(OrderPlaced { id: 7 }.key().as_deref(), Some("7"));
    assert_eq!(OrderChanged::Renamed { id: 7 }.key().as_deref(), Some("7"));
    assert_eq!(thank::OPTIONS.name, "email.thanks");
    assert_eq!(Shop::registry().consumers.len(), 3);
    assert_eq!(Shop::registry().handlers.len(), 1);
    assert_eq!(PlaceEvent::NAME, "rpc.place");
}
