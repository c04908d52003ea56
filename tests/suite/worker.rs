//! Workers: starting, stopping, waking up, and sharing the work.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::{TestDatabase, TestOutbox};
use outbox_runtime::{
    Context, Delivery, DeliveryFilter, ErrorKind, Outbox, Own, Registered, Registry, State, Tally,
    Worker, consumer, registry,
};
use outbox_tests::{Act, Db, Ping, Probe, Running, wait};

use crate::consumers::{Ordered, Plain, Several};

crate::both! {
    a_stopped_worker_lets_its_handlers_finish_and_records_it,
    a_handler_that_hangs_is_left_behind_and_its_event_comes_again,
    a_commit_wakes_the_worker_at_once,
    an_emit_elsewhere_is_found_by_polling,
    a_consumer_runs_on_one_worker_at_a_time_and_moves_when_that_one_stops,
    drain_tells_what_was_done,
    drain_leaves_alone_what_another_worker_runs,
    a_handler_hears_that_the_worker_stops,
    a_handler_hears_that_its_time_is_up,
    a_worker_needs_the_tables,
    progress_survives_restarts,
    a_worker_started_before_its_first_event_delivers_it,
}

async fn emit<R, DB: Db>(
    outbox: &Outbox<R, DB>,
    pings: impl IntoIterator<Item = Ping>,
) -> Result<()>
where
    R: Registry + Registered<Ping, Own>,
{
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, pings).await?;
    tx.commit().await?;
    Ok(())
}

async fn a_stopped_worker_lets_its_handlers_finish_and_records_it<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let probe = Probe::new(|_, _, _| Act::Gate);
    let running = Running::start(&outbox, probe.clone());
    emit(&outbox, (0..3).map(Ping::new)).await?;
    probe.until_called("plain", 3).await;
    running.tell_to_stop();
    probe.open_gate();
    let tally = running.stop().await?;
    assert_eq!(tally.handled, 3);
    assert_eq!(outbox.drain(probe.clone()).await?, Tally::default());
    assert_eq!(probe.seen().len(), 3);
    Ok(())
}

async fn a_handler_that_hangs_is_left_behind_and_its_event_comes_again<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 1 { Act::Hang } else { Act::Succeed });
    let running = Running::worker(
        Worker::new(outbox.outbox().clone(), probe.clone())
            .shutdown_timeout(Duration::from_millis(50)),
    );
    emit(&outbox, (0..3).map(Ping::new)).await?;
    probe.until_called("plain", 3).await;
    assert_eq!(running.stop().await?.handled, 2);
    probe.forget();
    probe.rescript(|_, _, _| Act::Succeed);
    // The lease was handed back, so nobody has to wait for it.
    assert_eq!(outbox.drain(probe.clone()).await?.handled, 1);
    assert_eq!((probe.numbers("plain"), probe.attempts("plain", 1)), (vec![1], vec![1]));
    Ok(())
}

async fn a_commit_wakes_the_worker_at_once<DB: Db>() -> Result<()> {
    const NEVER: Duration = Duration::from_secs(7 * 24 * 3600);
    let outbox = TestOutbox::<Several, DB>::new().await?;
    let probe = Probe::default();
    // One that hears nothing from outside, where its own commits are seen as well.
    let deaf = Outbox::<Several, DB>::builder(outbox.pool().clone()).poll_only();
    let outbox = deaf.clock(outbox.clock().clone()).build();
    let worker = Worker::new(outbox.clone(), probe.clone()).poll(NEVER, NEVER);
    let running = Running::worker(worker);
    for n in 0..20 {
        emit(&outbox, [Ping::new(n * 2)]).await?;
        for consumer in ["plain", "ordered", "picky"] {
            probe.until_called(consumer, n as usize + 1).await;
        }
    }
    running.stop().await?;
    Ok(())
}

async fn an_emit_elsewhere_is_found_by_polling<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Several, DB>::new().await?;
    let probe = Probe::default();
    let running = Running::start(&outbox, probe.clone());
    for n in 0..5 {
        // The commit of a plain transaction is not seen by the outbox.
        let mut tx = outbox.pool().begin().await?;
        outbox.emit(&mut tx, Ping::new(n * 2)).await?;
        tx.commit().await?;
        for consumer in ["plain", "ordered", "picky"] {
            probe.until_called(consumer, n as usize + 1).await;
        }
    }
    running.stop().await?;
    Ok(())
}

async fn a_consumer_runs_on_one_worker_at_a_time_and_moves_when_that_one_stops<DB: Db>()
-> Result<()> {
    let outbox = TestOutbox::<Ordered, DB>::new().await?;
    let often = Duration::from_millis(10);
    let start = |probe: &Probe| {
        // A stopped worker's leases are looked for three times in this time.
        let lease = Duration::from_secs(6);
        Running::worker(
            Worker::new(outbox.outbox().clone(), probe.clone()).poll(often, often).lease(lease),
        )
    };
    let (first, second) = (Probe::default(), Probe::default());
    let running = start(&first);
    emit(&outbox, [Ping::keyed("a", 0)]).await?;
    first.until_called("ordered", 1).await;
    let other = start(&second);
    for n in 1..30 {
        emit(&outbox, [Ping::keyed("a", n)]).await?;
    }
    first.until_called("ordered", 30).await;
    assert!(second.seen().is_empty());
    running.stop().await?;
    emit(&outbox, [Ping::keyed("a", 30)]).await?;
    second.until_called("ordered", 1).await;
    other.stop().await?;
    assert_eq!(first.numbers("ordered"), (0..30).collect::<Vec<_>>());
    assert_eq!(second.numbers("ordered"), [30]);
    Ok(())
}

