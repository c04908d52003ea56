//! `#[cfg]` on fields, variants, events and consumers, before and after the other attributes.

use outbox_runtime::{ConsumerDef, Delivery, Event, Registry, consumer, registry};
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

registry! {
    struct Shop;
    events: [OrderPlaced, OrderChanged],
    consumers: [receipt, thank, renamed],
}

fn main() {
    assert_eq!(OrderPlaced { id: 7 }.key().as_deref(), Some("7"));
    assert_eq!(OrderChanged::Renamed { id: 7 }.key().as_deref(), Some("7"));
    assert_eq!(thank::OPTIONS.name, "email.thanks");
    assert_eq!(Shop::registry().consumers.len(), 3);
}
