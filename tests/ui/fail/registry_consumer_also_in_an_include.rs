use outbox_runtime::{Event, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "user.signed_up")]
pub struct SignedUp {}

#[consumer(name = "audit")]
pub async fn audit(_: SignedUp) {}

#[consumer(name = "audit")]
pub async fn another_audit(_: SignedUp) {}

registry! {
    pub struct Common;
    events: [SignedUp],
    consumers: [audit],
}

registry! {
    struct Shop;
    include: [Common],
    consumers: [audit],
}

registry! {
    struct Bazaar;
    include: [Common],
    consumers: [another_audit],
}

fn main() {}