async fn drain_tells_what_was_done<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    emit(&outbox, (0..10).map(Ping::new)).await?;
    let probe = Probe::new(|_, ping, _| match ping.n {
        0 => Act::Fail,
        1 | 2 => Act::Permanent,
        3..6 => Act::Snooze(Duration::from_secs(1)),
        6 => Act::Skip,
        _ => Act::Succeed,
    });
    let tally = outbox.drain(probe.clone()).await?;
    let told = (tally.retried, tally.dead, tally.snoozed, tally.handled);
    assert_eq!(told, (1, 2, 3, 4));
    assert_eq!(outbox.drain(probe).await?, Tally::default());
    Ok(())
}

async fn drain_leaves_alone_what_another_worker_runs<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let probe = Probe::new(|_, _, _| Act::Gate);
    let running = Running::start(&outbox, probe.clone());
    emit(&outbox, [Ping::new(1)]).await?;
    probe.until_called("plain", 1).await;
    let other = Probe::default();
    assert_eq!(outbox.drain(other.clone()).await?, Tally::default());
    assert!(other.seen().is_empty());
    probe.open_gate();
    assert_eq!(running.stop().await?.handled, 1);
    Ok(())
}

/// Works until it is told to stop.
#[consumer(name = "patient", start = beginning)]
async fn patient(ping: Delivery<Ping>, context: Context, State(probe): State<Probe>) {
    assert_eq!((context.consumer(), context.attempt()), ("patient", 1));
    assert_eq!(context.event_id(), ping.id());
    assert_eq!(context.idempotency_key(), ping.idempotency_key());
    probe.note("patient", &ping);
    context.cancellation().cancelled().await;
    probe.note("patient", &ping);
}

registry! {
    struct Patient;
    state: Probe,
    events: [Ping],
    consumers: [patient],
}

async fn a_handler_hears_that_the_worker_stops<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Patient, DB>::new().await?;
    let probe = Probe::default();
    let running = Running::start(&outbox, probe.clone());
    emit(&outbox, [Ping::new(1)]).await?;
    probe.until_called("patient", 1).await;
    assert_eq!(running.stop().await?.handled, 1);
    assert_eq!(probe.seen().len(), 2);
    Ok(())
}

/// Leaves something running that stops when the attempt does.
#[consumer(name = "parent", start = beginning, timeout = "200ms", retry = none)]
async fn parent(ping: Delivery<Ping>, context: Context, State(probe): State<Probe>) {
    let token = context.cancellation().clone();
    tokio::spawn(async move {
        token.cancelled().await;
        probe.note("child", &ping);
    });
    std::future::pending().await
}

registry! {
    struct Parents;
    state: Probe,
    events: [Ping],
    consumers: [parent],
}

async fn a_handler_hears_that_its_time_is_up<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Parents, DB>::new().await?;
    emit(&outbox, [Ping::new(1)]).await?;
    let probe = Probe::default();
    assert_eq!(outbox.drain(probe.clone()).await?.dead, 1);
    probe.until_called("child", 1).await;
    Ok(())
}

async fn a_worker_needs_the_tables<DB: Db>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    let outbox = Outbox::<Plain, DB>::new(database.pool().clone());
    let worker = || Worker::new(outbox.clone(), Probe::default());
    for error in [
        worker().drain().await.expect_err("there are no tables"),
        worker().run_until(std::future::pending()).await.expect_err("there are no tables"),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotMigrated, "{error}");
        assert!(error.to_string().contains("Outbox::migrate()"), "{error}");
    }
    Ok(())
}

async fn progress_survives_restarts<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Several, DB>::new().await?;
    let probe = Probe::default();
    for n in 0..5 {
        let running = Running::start(&outbox, probe.clone());
        emit(&outbox, (0..10).map(|i| Ping::keyed("a", n * 10 + i))).await?;
        probe.until_called("ordered", n as usize * 10 + 5).await;
        running.stop().await?;
    }
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("ordered"), (0..50).collect::<Vec<_>>());
    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());
    Ok(())
}

async fn a_worker_started_before_its_first_event_delivers_it<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let probe = Probe::default();
    let running = Running::start(&outbox, probe.clone());
    wait::until("the consumer to be known", async || {
        outbox.stats().await.is_ok_and(|stats| stats.len() == 1)
    })
    .await;
    emit(&outbox, [Ping::new(1)]).await?;
    probe.until_called("plain", 1).await;
    running.stop().await?;
    Ok(())
}
