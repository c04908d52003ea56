use outbox_runtime::{Consumers, Delivery, Event, State, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = order_id)]
struct OrderPlaced {
    order_id: u64,
    total: i64,
}

struct Mailer;

struct AppState;

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>, _: State<Mailer>) {}

registry! {
    struct Shop;
    state: AppState,
    events: [OrderPlaced],
    consumers: [receipt],
}

fn run<R: Consumers<sqlx::Postgres>>() {}

fn starts_a_worker() {
    run::<Shop>();
}

fn main() {}
