use outbox_runtime::{EmittingHandler, Event, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.cancelled")]
struct OrderCancelled {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.cancelled", version = 2, no_upcast)]
struct OrderCancelledV2 {}

// What `#[emits]` makes of a function.
#[allow(non_camel_case_types)]
struct cancel {}

impl EmittingHandler for cancel {
    type Event = OrderCancelled;
    type Generated = ();
    const NAME: &'static str = "cancel";
    const GENERATES: bool = false;
    const COMMITS: bool = true;
}

// What `#[emits]` makes of a function.
#[allow(non_camel_case_types)]
struct cancel_again {}

impl EmittingHandler for cancel_again {
    type Event = OrderCancelledV2;
    type Generated = ();
    const NAME: &'static str = "cancel_again";
    const GENERATES: bool = false;
    const COMMITS: bool = true;
}

registry! {
    struct Shop;
    handlers: [cancel],
}

registry! {
    struct Bazaar;
    events: [OrderCancelled],
    handlers: [cancel, cancel_again],
}

fn main() {}
