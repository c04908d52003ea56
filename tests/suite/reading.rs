//! What is decided when an event is read (`when`, `delay`, `start`), and how many run at once.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Delivery, DeliveryFilter, DeliveryState, State, Worker, consumer, registry};
use outbox_tests::{Act, Db, Ping, Probe, Running};

use crate::consumers::{
    Delayed, DelayedByN, FromNow, FromTime, Narrow, Picky, Plain, Several, Sharded,
};

crate::both! {
    events_that_are_not_wanted_are_done_without_a_call,
    a_panic_in_when_is_an_error_of_that_event_alone,
    delayed_events_come_when_they_are_due,
    a_delay_can_depend_on_the_event,
    a_running_worker_notices_what_comes_due,
    handlers_run_side_by_side_up_to_the_limit,
    one_event_reaches_every_consumer,
    keys_are_spread_over_shards_and_nothing_is_missed,
    pages_of_any_size_deliver_everything_once,
    a_new_consumer_begins_with_what_is_committed_after_its_registration,
    a_consumer_can_begin_at_a_time,
    a_start_counts_only_for_a_consumer_never_seen_before,
}

const HOUR: Duration = Duration::from_secs(3600);

async fn emit<R, DB: Db>(
    outbox: &TestOutbox<R, DB>,
    pings: impl IntoIterator<Item = Ping>,
) -> Result<()>
where
    R: outbox_runtime::Registry + outbox_runtime::Registered<Ping, outbox_runtime::Own>,
{
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, pings).await?;
    tx.commit().await?;
    Ok(())
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

async fn events_that_are_not_wanted_are_done_without_a_call<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Picky, DB>::new().await?;
    emit(&outbox, (0..10).map(Ping::new)).await?;
    let probe = Probe::default();
    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("picky")), [0, 2, 4, 6, 8]);
    assert_eq!(tally.handled, 10);
    assert_eq!(outbox.stats().await?[0].lag_events, 0);
    Ok(())
}

fn suspicious(ping: &Ping) -> bool {
    assert_ne!(ping.n, 1, "scripted panic");
    true
}

#[consumer(name = "nervous", start = beginning, when = suspicious, retry = none)]
async fn nervous(ping: Delivery<Ping>, State(probe): State<Probe>) {
    probe.note("nervous", &ping);
}

registry! {
    struct Nervous;
    state: Probe,
    events: [Ping],
    consumers: [nervous],
}

async fn a_panic_in_when_is_an_error_of_that_event_alone<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Nervous, DB>::new().await?;
    emit(&outbox, (0..3).map(Ping::new)).await?;
    let probe = Probe::default();
    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("nervous")), [0, 2]);
    assert_eq!((tally.handled, tally.dead), (2, 1));
    let row = outbox.deliveries(&DeliveryFilter::all()).await?.remove(0);
    assert_eq!(row.errors[0].kind, "panic");
    assert!(row.errors[0].message.contains("`when`"), "{:?}", row.errors);
    Ok(())
}

async fn delayed_events_come_when_they_are_due<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Delayed, DB>::new().await?;
    emit(&outbox, [Ping::new(1)]).await?;
    let probe = Probe::new(|_, _, attempt| if attempt == 1 { Act::Fail } else { Act::Succeed });
    outbox.drain(probe.clone()).await?;
    let row = outbox.deliveries(&DeliveryFilter::all()).await?.remove(0);
    assert_eq!((row.state, row.attempts), (DeliveryState::Delayed, 0));
    assert_eq!(row.due_at, Some(row.event.created_at + HOUR));
    outbox.advance(HOUR - Duration::from_secs(1));
    outbox.drain(probe.clone()).await?;
    assert!(probe.seen().is_empty());

    // The event was appended by the clock of the database, a moment after the test's stopped.
    outbox.advance(Duration::from_secs(600));
    outbox.drain(probe.clone()).await?;
    outbox.advance(Duration::from_secs(10));
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.attempts("delayed", 1), [1, 2], "waiting was no attempt");
    Ok(())
}

async fn a_delay_can_depend_on_the_event<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<DelayedByN, DB>::new().await?;
    emit(&outbox, [3600, 60_000, 0, 7200].map(Ping::new)).await?;
    let probe = Probe::default();
    outbox.advance(HOUR / 2);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("delayed-by-n"), [0]);
    for (wait, due) in [(HOUR, 3600), (HOUR, 7200), (HOUR * 20, 60_000)] {
        outbox.advance(wait);
        outbox.drain(probe.clone()).await?;
        assert_eq!(probe.numbers("delayed-by-n").last(), Some(&due));
    }
    assert_eq!(probe.seen().len(), 4);
    Ok(())
}

async fn a_running_worker_notices_what_comes_due<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Delayed, DB>::new().await?;
    let probe = Probe::default();
    let running = Running::start(&outbox, probe.clone());
    emit(&outbox, [Ping::new(1)]).await?;
    outbox_tests::wait::until("a delayed row", async || {
        matches!(outbox.deliveries(&DeliveryFilter::all()).await.as_deref(), Ok([_]))
    })
    .await;
    assert!(probe.seen().is_empty());
    outbox.advance(HOUR * 2);
    probe.until_called("delayed", 1).await;
    running.stop().await?;
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());
    Ok(())
}

