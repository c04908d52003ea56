//! Enums are events; their key is a field of every variant or an expression.

use outbox_runtime::{Event, Registry, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[event(name = "order.changed", key = order_id, reserved("Renamed", "coupon"))]
enum OrderChanged {
    Renamed { order_id: u64, name: String },
    Shipped { order_id: u64 },
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "door.changed", key = match self { Self::Opened(id) | Self::Closed { id } => id })]
enum DoorChanged {
    Opened(String),
    Closed { id: String },
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "tick")]
enum Tick {
    Only,
}

registry! {
    struct Shop;
    events: [OrderChanged, DoorChanged, Tick],
}

fn main() {
    assert_eq!(OrderChanged::Shipped { order_id: 7 }.key().as_deref(), Some("7"));
    let renamed = OrderChanged::Renamed { order_id: 8, name: "x".to_owned() };
    assert_eq!(renamed.key().as_deref(), Some("8"));
    assert_eq!(DoorChanged::Opened("a".to_owned()).key().as_deref(), Some("a"));
    assert_eq!(DoorChanged::Closed { id: "b".to_owned() }.key().as_deref(), Some("b"));
    assert_eq!(Tick::Only.key(), None);
    assert_eq!(Shop::registry().events.len(), 3);
}
