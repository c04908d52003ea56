use outbox_runtime::{Delivery, Event, Outbox, Postgres, State, Worker, consumer, registry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {}

#[derive(Clone)]
struct Mailer;

struct AppState;

#[consumer(name = "email.receipt")]
async fn receipt(_: Delivery<OrderPlaced>, State(_mail): State<Mailer>) {}

registry! {
    struct Shop;
    state: AppState,
    events: [OrderPlaced],
    consumers: [receipt],
}

async fn work(outbox: Outbox<Shop, Postgres>) -> outbox_runtime::Result<()> {
    Worker::new(outbox, AppState).run_until(std::future::pending()).await?;
    Ok(())
}

fn main() {}
