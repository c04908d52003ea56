use outbox_runtime::{Event, Registered, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "user.signed_up")]
struct SignedUp {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "invoice.paid")]
struct Paid {}

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "app.started")]
struct Started {}

registry! {
    struct Common;
    events: [SignedUp],
}

registry! {
    struct Billing;
    include: [Common],
    events: [Paid],
}

registry! {
    struct Shop;
    include: [Common, Billing],
}

fn emits<R: Registered<E, Index>, E, Index>(_: E) {}

fn start() {
    emits::<Shop, _, _>(Started {});
}

fn main() {}
