use outbox_runtime::{Consumers, Delivery, Event, Own, Registered, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>) {}

registry! {
    struct Shop;
    include: [billing::Billing(), "billing"],
    events: ["order.placed", OrderPlaced {}],
    handlers: [place_order(..)],
    consumers: [receipt()],
}

// What uses the registry is not to blame.
fn lists<R: Registered<E, Own> + Consumers<sqlx::Postgres>, E>() {}

fn starts_a_worker() {
    lists::<Shop, OrderPlaced>();
}

fn main() {}
