//! Arguments in any order, any number of parts of the state, and patterns of every kind.

use outbox_runtime::{
    Batch, Context, Delivery, Event, FromRef, Registry, State, Tx, consumer, registry,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::Postgres;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed")]
struct OrderPlaced {
    id: u64,
    total: i64,
}

#[derive(Clone)]
struct Mailer;
#[derive(Clone, Copy)]
struct Limits {
    most: i64,
}
#[derive(Clone)]
struct AppState {
    mailer: Mailer,
    limits: Limits,
}

impl FromRef<AppState> for Mailer {
    fn from_ref(state: &AppState) -> Self {
        state.mailer.clone()
    }
}

impl FromRef<AppState> for Limits {
    fn from_ref(state: &AppState) -> Self {
        state.limits
    }
}

#[consumer(name = "event-last")]
async fn event_last(
    context: Context,
    State(_mailer): State<Mailer>,
    State(Limits { most }): State<Limits>,
    whole: State<AppState>,
    order: Delivery<OrderPlaced>,
) {
    let _ = (context, order.total > most, whole.0.mailer);
}

#[consumer(name = "tx-first", delivery = tx)]
async fn tx_first(
    tx: &mut Tx<'_, Postgres>,
    State(mut limits): State<Limits>,
    OrderPlaced { id, total: ref _total }: OrderPlaced,
    _: Context,
) {
    limits.most += 1;
    let _ = (tx, id, limits.most);
}

#[consumer(name = "batch-middle", batch(max = 3))]
async fn batch_middle(_: State<Limits>, orders: Batch<OrderPlaced>, State(_): State<Limits>) {
    let _ = orders.len();
}

#[consumer(name = "mutable")]
async fn mutable(mut order: Delivery<OrderPlaced>, mut context: Context) {
    order.total += 1;
    context = context.clone();
    let _ = context;
}

registry! {
    struct Shop;
    state: AppState,
    events: [OrderPlaced],
    consumers: [event_last, tx_first, batch_middle, mutable],
}

fn main() {
    let state = std::sync::Arc::new(AppState { mailer: Mailer, limits: Limits { most: 3 } });
    let bound = <Shop as outbox_runtime::Consumers<Postgres>>::consumers(&state);
    let names: Vec<&str> = bound.iter().map(outbox_runtime::Bound::name).collect();
    assert_eq!(names, ["event-last", "tx-first", "batch-middle", "mutable"]);
    assert_eq!(Shop::registry().name, "Shop");
}
