//! A consumer's struct lives among the types, so that its name stays free for variables.

#![deny(warnings)]

use outbox_runtime::{ConsumerDef, Delivery, Event, Registry, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = key)]
struct OrderPlaced {
    key: u64,
}

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>) {}

// In what is generated there are variables with these names.
#[consumer(name = "returned")]
async fn returned(_: OrderPlaced) {}

#[consumer(name = "len", batch(max = 2))]
async fn len(_: outbox_runtime::Batch<OrderPlaced>) {}

#[consumer(name = "event", when = |event| event.key > 0, delay = "1s")]
async fn event(event: Delivery<OrderPlaced>) {
    drop(event);
}

#[consumer(name = "state-0")]
async fn state_0(_: Delivery<OrderPlaced>, _: outbox_runtime::State<()>) {}

registry! {
    struct Shop;
    events: [OrderPlaced],
    consumers: [receipt, returned, len, event, state_0],
}

fn with_closure() -> u64 {
    let receipt = |n: u64| n + 1;
    receipt(6)
}

fn with_function() -> u64 {
    fn receipt() -> u64 {
        7
    }
    receipt()
}

fn with_pattern(receipt: u64) -> u64 {
    match receipt {
        receipt if receipt > 7 => receipt - 1,
        receipt => receipt,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!((with_closure(), with_function(), with_pattern(8)), (7, 7, 7));
    returned(OrderPlaced { key: 1 }).await;
    assert_eq!(receipt::OPTIONS.name, "email.receipt");
    assert_eq!(Shop::registry().consumers.len(), 5);
}
