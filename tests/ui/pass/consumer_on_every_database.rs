//! Consumers that work outside run on every database, those with a transaction on theirs.

use outbox_runtime::{Consumers, Delivery, Event, Tx, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {}

#[consumer(name = "outside")]
async fn outside(_: Delivery<OrderPlaced>) {}

#[consumer(name = "inside", delivery = tx)]
async fn inside(_: Delivery<OrderPlaced>, _: &mut Tx<'_, sqlx::Sqlite>) {}

registry! {
    struct Anywhere;
    events: [OrderPlaced],
    consumers: [outside],
}

registry! {
    struct Embedded;
    consumers: [outside, inside],
    events: [OrderPlaced],
}

fn main() {
    let state = std::sync::Arc::new(());
    assert_eq!(<Anywhere as Consumers<sqlx::Postgres>>::consumers(&state).len(), 1);
    assert_eq!(<Anywhere as Consumers<sqlx::Sqlite>>::consumers(&state).len(), 1);
    assert_eq!(<Embedded as Consumers<sqlx::Sqlite>>::consumers(&state).len(), 2);
}
