use outbox_runtime::{Event, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "user.signed_up")]
struct SignedUp {}

registry! {
    struct Shop;
    include: [self::Shop],
    events: [SignedUp],
}

fn main() {}
