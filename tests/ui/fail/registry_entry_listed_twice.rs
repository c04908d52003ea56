use outbox_runtime::{Delivery, EmittingHandler, Event, consumer, registry};
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

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "rpc.orders.place")]
struct PlaceOrderEvent {}

// What `#[emits]` makes of a function.
#[allow(non_camel_case_types)]
struct place_order {}

impl EmittingHandler for place_order {
    type Event = PlaceOrderEvent;
    type Generated = PlaceOrderEvent;
    const NAME: &'static str = "place_order";
    const GENERATES: bool = true;
    const COMMITS: bool = true;
}

registry! {
    struct Billing;
    events: [OrderPlaced],
}

registry! {
    struct Shop;
    include: [Billing, Billing],
    handlers: [place_order, place_order],
    events: [OrderPlaced, OrderPlaced],
    consumers: [receipt, self::receipt, receipt],
}

// Two paths that the macro cannot tell to be one.
registry! {
    struct Bazaar;
    events: [OrderPlaced, crate::OrderPlaced],
    consumers: [receipt, crate::receipt],
}

fn main() {}
