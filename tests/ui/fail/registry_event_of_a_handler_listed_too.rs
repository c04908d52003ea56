use outbox_runtime::{EmittingHandler, Event, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    struct Shop;
    events: [PlaceOrderEvent],
    handlers: [place_order],
}

fn main() {}
