//! What handlers receive, and what their context tells them.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Batch, Context, Delivery, FromRef, Own, Registered, Registry, State, Worker, consumer, registry,
};
use outbox_tests::{Db, Ping, Probe, Running};
use tokio_util::sync::CancellationToken;

crate::both! {
    arguments_arrive_in_any_order,
    a_note_can_be_all_that_a_handler_returns,
    the_context_of_a_batch_is_that_of_its_first_event,
    a_handler_hears_that_its_lease_is_lost,
    a_batch_handler_hears_that_its_lease_is_lost,
    a_handler_that_succeeded_hears_nothing,
}

/// A state of two parts.
#[derive(Clone)]
struct AppState {
    probe: Probe,
    limit: Limit,
}

#[derive(Clone, Copy)]
struct Limit(u64);

impl FromRef<AppState> for Probe {
    fn from_ref(state: &AppState) -> Self {
        state.probe.clone()
    }
}

impl FromRef<AppState> for Limit {
    fn from_ref(state: &AppState) -> Self {
        state.limit
    }
}

#[consumer(name = "shuffled", start = beginning)]
async fn shuffled(
    context: Context,
    State(Limit(most)): State<Limit>,
    whole: State<AppState>,
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) {
    assert_eq!((context.event_id(), most, whole.0.limit.0), (ping.id(), 7, 7));
    probe.note("shuffled", &ping);
}

#[consumer(name = "by-value", start = beginning, audit)]
async fn by_value(State(_): State<Limit>, Ping { n, .. }: Ping, context: Context) -> String {
    format!("{n} as {} at {}", context.consumer(), context.attempt())
}

registry! {
    struct Shuffled;
    state: AppState,
    events: [Ping],
    consumers: [shuffled, by_value],
}

async fn emit<R, DB: Db>(outbox: &TestOutbox<R, DB>, numbers: std::ops::Range<u64>) -> Result<()>
where
    R: Registry + Registered<Ping, Own>,
{
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, numbers.map(Ping::new)).await?;
    tx.commit().await?;
    Ok(())
}

async fn arguments_arrive_in_any_order<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Shuffled, DB>::new().await?;
    emit(&outbox, 3..4).await?;
    let probe = Probe::default();
    let tally = outbox.drain(AppState { probe: probe.clone(), limit: Limit(7) }).await?;
    assert_eq!((tally.handled, tally.retried), (2, 0));
    assert_eq!(probe.numbers("shuffled"), [3]);
    Ok(())
}

async fn a_note_can_be_all_that_a_handler_returns<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Shuffled, DB>::new().await?;
    emit(&outbox, 3..5).await?;
    outbox.drain(AppState { probe: Probe::default(), limit: Limit(7) }).await?;
    let sql = format!("select note from {} order by position", DB::table("audit"));
    let notes: Vec<String> = DB::texts(outbox.pool(), &sql).await?.into_iter().flatten().collect();
    assert_eq!(notes, ["3 as by-value at 1", "4 as by-value at 1"]);
    Ok(())
}

#[consumer(name = "gathered", start = beginning, batch(max = 10, wait = "0s"))]
async fn gathered(context: Context, pings: Batch<Ping>, State(probe): State<Probe>) {
    let first = &pings[0];
    assert_eq!((context.consumer(), context.attempt()), ("gathered", first.attempt()));
    assert_eq!(context.event_id(), first.id());
    assert_eq!(context.idempotency_key(), first.idempotency_key());
    pings.iter().for_each(|ping| probe.note("gathered", ping));
}

registry! {
    struct Gathered;
    state: Probe,
    events: [Ping],
    consumers: [gathered],
}

async fn the_context_of_a_batch_is_that_of_its_first_event<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Gathered, DB>::new().await?;
    emit(&outbox, 0..5).await?;
    let probe = Probe::default();
    assert_eq!(outbox.drain(probe.clone()).await?.handled, 5);
    let keys: Vec<String> = probe.seen().into_iter().map(|seen| seen.idempotency_key).collect();
    assert!(keys.is_sorted_by(|a, b| a != b) && keys[0].starts_with("gathered/"), "{keys:?}");
    Ok(())
}

/// Leaves something running that hears of the end of the attempt, and tells.
fn leave_a_child(ping: Delivery<Ping>, token: CancellationToken, probe: Probe) {
    tokio::spawn(async move {
        token.cancelled().await;
        probe.note("child", &ping);
    });
}

#[consumer(name = "parent", start = beginning)]
async fn parent(ping: Delivery<Ping>, context: Context, State(probe): State<Probe>) {
    probe.note("parent", &ping);
    leave_a_child(ping, context.cancellation().clone(), probe);
    std::future::pending().await
}

registry! {
    struct Parents;
    state: Probe,
    events: [Ping],
    consumers: [parent],
}

#[consumer(name = "parent", start = beginning, batch(max = 10, wait = "0s"))]
async fn parent_of_many(pings: Batch<Ping>, context: Context, State(probe): State<Probe>) {
    for ping in pings {
        probe.note("parent", &ping);
        leave_a_child(ping, context.cancellation().clone(), probe.clone());
    }
    std::future::pending().await
}

registry! {
    struct ParentsOfMany;
    state: Probe,
    events: [Ping],
    consumers: [parent_of_many],
}

async fn hears_of_a_lost_lease<R, DB: Db>() -> Result<()>
where
    R: outbox_runtime::Consumers<DB, State = Probe> + Registered<Ping, Own>,
{
    let outbox = TestOutbox::<R, DB>::new().await?;
    let probe = Probe::default();
    let often = Duration::from_millis(10);
    let worker = Worker::new(outbox.outbox().clone(), probe.clone()).poll(often, often);
    let worker = worker.lease(Duration::from_secs(6)).shutdown_timeout(Duration::ZERO);
    let running = Running::worker(worker);
    emit(&outbox, 1..2).await?;
    probe.until_called("parent", 1).await;
    assert_eq!(probe.numbers("child"), [0_u64; 0], "the attempt goes on");
    DB::execute(outbox.pool(), &format!("delete from {}", DB::table("lease"))).await?;
    probe.until_called("child", 1).await;
    running.stop().await?;
    Ok(())
}

async fn a_handler_hears_that_its_lease_is_lost<DB: Db>() -> Result<()> {
    hears_of_a_lost_lease::<Parents, DB>().await
}

async fn a_batch_handler_hears_that_its_lease_is_lost<DB: Db>() -> Result<()> {
    hears_of_a_lost_lease::<ParentsOfMany, DB>().await
}

/// Leaves its token behind.
#[consumer(name = "heir", start = beginning)]
async fn heir(_: Delivery<Ping>, context: Context, State(tokens): State<Tokens>) {
    tokens.send_modify(|tokens| tokens.push(context.cancellation().clone()));
}

type Tokens = std::sync::Arc<tokio::sync::watch::Sender<Vec<CancellationToken>>>;

registry! {
    struct Heirs;
    state: Tokens,
    events: [Ping],
    consumers: [heir],
}

async fn a_handler_that_succeeded_hears_nothing<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Heirs, DB>::new().await?;
    emit(&outbox, 1..2).await?;
    let tokens = Tokens::default();
    assert_eq!(outbox.drain(Tokens::clone(&tokens)).await?.handled, 1);
    let fired: Vec<bool> = tokens.borrow().iter().map(CancellationToken::is_cancelled).collect();
    assert_eq!(fired, [false]);
    Ok(())
}
