//! What users' code and data may do without stopping anybody else.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Attempt, ConsumerError, Delivery, DeliveryFilter, DeliveryState, Outbox, Outcome, Retry, State,
    Worker, consumer, registry,
};
use outbox_tests::{Act, Db, Ping, Probe};

use crate::consumers::Plain;

crate::both! {
    a_wait_of_for_ever_is_stored,
    a_delay_of_for_ever_is_stored,
    a_retry_function_that_panics_fails_the_attempt_alone,
    a_callback_that_panics_stops_nobody,
    a_retry_that_is_due_at_once_is_made,
    retries_are_not_starved_by_a_backlog,
    a_start_that_is_changed_later_changes_nothing,
}

#[consumer(name = "panicky", start = beginning, retry(max = 2, with = panics))]
async fn panicky(
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    probe.handle("panicky", &ping).await
}

fn panics(_: &Attempt, _: &ConsumerError) -> Retry {
    panic!("scripted panic of a retry function")
}

#[consumer(name = "put-off", start = beginning, delay = |ping| Duration::from_secs(ping.n))]
async fn put_off(
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    probe.handle("put-off", &ping).await
}

/// The consumer `plain` of the other suites, whose code now says that it starts in the future.
#[consumer(name = "plain", start = "2999-01-01T00:00:00Z")]
async fn plain_later(
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    probe.handle("plain", &ping).await
}

registry! {
    struct Panicky;
    state: Probe,
    events: [Ping],
    consumers: [panicky],
}

registry! {
    struct PutOff;
    state: Probe,
    events: [Ping],
    consumers: [put_off],
}

registry! {
    struct PlainLater;
    state: Probe,
    events: [Ping],
    consumers: [plain_later],
}

async fn emit<R, DB: Db>(
    outbox: &TestOutbox<R, DB>,
    pings: impl IntoIterator<Item = Ping>,
) -> Result<()>
where
    R: outbox_runtime::Registry + outbox_runtime::Registered<Ping, outbox_runtime::Own>,
{
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, pings).await?;
    Ok(tx.commit().await?)
}

async fn a_wait_of_for_ever_is_stored<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    emit(&outbox, (0..3).map(Ping::new)).await?;
    let probe = Probe::new(|_, ping, _| match ping.n {
        0 => Act::Snooze(Duration::MAX),
        1 => Act::RetryAfter(Duration::MAX),
        _ => Act::Succeed,
    });
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.seen().len(), 3);
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Delayed, DeliveryState::Retrying]);
    Ok(())
}

async fn a_delay_of_for_ever_is_stored<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<PutOff, DB>::new().await?;
    emit(&outbox, [Ping::new(u64::MAX), Ping::new(0)]).await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("put-off"), [0]);
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [DeliveryState::Delayed]);
    Ok(())
}

async fn a_retry_function_that_panics_fails_the_attempt_alone<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Panicky, DB>::new().await?;
    emit(&outbox, (0..3).map(Ping::new)).await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 1 { Act::Fail } else { Act::Succeed });
    let tally = outbox.drain(probe).await?;
    assert_eq!((tally.handled, tally.retried), (2, 1));
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    assert_eq!(rows[0].errors[0].kind, "panic");
    Ok(())
}

async fn a_callback_that_panics_stops_nobody<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    emit(&outbox, (0..3).map(Ping::new)).await?;
    let worker = Worker::new(outbox.outbox().clone(), Probe::default())
        .on_change(|_| panic!("scripted panic of a callback"));
    assert_eq!(worker.drain().await?.handled, 3);
    Ok(())
}

/// It comes due before it has been recorded.
async fn a_retry_that_is_due_at_once_is_made<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    emit(&outbox, [Ping::new(1)]).await?;
    let probe = Probe::new(|_, _, attempt| match attempt {
        1 => Act::RetryAfter(Duration::ZERO),
        _ => Act::Succeed,
    });
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("plain"), [1, 1]);
    Ok(())
}

async fn retries_are_not_starved_by_a_backlog<DB: Db>() -> Result<()> {
    const BACKLOG: u64 = 5_000;
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    emit(&outbox, (0..BACKLOG).map(Ping::new)).await?;
    let probe = Probe::new(|_, ping, attempt| match (ping.n, attempt) {
        (0, 1) => Act::RetryAfter(Duration::ZERO),
        _ => Act::Succeed,
    });
    Worker::new(outbox.outbox().clone(), probe.clone()).page_size(100).drain().await?;
    let seen = probe.seen();
    assert_eq!(seen.len() as u64, BACKLOG + 1);
    let again = seen.iter().position(|seen| seen.attempt == 2).expect("a second attempt");
    assert!((again as u64) < BACKLOG, "the second attempt waited for the whole backlog");
    Ok(())
}

async fn a_start_that_is_changed_later_changes_nothing<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    outbox.drain(Probe::default()).await?;
    emit(&outbox, (0..3).map(Ping::new)).await?;
    let changed = Outbox::<PlainLater, DB>::builder(outbox.pool().clone())
        .clock(outbox.clock().clone())
        .build();
    let probe = Probe::default();
    Worker::new(changed, probe.clone()).drain().await?;
    assert_eq!(probe.seen().len(), 3);
    Ok(())
}