async fn handlers_run_side_by_side_up_to_the_limit<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Narrow, DB>::new().await?;
    let probe = Probe::new(|_, _, _| Act::Gate);
    let running = Running::start(&outbox, probe.clone());
    emit(&outbox, (0..7).map(Ping::new)).await?;
    // Both wait at the gate: they run at the same time.
    probe.until_called("narrow", 2).await;
    probe.open_gate();
    probe.until_called("narrow", 7).await;
    running.stop().await?;
    assert_eq!(probe.peak(), 2);
    Ok(())
}

async fn one_event_reaches_every_consumer<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Several, DB>::new().await?;
    emit(&outbox, (0..20).map(|n| Ping::keyed("a", n))).await?;
    // One of them failing is nothing to the others.
    let probe = Probe::new(|consumer, _, _| match consumer {
        "ordered" => Act::Fail,
        _ => Act::Succeed,
    });
    let tally = outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("plain")), (0..20).collect::<Vec<_>>());
    assert_eq!(probe.numbers("picky").len(), 10);
    assert_eq!(probe.numbers("ordered"), [0]);
    assert_eq!((tally.handled, tally.retried), (40, 1));
    Ok(())
}

async fn keys_are_spread_over_shards_and_nothing_is_missed<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Sharded, DB>::new().await?;
    let keyed = (0..200).map(|n| Ping::keyed(&(n % 40).to_string(), n));
    emit(&outbox, keyed.chain((200..300).map(Ping::new))).await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("sharded")), (0..300).collect::<Vec<_>>());
    for (key, numbers) in probe.by_key("sharded") {
        assert!(key.is_empty() || numbers.is_sorted(), "{key}: {numbers:?}");
    }
    // A shard of forty keys in four may be small, and the ids of what has no key are random: so each
    // one is to have what its hashes say, no more and no less.
    let sql = format!(
        "select count(*) from (select shard, max(handled) as n from {} group by shard) s \
         where n > 0 and n = (select count(*) from {} e where (e.key_hash & 2147483647) % 4 = shard)",
        DB::table("checkpoint"),
        DB::table("event")
    );
    assert_eq!(DB::number(outbox.pool(), &sql).await?, 4, "each shard has its part");
    Ok(())
}

async fn pages_of_any_size_deliver_everything_once<DB: Db>() -> Result<()> {
    for page_size in [1, 2, 7, 1000] {
        let outbox = TestOutbox::<Plain, DB>::new().await?;
        for start in [0, 10, 20] {
            emit(&outbox, (start..start + 10).map(Ping::new)).await?;
        }
        let probe = Probe::default();
        let worker = Worker::new(outbox.outbox().clone(), probe.clone()).page_size(page_size);
        let tally = worker.drain().await?;
        assert_eq!(sorted(probe.numbers("plain")), (0..30).collect::<Vec<_>>(), "{page_size}");
        assert_eq!(tally.handled, 30);
    }
    Ok(())
}

async fn a_new_consumer_begins_with_what_is_committed_after_its_registration<DB: Db>() -> Result<()>
{
    let outbox = TestOutbox::<FromNow, DB>::new().await?;
    emit(&outbox, [Ping::new(1)]).await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert!(probe.seen().is_empty());
    emit(&outbox, [Ping::new(2)]).await?;
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("from-now"), [2]);
    Ok(())
}

async fn a_consumer_can_begin_at_a_time<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<FromTime, DB>::new().await?;
    emit(&outbox, (0..3).map(Ping::new)).await?;
    let events = outbox.events(&outbox_runtime::EventFilter::all()).await?;
    // The consumer begins at 2026-01-31T09:00:00Z.
    for (event, time) in events.iter().zip(["2026-01-31T08:59:59.999999Z", "2026-01-31T09:00:00Z"])
    {
        DB::backdate(outbox.pool(), event.position, time.parse()?).await?;
    }
    assert_eq!(outbox.stats().await?.len(), 0, "it was never seen");
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert_eq!(sorted(probe.numbers("from-time")), [1, 2]);
    Ok(())
}

#[consumer(name = "plain", start = now)]
async fn plain_from_now(ping: Delivery<Ping>, State(probe): State<Probe>) {
    probe.note("plain", &ping);
}

registry! {
    struct PlainFromNow;
    state: Probe,
    events: [Ping],
    consumers: [plain_from_now],
}

async fn a_start_counts_only_for_a_consumer_never_seen_before<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    emit(&outbox, [Ping::new(1)]).await?;
    let later = outbox_runtime::Outbox::<PlainFromNow, DB>::new(outbox.pool().clone());
    Worker::new(later, probe.clone()).drain().await?;
    assert_eq!(probe.numbers("plain"), [1]);
    Ok(())
}
