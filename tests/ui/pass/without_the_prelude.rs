//! What is generated needs no prelude: `#![no_implicit_prelude]`, as in code for generated code.

#![no_implicit_prelude]

use ::outbox_runtime::{Batch, Delivery, Event, Registry, State, Tx, consumer, registry};
use ::std::prelude::v1::derive;

#[derive(Event, ::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
#[event(name = "order.placed", version = 2, key = id, upcast(from = Older))]
struct OrderPlaced {
    id: u64,
}

#[derive(Event, ::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
#[event(name = "order.placed", retired, key = self.id + 1)]
struct Older {
    id: u64,
}

impl ::std::convert::From<Older> for OrderPlaced {
    fn from(older: Older) -> Self {
        Self { id: older.id }
    }
}

#[consumer(
    name = "email.receipt",
    when = |order| order.id > 0,
    delay = "1s",
    retry(max = 3, backoff = "1s..2s"),
    timeout = "1s",
    start = "2026-01-31T09:00:00Z",
    ordered,
    on_dead = continue,
    audit
)]
async fn receipt(_: Delivery<OrderPlaced>, _: State<u8>) -> ::std::string::String {
    ::std::string::String::new()
}

#[consumer(name = "analytics", batch(max = 3))]
async fn track(_: Batch<OrderPlaced>) {}

#[consumer(name = "stock.reserve", delivery = tx)]
async fn reserve(_: OrderPlaced, _: &mut Tx<'_, ::sqlx::Postgres>) {}

registry! {
    struct Shop;
    state: u8,
    events: [OrderPlaced, Older],
    consumers: [receipt, track, reserve],
}

fn main() {
    ::std::assert_eq!(Shop::registry().consumers.len(), 3);
}
