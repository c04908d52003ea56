//! Traits of the user's, implemented for everything, may have the names of the runtime's methods.

#![allow(dead_code)]

use outbox_runtime::{ConsumerDef, Delivery, Event, Registry, State, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

trait Everything: Sized {
    const NAME: u8 = 0;
    const OPTIONS: u8 = 0;
    const ENTRY: u8 = 0;

    fn key(&self) -> u8 {
        0
    }
    fn name(&self) -> u8 {
        0
    }
    fn to_key(&self) -> u8 {
        0
    }
    fn into_owned(self) -> u8 {
        0
    }
    fn map<T>(&self, _: T) -> u8 {
        0
    }
    fn from_ref<T>(_: T) -> u8 {
        0
    }
    fn bind<T>(_: T) -> u8 {
        0
    }
    fn handle<T>(_: T) -> u8 {
        0
    }
    fn len(&self) -> u8 {
        0
    }
    fn into_event(self) -> u8 {
        0
    }
    fn into_outcome(self) -> u8 {
        0
    }
}

impl<T> Everything for T {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = id)]
struct OrderPlaced {
    id: u64,
}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.paid", key = self.id + 1)]
struct OrderPaid {
    id: u64,
}

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>, _: State<u8>) {}

#[consumer(name = "email.thanks")]
async fn thank(_: OrderPaid) {}

#[consumer(name = "analytics", batch(max = 3))]
async fn track(_: outbox_runtime::Batch<OrderPaid>) {}

registry! {
    struct Shop;
    state: u8,
    events: [OrderPlaced, OrderPaid],
    consumers: [receipt, thank, track],
}

fn main() {
    assert_eq!(Event::key(&OrderPlaced { id: 7 }).as_deref(), Some("7"));
    assert_eq!(Event::key(&OrderPaid { id: 7 }).as_deref(), Some("8"));
    assert_eq!(<receipt as ConsumerDef>::OPTIONS.name, "email.receipt");
    assert_eq!(Shop::registry().consumers.len(), 3);
}
