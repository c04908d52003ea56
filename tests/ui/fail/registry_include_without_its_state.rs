use outbox_runtime::{Consumers, Event, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "invoice.paid")]
struct Paid {}

struct BillingState;

struct AppState;

#[consumer(name = "billing.book")]
async fn book(_: Paid) {}

registry! {
    struct Billing;
    state: BillingState,
    events: [Paid],
    consumers: [book],
}

registry! {
    struct Shop;
    state: AppState,
    include: [Billing],
}

fn run<R: Consumers<sqlx::Postgres>>() {}

fn starts_a_worker() {
    run::<Shop>();
}

fn main() {}
