use outbox_runtime::{Event, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod common {
    use super::*;

    #[derive(Event, Serialize, Deserialize, JsonSchema)]
    #[event(name = "user.signed_up")]
    pub struct SignedUp {}

    registry! {
        pub struct Common;
        events: [SignedUp],
    }

    registry! {
        pub struct Billing;
        include: [Common],
    }
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "user.signed_up")]
struct AnotherSignedUp {}

registry! {
    struct Shop;
    include: [common::Common],
    events: [common::SignedUp],
}

registry! {
    struct Bazaar;
    include: [common::Billing],
    events: [AnotherSignedUp],
}

fn main() {}
