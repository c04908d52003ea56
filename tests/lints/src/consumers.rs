//! Consumers with every option and every form of argument.

use std::io::Error;
use std::time::Duration;

use outbox_runtime::{
    consumer, Attempt, Batch, BatchOutcome, ConsumerError, Context, Delivery, Outcome, Retry,
    State, Tx,
};
use sqlx::Postgres;

use crate::events::{OrderChanged, OrderPlaced, Ticked};
use crate::{AppState, Mailer};

/// Has the options of a consumer of one event at a time.
///
/// # Errors
///
/// Now and then.
#[consumer(
    name = "everything",
    retry(max = 3, backoff = "500ms..4h"),
    timeout = "20s",
    delay = "30s",
    when = |order| order.total > 0,
    ordered,
    concurrency = 64,
    shards = 4,
    start = beginning,
    on_dead = continue,
    audit,
    crate = outbox_runtime
)]
pub async fn everything(
    context: Context,
    State(mailer): State<Mailer>,
    State(name): State<&'static str>,
    order: Delivery<OrderPlaced>,
    state: State<AppState>,
) -> Result<(), Error> {
    std::future::ready((context.attempt(), mailer, name, order.id(), state)).await;
    Err(Error::other("not today"))
}

/// Takes the event alone.
#[consumer(name = "by-value", retry = none)]
pub async fn by_value(OrderPlaced { order_id, .. }: OrderPlaced) -> String {
    std::future::ready(order_id.to_string()).await
}

const fn wanted(order: &OrderPlaced) -> bool {
    order.total > 1
}

const fn patience(order: &OrderPlaced) -> Duration {
    Duration::from_secs(order.order_id)
}

fn patient(attempt: &Attempt, _: &ConsumerError) -> Retry {
    Retry::After(Duration::from_secs(u64::from(attempt.number)))
}

/// Decides by functions.
///
/// # Errors
///
/// Never.
#[consumer(name = "by-path", when = wanted, delay = patience, retry = patient)]
pub async fn by_path(mut order: Delivery<OrderPlaced>) -> Result<Outcome, ConsumerError> {
    order.total += 1;
    std::future::ready(()).await;
    Ok(Outcome::snooze(Duration::from_secs(1)))
}

/// Decides by closures.
#[consumer(
    name = "by-closure",
    delay = |order| Duration::from_secs(order.order_id),
    retry(max = 20, with = |_, _| Retry::Dead),
    start = now
)]
pub async fn by_closure(order: Delivery<OrderPlaced>) -> &'static str {
    std::future::ready(order.id()).await;
    "done"
}

/// Begins at a time.
#[consumer(name = "at-a-time", start = "2026-01-31T09:00:00Z", ordered, on_dead = hold)]
pub(crate) async fn at_a_time(order: Delivery<OrderChanged>) {
    std::future::ready(order.id()).await;
}

/// Does nothing.
#[consumer(name = "quiet")]
pub(crate) async fn quiet(_: Delivery<Ticked>) {
    std::future::ready(()).await;
}

/// Takes many at a time.
///
/// # Errors
///
/// Never.
#[consumer(name = "many", batch(max = 500, wait = "2s"))]
pub async fn many(
    orders: Batch<OrderPlaced>,
    State(_): State<Mailer>,
) -> Result<BatchOutcome, Error> {
    std::future::ready(()).await;
    Ok(BatchOutcome::all_done(orders.len()))
}

/// Takes many at a time and says nothing.
#[consumer(name = "many.quietly", batch(max = 5))]
pub(crate) async fn many_quietly(orders: Batch<OrderPlaced>) {
    std::future::ready(orders.len()).await;
}

/// Works in the database.
///
/// # Errors
///
/// Those of the database.
#[consumer(name = "stock.reserve", delivery = tx, ordered, shards = 2)]
pub async fn reserve(
    order: Delivery<OrderPlaced>,
    tx: &mut Tx<'_, Postgres>,
    State(mailer): State<Mailer>,
    context: Context,
) -> Result<(), sqlx::Error> {
    let sql = "insert into reserved (order_id) values ($1)";
    let order_id = i64::try_from(order.order_id).map_err(sqlx::Error::decode)?;
    sqlx::query(sql).bind(order_id).execute(&mut **tx).await?;
    std::future::ready((mailer, context.attempt())).await;
    Ok(())
}

/// Works in the database and needs little.
#[consumer(name = "stock.release", delivery = tx)]
pub(crate) async fn release(_: OrderPlaced, _: &mut Tx<'_, Postgres>) {
    std::future::ready(()).await;
}
