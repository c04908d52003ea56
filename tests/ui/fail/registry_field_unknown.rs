use outbox_runtime::{Delivery, Event, Own, Registered, consumer, registry};
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
    event: [OrderPlaced],
    consumers: [receipt],
}

registry! {
    struct Bazaar;
    sinks: [],
    events: [OrderPlaced],
    events: [OrderPlaced],
}

registry! {
    struct Market;
    events: OrderPlaced,
}

registry! {
    struct Stall { events: [OrderPlaced] }
}

fn lists<R: Registered<E, Own>, E>() {}

fn uses_the_registries() {
    lists::<Shop, OrderPlaced>();
    lists::<Stall, OrderPlaced>();
}

registry! {
    Booth { events: [OrderPlaced] }
}

fn main() {}
