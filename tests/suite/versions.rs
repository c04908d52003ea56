//! Versions that are newer than the code wait for a worker that knows them.

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{
    Context, Delivery, DeliveryFilter, DeliveryState, Event, Outbox, State, Worker, consumer,
    registry,
};
use outbox_tests::{Db, Ping, Probe, Running, wait};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::consumers::{Ordered, Plain};

crate::both! {
    a_newer_version_waits_for_a_worker_that_knows_it,
    a_running_worker_leaves_newer_versions_alone,
    later_events_of_its_key_wait_behind_a_newer_version,
    a_newer_version_does_not_overtake_earlier_events_of_its_key,
    an_older_worker_gives_back_what_a_newer_one_left,
    older_versions_are_upcast,
}

/// What version 2 of [`Ping`] will be.
#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.ping", version = 2, key = key, upcast(from = Ping))]
struct PingV2 {
    key: Option<String>,
    number: u64,
}

impl From<Ping> for PingV2 {
    fn from(ping: Ping) -> Self {
        Self { key: ping.key, number: ping.n }
    }
}

/// What a worker of the next deployment does.
macro_rules! next {
    ($registry:ident: $module:ident $name:tt ($($options:tt)*)) => {
        mod $module {
            use super::*;

            #[consumer(name = $name, $($options)*)]
            pub(super) async fn handler(ping: Delivery<PingV2>, State(probe): State<Probe>) {
                let event = Ping { key: ping.key.clone(), n: ping.number };
                probe.note_event($name, &ping, &event);
            }
        }

        registry! {
            struct $registry;
            state: Probe,
            events: [PingV2, Ping],
            consumers: [$module::handler],
        }
    };
}

next!(NextPlain: next_plain "plain" (start = beginning));
next!(NextOrdered: next_ordered "ordered" (start = beginning, ordered));

/// The same database, seen by the next deployment.
fn deployed<R: outbox_runtime::Registry, Old, DB: Db>(outbox: &TestOutbox<Old, DB>) -> Outbox<R, DB>
where
    Old: outbox_runtime::Registry,
{
    Outbox::builder(outbox.pool().clone()).clock(outbox.clock().clone()).build()
}

async fn a_newer_version_waits_for_a_worker_that_knows_it<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    DB::append(outbox.pool(), "test.ping", 2, None, r#"{"key": null, "number": 7}"#).await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(1)).await?;
    tx.commit().await?;
    let probe = Probe::default();
    for _ in 0..2 {
        outbox.drain(probe.clone()).await?;
        assert_eq!(probe.numbers("plain"), [1]);
        let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].state, rows[0].attempts), (DeliveryState::Waiting, 0));
        assert_eq!((rows[0].event.version, rows[0].due_at), (2, None));
        assert!(rows[0].errors.is_empty());
        assert_eq!(outbox.stats().await?[0].waiting, 1);
        outbox.advance(std::time::Duration::from_secs(1_000_000));
    }

    let tally = Worker::new(deployed::<NextPlain, _, DB>(&outbox), probe.clone()).drain().await?;
    assert_eq!(tally.handled, 1);
    assert_eq!(probe.numbers("plain"), [1, 7]);
    assert_eq!(probe.attempts("plain", 7), [1]);
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());
    Ok(())
}

async fn a_running_worker_leaves_newer_versions_alone<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let probe = Probe::default();
    let running = Running::start(&outbox, probe.clone());
    DB::append(outbox.pool(), "test.ping", 2, None, r#"{"key": null, "number": 7}"#).await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(1)).await?;
    tx.commit().await?;
    probe.until_called("plain", 1).await;
    running.stop().await?;
    assert_eq!(probe.numbers("plain"), [1]);
    let worker = Worker::new(deployed::<NextPlain, _, DB>(&outbox), probe.clone());
    let running = Running::worker(worker);
    probe.until_called("plain", 2).await;
    running.stop().await?;
    assert_eq!(probe.numbers("plain"), [1, 7]);
    Ok(())
}

async fn later_events_of_its_key_wait_behind_a_newer_version<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    let newer = r#"{"key": "a", "number": 7}"#;
    DB::append(outbox.pool(), "test.ping", 2, Some("a"), newer).await?;
    let mut tx = outbox.begin().await?;
    let pings = [Ping::keyed("a", 8), Ping::keyed("b", 1), Ping::keyed("a", 9)];
    outbox.emit_all(&mut tx, pings).await?;
    tx.commit().await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered"), [1]);
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Waiting, DeliveryState::Parked, DeliveryState::Parked]);

    Worker::new(deployed::<NextOrdered, _, DB>(&outbox), probe.clone()).drain().await?;
    assert_eq!(probe.by_key("ordered")["a"], [7, 8, 9]);
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());
    Ok(())
}

/// The first event is handled until the worker stops, so that the second is still in the queue then.
#[consumer(name = "ordered", start = beginning, ordered)]
async fn until_stopped(ping: Delivery<Ping>, context: Context, State(probe): State<Probe>) {
    probe.note("ordered", &ping);
    context.cancellation().cancelled().await;
}

registry! {
    struct UntilStopped;
    state: Probe,
    events: [Ping],
    consumers: [until_stopped],
}

/// The older worker leaves an earlier event of the key unhandled, and the row of the newer version.
async fn a_newer_version_does_not_overtake_earlier_events_of_its_key<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<UntilStopped, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, [Ping::keyed("a", 0), Ping::keyed("a", 1)]).await?;
    tx.commit().await?;
    let probe = Probe::default();
    let older = Running::start(&outbox, probe.clone());
    probe.until_called("ordered", 1).await;
    let newer = r#"{"key": "a", "number": 7}"#;
    DB::append(outbox.pool(), "test.ping", 2, Some("a"), newer).await?;
    wait::until("the newer version to wait", async || {
        outbox.stats().await.is_ok_and(|stats| stats.iter().any(|one| one.waiting == 1))
    })
    .await;
    older.stop().await?;
    assert_eq!(probe.numbers("ordered"), [0]);

    let next = deployed::<NextOrdered, _, DB>(&outbox);
    Worker::new(next, probe.clone()).drain().await?;
    assert_eq!(probe.numbers("ordered"), [0, 1, 7]);
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());
    Ok(())
}

async fn older_versions_are_upcast<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<NextPlain, DB>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(1)).await?;
    outbox.emit(&mut tx, PingV2 { key: None, number: 2 }).await?;
    tx.commit().await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2]);
    Ok(())
}

/// A newer worker has made the row due, or failed at it, and is gone: an older one takes over.
async fn an_older_worker_gives_back_what_a_newer_one_left<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let newer = deployed::<NextPlain, _, DB>(&outbox);
    let mut tx = newer.begin().await?;
    newer.emit(&mut tx, PingV2 { key: None, number: 7 }).await?;
    tx.commit().await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    let due = match DB::IS_POSTGRES {
        true => "update outbox.delivery set due_at = '-infinity', state = 'retrying'",
        false => "update outbox_delivery set due_at_us = 0, state = 'retrying'",
    };
    DB::execute(outbox.pool(), due).await?;

    outbox.drain(probe.clone()).await?;
    let rows = outbox.deliveries(&DeliveryFilter::all()).await?;
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [DeliveryState::Waiting]);
    assert!(probe.seen().is_empty());

    Worker::new(newer, probe.clone()).drain().await?;
    assert_eq!(probe.numbers("plain"), [7]);
    Ok(())
}
