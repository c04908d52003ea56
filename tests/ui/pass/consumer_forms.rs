//! Every form of argument, of result, and of option.

use std::time::Duration;

use outbox_runtime::{
    Attempt, Batch, BatchOutcome, ConsumerDef, ConsumerError, Context, Delivery, DeliveryMode,
    Event, FromRef, OnDead, Outcome, Registry, Retry, Start, State, Tx, consumer, registry,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::Postgres;

#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "order.placed", key = id)]
pub struct OrderPlaced {
    id: u64,
    total: i64,
}

#[derive(Clone)]
struct Mailer;

#[derive(Clone)]
struct AppState {
    mailer: Mailer,
}

impl FromRef<AppState> for Mailer {
    fn from_ref(state: &AppState) -> Self {
        state.mailer.clone()
    }
}

/// A documented consumer.
#[consumer(
    name = "everything",
    retry(max = 3, backoff = "500ms..4h"),
    timeout = "20s",
    delay = "30s",
    when = |event| event.total > 0,
    ordered,
    concurrency = 64,
    shards = 4,
    start = beginning,
    on_dead = continue,
    audit,
)]
async fn everything(
    context: Context,
    State(mailer): State<Mailer>,
    order: Delivery<OrderPlaced>,
    State(_state): State<AppState>,
) -> Result<(), std::io::Error> {
    let _ = (context.attempt(), mailer, order.id());
    Ok(())
}

#[consumer(name = "by-value", retry = none)]
async fn by_value(OrderPlaced { id, .. }: OrderPlaced) {
    let _ = id;
}

fn wanted(event: &OrderPlaced) -> bool {
    event.total > 1
}

mod policy {
    use super::*;

    pub fn patient(attempt: &Attempt, _: &ConsumerError) -> Retry {
        Retry::After(Duration::from_secs(u64::from(attempt.number)))
    }

    pub fn soon(event: &OrderPlaced) -> Duration {
        Duration::from_secs(event.id)
    }
}

#[consumer(name = "by-path", when = wanted, delay = policy::soon, retry = policy::patient)]
async fn by_path(mut order: Delivery<OrderPlaced>) -> Result<Outcome, ConsumerError> {
    order.total += 1;
    Ok(Outcome::snooze(Duration::from_secs(1)))
}

#[consumer(
    name = "by-closure",
    delay = |event| Duration::from_secs(event.id),
    retry(max = 20, with = |_, _| Retry::Dead),
    start = "2026-01-31T09:00:00+01:00",
)]
async fn by_closure(
    order: Delivery<OrderPlaced>,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    Ok(format!("took {}", order.id()))
}

#[consumer(name = "anyhow", start = now, on_dead = hold, ordered)]
async fn fails_anyhow(_: Delivery<OrderPlaced>) -> anyhow::Result<&'static str> {
    anyhow::bail!("no")
}

#[consumer(name = "many", batch(max = 500, wait = "2s"))]
async fn many(orders: Batch<OrderPlaced>, State(_): State<Mailer>) -> anyhow::Result<BatchOutcome> {
    Ok(BatchOutcome::all_done(orders.len()))
}

#[consumer(name = "many.quietly", batch(max = 5))]
async fn many_quietly(orders: Batch<OrderPlaced>) {
    for order in &orders {
        let _ = order.total;
    }
}

#[consumer(name = "reserve", delivery = tx, ordered)]
async fn reserve(
    order: Delivery<OrderPlaced>,
    tx: &mut Tx<'_, Postgres>,
    State(mailer): State<Mailer>,
) -> Result<(), sqlx::Error> {
    tokio::task::yield_now().await;
    let _ = (order.total, tx, mailer);
    Ok(())
}

#[consumer(name = "reserve.more", delivery = tx)]
async fn reserve_more<'t>(
    tx: &'t mut outbox_runtime::Tx<'_, sqlx::Postgres>,
    order: OrderPlaced,
    context: Context,
) {
    let _ = (order, tx, context);
}

// Consumers may have the names of the variables in what is generated.
mod names {
    use super::*;

    #[consumer(name = "names.state")]
    pub async fn state(state: Delivery<OrderPlaced>) {
        drop(state);
    }

    #[consumer(name = "names.context")]
    pub async fn context(_: Delivery<OrderPlaced>, _: Context) {}

    #[consumer(name = "names.tx", delivery = tx)]
    pub async fn tx(_: Delivery<OrderPlaced>, _: &mut Tx<'_, Postgres>) {}

    #[consumer(name = "names.delivery", batch(max = 1))]
    pub async fn delivery(_: Batch<OrderPlaced>) {}
}

registry! {
    struct Shop;
    state: AppState,
    events: [OrderPlaced],
    consumers: [
        everything,
        by_value,
        by_path,
        by_closure,
        fails_anyhow,
        many,
        many_quietly,
        reserve,
        reserve_more,
        names::state,
        names::context,
        names::tx,
        names::delivery,
    ],
}

fn options_are_as_written() {
    let options = everything::OPTIONS;
    assert_eq!(options.name, "everything");
    assert_eq!(options.mode, DeliveryMode::AtLeastOnce);
    assert_eq!((options.concurrency, options.shards), (64, 4));
    assert_eq!((options.ordered, options.audit), (true, true));
    assert_eq!(options.timeout, Duration::from_secs(20));
    assert_eq!(options.start, Start::Beginning);
    assert_eq!(options.on_dead, OnDead::Continue);
    assert_eq!(options.retry.max_attempts(), 3);
    assert_eq!(by_value::OPTIONS.retry.max_attempts(), 1);
    assert_eq!(by_path::OPTIONS.retry.max_attempts(), 10);
    assert_eq!(by_closure::OPTIONS.retry.max_attempts(), 20);
    assert_eq!(reserve::OPTIONS.mode, DeliveryMode::Tx);
    let batch = many::OPTIONS.batch.expect("a batch consumer");
    assert_eq!((batch.max, batch.wait), (500, Duration::from_secs(2)));
    let Start::At(start) = by_closure::OPTIONS.start else { panic!("a time") };
    assert_eq!(start.timestamp(), 1_769_846_400);
}

fn events_decide_on_reading() {
    let order = |id, total| OrderPlaced { id, total };
    assert!(everything::when(&order(1, 1)) && !everything::when(&order(1, 0)));
    assert!(by_path::when(&order(1, 2)) && !by_path::when(&order(1, 1)));
    assert_eq!(everything::delay(&order(1, 1)), Some(Duration::from_secs(30)));
    assert_eq!(by_path::delay(&order(5, 1)), Some(Duration::from_secs(5)));
    assert_eq!(by_closure::delay(&order(6, 1)), Some(Duration::from_secs(6)));
    assert_eq!(by_value::delay(&order(6, 1)), None);
    const { assert!(everything::DECIDES_ON_READING && !by_value::DECIDES_ON_READING) };
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    by_value(OrderPlaced { id: 1, total: 1 }).await; // still a plain function
    options_are_as_written();
    events_decide_on_reading();
    assert_eq!(Shop::registry().consumers.len(), 13);
    let state = std::sync::Arc::new(AppState { mailer: Mailer });
    let bound = <Shop as outbox_runtime::Consumers<Postgres>>::consumers(&state);
    assert_eq!(bound[0].name(), "everything");
}
