//! Modules and types with the names of crates are left alone by what is generated.

#![allow(dead_code)]

use ::outbox_runtime::{Delivery, Event, Registry, consumer, registry};
use ::schemars::JsonSchema;
use ::serde::{Deserialize, Serialize};

mod core {}
mod std {}
mod alloc {}
mod outbox_runtime {}
mod outbox {}
mod private {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", version = 2, key = id, upcast(from = Older))]
struct OrderPlaced {
    id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", retired)]
struct Older {}

impl From<Older> for OrderPlaced {
    fn from(_: Older) -> Self {
        Self { id: 0 }
    }
}

#[consumer(name = "email.receipt", delay = "1s", timeout = "2s", retry(max = 3))]
async fn receipt(_: Delivery<OrderPlaced>) -> Result<(), ::std::io::Error> {
    Ok(())
}

registry! {
    struct Shop;
    events: [OrderPlaced, Older],
    consumers: [receipt],
}

fn main() {
    assert_eq!(Shop::registry().consumers.len(), 1);
}
