//! `crate = path` finds the runtime where it is re-exported, even beside names from the prelude.

mod toolkit {
    pub use outbox_runtime as outbox;
}

use toolkit::outbox::{Delivery, Event, Registry, State, consumer, registry};

#[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[event(name = "order.placed", version = 2, key = id, upcast(from = Older), crate = toolkit::outbox)]
struct OrderPlaced {
    id: u64,
}

#[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[event(name = "order.placed", crate = crate::toolkit::outbox)]
struct Older {}

impl From<Older> for OrderPlaced {
    fn from(_: Older) -> Self {
        Self { id: 0 }
    }
}

#[consumer(name = "email.receipt", crate = toolkit::outbox, retry(max = 2), timeout = "1s")]
async fn receipt(_: Delivery<OrderPlaced>, _: State<u8>) {}

// Types of the user's that are called as type parameters and types in what is generated.
mod shadows {
    use super::*;

    #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    #[event(name = "s", key = id, crate = toolkit::outbox)]
    pub struct S {
        pub id: u64,
    }

    #[allow(dead_code)]
    pub type Option = ();
    #[allow(dead_code)]
    pub type Result = ();
    #[allow(dead_code)]
    pub type Vec = ();

    #[consumer(name = "shadows", crate = toolkit::outbox, delay = "1s")]
    pub async fn shadows(_: Delivery<S>, _: State<DB>) {}

    #[derive(Clone, Copy)]
    pub struct DB;

    registry! {
        struct Own;
        events: [S],
        consumers: [shadows],
        state: DB,
        crate: toolkit::outbox,
    }

    pub fn registered() -> usize {
        Own::registry().consumers.len()
    }
}

registry! {
    struct Shop;
    crate: crate::toolkit::outbox,
    state: u8,
    events: [OrderPlaced, Older],
    consumers: [receipt],
}

fn main() {
    assert_eq!(Shop::registry().events.len(), 2);
    assert_eq!(shadows::registered(), 1);
}
