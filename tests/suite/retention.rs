//! Old events are deleted, and none that somebody needs.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::{TestDatabase, TestOutbox};
use outbox_runtime::{
    ConsumerError, ConsumerStats, Delivery, DeliveryFilter, Outbox, Outcome, Own, Postgres,
    Registered, Registry, Sqlite, State, Worker, consumer, registry,
};
use outbox_tests::{Act, Db, Log, Ping, Probe, Running, wait};

const DAY: Duration = Duration::from_secs(24 * 3600);

crate::both! {
    events_go_when_they_are_old_and_handled,
    a_worker_that_is_told_to_keeps_events_for_ever,
    events_that_nobody_takes_go_by_age_alone,
    a_consumer_that_has_not_handled_them_keeps_its_events_and_is_named,
    a_paused_consumer_keeps_its_events_and_a_retired_one_does_not,
    each_shard_keeps_its_own_slice,
    a_window_that_was_read_half_keeps_the_rest,
    what_is_behind_a_dead_letter_survives_the_log,
    audit_rows_go_with_the_events,
    a_running_worker_deletes_as_time_passes,
    a_log_of_many_ranges_goes_in_bounded_rounds,
    nothing_is_lost_while_writers_readers_and_retention_run_at_once,
    space_is_used_again,
}

#[consumer(name = "quick", start = beginning, audit)]
async fn quick(ping: Delivery<Ping>, State(probe): State<Probe>) -> Result<Outcome, ConsumerError> {
    probe.handle("quick", &ping).await
}

#[consumer(name = "slow", start = beginning, ordered, retry = none, concurrency = 2)]
async fn slow(ping: Delivery<Ping>, State(probe): State<Probe>) -> Result<Outcome, ConsumerError> {
    probe.handle("slow", &ping).await
}

#[consumer(name = "sharded", start = beginning, shards = 4)]
async fn sharded(
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    probe.handle("sharded", &ping).await
}

registry! {
    struct Quick;
    state: Probe,
    events: [Ping],
    consumers: [quick],
}

registry! {
    struct Slow;
    state: Probe,
    events: [Ping],
    consumers: [slow],
}

registry! {
    struct Sharded;
    state: Probe,
    events: [Ping],
    consumers: [sharded],
}

registry! {
    /// Both consumers.
    struct Both;
    state: Probe,
    events: [Ping],
    consumers: [quick, slow],
}

registry! {
    /// A worker that consumes nothing, and deletes.
    struct Nobody;
    state: (),
    events: [Ping],
    consumers: [],
}

async fn emit<R: Registry + Registered<Ping, Own>, DB: Db>(
    outbox: &Outbox<R, DB>,
    pings: impl IntoIterator<Item = Ping>,
) -> Result<()> {
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, pings).await?;
    Ok(tx.commit().await?)
}

async fn left<R, DB: Db>(outbox: &Outbox<R, DB>) -> Result<i64>
where
    R: Registry,
{
    Ok(DB::number(outbox.pool(), &format!("select count(*) from {}", DB::table("event"))).await?)
}

/// Lets a worker without consumers delete what it may.
async fn delete<R: Registry, DB: Db>(outbox: &TestOutbox<R, DB>) -> Result<()> {
    let nobody = Outbox::<Nobody, DB>::builder(outbox.pool().clone()).clock(outbox.clock().clone());
    Worker::new(nobody.build(), ()).drain().await?;
    Ok(())
}

/// The same outbox with another registry.
fn as_registry<R: Registry, DB: Db, O: Registry>(outbox: &TestOutbox<O, DB>) -> Outbox<R, DB> {
    Outbox::builder(outbox.pool().clone()).clock(outbox.clock().clone()).build()
}

fn of<'s>(stats: &'s [ConsumerStats], consumer: &str) -> &'s ConsumerStats {
    stats.iter().find(|stats| stats.consumer == consumer).expect("a known consumer")
}

async fn events_go_when_they_are_old_and_handled<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Quick, DB>::new().await?;
    let probe = Probe::default();
    emit(&outbox, (0..10).map(Ping::new)).await?;
    outbox.advance(DAY * 20);
    emit(&outbox, (10..15).map(Ping::new)).await?;
    outbox.drain(probe.clone()).await?;
    outbox.advance(DAY * 10 - Duration::from_secs(1));
    outbox.drain(probe.clone()).await?;
    assert_eq!(left(&outbox).await?, 15, "30 days have not passed");
    outbox.advance(Duration::from_secs(2));
    outbox.drain(probe.clone()).await?;
    assert_eq!(left(&outbox).await?, 5);
    outbox.advance(DAY * 20);
    outbox.drain(probe.clone()).await?;
    assert_eq!(left(&outbox).await?, 0);
    // Reading goes on behind what is gone.
    emit(&outbox, [Ping::new(99)]).await?;
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("quick").len(), 16);
    Ok(())
}

async fn a_worker_that_is_told_to_keeps_events_for_ever<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Quick, DB>::new().await?;
    emit(&outbox, (0..10).map(Ping::new)).await?;
    outbox.drain(Probe::default()).await?;
    outbox.advance(DAY * 1_000);
    Worker::new(outbox.outbox().clone(), Probe::default()).retain_forever().drain().await?;
    assert_eq!(left(&outbox).await?, 10);
    let told = format!("select count(retain_us) from {}", DB::table("meta"));
    assert_eq!(DB::number(outbox.pool(), &told).await?, 0);
    Worker::new(outbox.outbox().clone(), Probe::default()).retain(DAY * 999).drain().await?;
    assert_eq!(left(&outbox).await?, 0);
    assert_eq!(DB::number(outbox.pool(), &told).await?, 1);
    Ok(())
}

async fn events_that_nobody_takes_go_by_age_alone<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Quick, DB>::new().await?;
    for n in 0..3 {
        DB::append(outbox.pool(), "test.unknown", 1, None, &n.to_string()).await?;
    }
    outbox.advance(DAY * 29);
    outbox.drain(Probe::default()).await?;
    assert_eq!(left(&outbox).await?, 3);
    outbox.advance(DAY * 2);
    outbox.drain(Probe::default()).await?;
    assert_eq!(left(&outbox).await?, 0);
    Ok(())
}

async fn a_consumer_that_has_not_handled_them_keeps_its_events_and_is_named<DB: Db>() -> Result<()>
{
    let outbox = TestOutbox::<Both, DB>::new().await?;
    let probe = Probe::default();
    emit(&outbox, (0..5).map(Ping::new)).await?;
    outbox.drain(probe.clone()).await?;
    emit(&outbox, (5..15).map(Ping::new)).await?;
    let quick = as_registry::<Quick, _, _>(&outbox);
    Worker::new(quick.clone(), probe.clone()).drain().await?;
    outbox.advance(DAY * 29);
    assert_eq!(of(&outbox.stats().await?, "slow").holds_retention, None, "not old enough");
    outbox.advance(DAY * 2);
    Worker::new(quick, probe.clone()).drain().await?;
    assert_eq!(left(&outbox).await?, 10, "what both have handled is gone");
    let stats = outbox.stats().await?;
    assert_eq!(of(&stats, "quick").holds_retention, None);
    let held = of(&stats, "slow").holds_retention.expect("it keeps ten events");
    assert_eq!(held.as_secs().div_ceil(3600), 24, "31 days old, kept for 30: {held:?}");

    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("slow").len(), 15, "it got everything");
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 0);
    assert_eq!(of(&outbox.stats().await?, "slow").holds_retention, None);
    Ok(())
}

/// On one thread, where the log can be captured.
async fn is_warned_of<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Both, DB>::new().await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    emit(&outbox, (0..10).map(Ping::new)).await?;
    let quick = as_registry::<Quick, _, _>(&outbox);
    Worker::new(quick, probe).drain().await?;
    let (log, _guard) = Log::capture();
    for (days, warnings) in [(29, 0), (2, 1)] {
        outbox.advance(DAY * days);
        delete(&outbox).await?;
        let lines = log.lines("WARN");
        assert_eq!(lines.len(), warnings, "{lines:?}");
        assert!(lines.iter().all(|line| line.contains("a consumer keeps old events")));
        assert!(
            lines.iter().all(|line| line.contains(r#"consumer="slow" events=10"#)),
            "{lines:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_warning_names_the_consumer_that_holds_it_back_postgres() -> Result<()> {
    is_warned_of::<Postgres>().await
}

#[tokio::test]
async fn a_warning_names_the_consumer_that_holds_it_back_sqlite() -> Result<()> {
    is_warned_of::<Sqlite>().await
}

async fn a_paused_consumer_keeps_its_events_and_a_retired_one_does_not<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Both, DB>::new().await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    emit(&outbox, (0..10).map(Ping::new)).await?;
    let quick = as_registry::<Quick, _, _>(&outbox);
    Worker::new(quick, probe).drain().await?;
    outbox.pause("slow").await?;
    outbox.advance(DAY * 31);
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 10);
    outbox.retire("slow").await?;
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 0, "it needs nothing");
    Ok(())
}

async fn each_shard_keeps_its_own_slice<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Sharded, DB>::new().await?;
    let probe = Probe::default();
    emit(&outbox, (0..100).map(|n| Ping::keyed(&format!("k{n}"), n))).await?;
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("sharded").len(), 100);
    outbox.advance(DAY * 31);
    // As if shard 2 had handled nothing; its slice is what it would read.
    let (checkpoint, event) = (DB::table("checkpoint"), DB::table("event"));
    let drop = format!("delete from {checkpoint} where shard = 2 and seq > 0");
    DB::execute(outbox.pool(), &drop).await?;
    let slice = format!("select count(*) from {event} where (key_hash & 2147483647) % 4 = 2");
    let slice = DB::number(outbox.pool(), &slice).await?;
    assert!(slice > 0);
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, slice);
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("sharded").len(), 100 + slice as usize, "nothing of it was gone");
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 0);
    Ok(())
}

async fn a_window_that_was_read_half_keeps_the_rest<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Both, DB>::new().await?;
    let probe = Probe::new(|consumer, ping, _| match consumer {
        "slow" if ping.n >= 130 => Act::Hang,
        _ => Act::Succeed,
    });
    emit(&outbox, (0..500).map(|n| Ping::keyed(&format!("k{}", n % 10), n))).await?;
    let often = Duration::from_millis(10);
    let worker =
        Worker::new(outbox.outbox().clone(), probe.clone()).page_size(20).poll(often, often);
    let running = Running::worker(worker.shutdown_timeout(Duration::ZERO));
    probe
        .until("a handler that hangs", |seen| {
            seen.iter().any(|seen| seen.consumer == "slow" && seen.n >= 130)
        })
        .await;
    probe.until_called("quick", 500).await;
    running.stop().await?;
    outbox.advance(DAY * 31);
    delete(&outbox).await?;
    let kept = left(&outbox).await?;
    assert!((370..500).contains(&kept), "what was handled is gone, the rest is not: {kept}");
    probe.rescript(|_, _, _| Act::Succeed);
    outbox.drain(probe.clone()).await?;
    let seen: HashSet<u64> = probe.numbers("slow").into_iter().collect();
    assert_eq!(seen.len(), 500);
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 0);
    Ok(())
}

async fn what_is_behind_a_dead_letter_survives_the_log<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Slow, DB>::new().await?;
    let probe = Probe::new(|_, ping, _| if ping.n == 1 { Act::Permanent } else { Act::Succeed });
    emit(&outbox, (1..5).map(|n| Ping::keyed("k", n))).await?;
    outbox.drain(probe.clone()).await?;
    outbox.advance(DAY * 31);
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 0);
    assert_eq!(outbox.deliveries(&DeliveryFilter::all()).await?.len(), 4);
    assert_eq!(of(&outbox.stats().await?, "slow").holds_retention, None, "rows carry copies");
    probe.rescript(|_, _, _| Act::Succeed);
    outbox.redrive(&DeliveryFilter::all()).await?;
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("slow"), [1, 1, 2, 3, 4]);
    Ok(())
}

async fn audit_rows_go_with_the_events<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Quick, DB>::new().await?;
    emit(&outbox, (0..10).map(Ping::new)).await?;
    outbox.drain(Probe::default()).await?;
    let audit = format!("select count(*) from {}", DB::table("audit"));
    assert_eq!(DB::number(outbox.pool(), &audit).await?, 10);
    outbox.advance(DAY * 29);
    delete(&outbox).await?;
    assert_eq!(DB::number(outbox.pool(), &audit).await?, 10);
    outbox.advance(DAY * 2);
    delete(&outbox).await?;
    assert_eq!(DB::number(outbox.pool(), &audit).await?, 0);
    Ok(())
}

async fn a_running_worker_deletes_as_time_passes<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Quick, DB>::new().await?;
    let probe = Probe::default();
    let running = Running::start(&outbox, probe.clone());
    emit(&outbox, (0..10).map(Ping::new)).await?;
    probe.until_called("quick", 10).await;
    wait::until("its record", || async {
        outbox.stats().await.is_ok_and(|stats| stats.iter().all(|stats| stats.handled == 10))
    })
    .await;
    outbox.advance(DAY * 31);
    wait::until("the events to go", || async { left(&outbox).await.is_ok_and(|left| left == 0) })
        .await;
    running.stop().await?;
    Ok(())
}

async fn a_log_of_many_ranges_goes_in_bounded_rounds<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Quick, DB>::new().await?;
    let probe = Probe::default();
    outbox.drain(probe.clone()).await?;
    // Ranges are of a thousand positions: some are full, some have gaps, some only gaps.
    for chunk in 0..7 {
        emit(&outbox, (0..1_000).map(|n| Ping::new(chunk * 1_000 + n))).await?;
    }
    let gaps = format!(
        "delete from {} where position between 1500 and 4500 or position % 7 = 0",
        DB::table("event")
    );
    DB::execute(outbox.pool(), &gaps).await?;
    outbox.drain(probe.clone()).await?;
    outbox.advance(DAY * 31);
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 0);
    Ok(())
}

async fn nothing_is_lost_while_writers_readers_and_retention_run_at_once<DB: Db>() -> Result<()> {
    const WRITERS: u64 = 4;
    const EACH: u64 = 300;
    let database = TestDatabase::<DB>::with_connections(20).await?;
    let outbox = Outbox::<Both, DB>::new(database.pool().clone());
    outbox.migrate().await?;
    let probe = Probe::default();
    // Registers its consumers before anything is emitted.
    Worker::new(outbox.clone(), probe.clone()).drain().await?;
    let often = Duration::from_millis(10);
    let worker = || {
        let worker = Worker::new(outbox.clone(), probe.clone()).page_size(20).poll(often, often);
        Running::worker(worker.lease(Duration::from_secs(1)).retain(Duration::ZERO))
    };
    // Two workers: the second one only deletes, until it has to take over.
    let (first, second) = (worker(), worker());
    let outbox = &outbox;
    let write = |writer: u64| async move {
        let mut random = fastrand::Rng::with_seed(writer);
        let mut n = writer * 10_000;
        while n < writer * 10_000 + EACH {
            let batch = random.u64(1..20).min(writer * 10_000 + EACH - n);
            emit(outbox, (n..n + batch).map(|n| Ping::keyed(&format!("k{}", n % 50), n))).await?;
            n += batch;
            tokio::time::sleep(Duration::from_millis(random.u64(0..20))).await;
        }
        anyhow::Ok(())
    };
    futures_util::future::try_join_all((0..WRITERS).map(write)).await?;
    first.stop().await?;
    for consumer in ["quick", "slow"] {
        probe
            .until(&format!("everything at `{consumer}`"), |seen| {
                let seen = seen.iter().filter(|seen| seen.consumer == consumer);
                seen.map(|seen| seen.n).collect::<HashSet<_>>().len() as u64 == WRITERS * EACH
            })
            .await;
    }
    wait::until("the events to go", || async { left(outbox).await.is_ok_and(|left| left == 0) })
        .await;
    second.stop().await?;
    Ok(())
}

/// How much the log takes on disk.
async fn size<DB: Db>(outbox: &TestOutbox<Quick, DB>) -> Result<i64> {
    if DB::IS_POSTGRES {
        return Ok(
            DB::number(outbox.pool(), "select pg_total_relation_size('outbox.event')").await?
        );
    }
    Ok(DB::number(outbox.pool(), "pragma page_count").await?)
}

/// However often the log is filled and emptied, it takes no more than twice what it takes full.
/// (Not once: Postgres uses pages of an index again only after everybody who was there has left.)
async fn space_is_used_again<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Quick, DB>::new().await?;
    let mut sizes = Vec::new();
    for _ in 0..10 {
        for chunk in 0..4 {
            emit(&outbox, (0..500).map(|n| Ping::keyed(&"k".repeat(500), chunk * 500 + n))).await?;
        }
        sizes.push(size(&outbox).await?);
        outbox.drain(Probe::default()).await?;
        outbox.advance(DAY * 31);
        delete(&outbox).await?;
        assert_eq!(left(&outbox).await?, 0);
        if DB::IS_POSTGRES {
            // As autovacuum does in its own time.
            DB::execute(outbox.pool(), "vacuum outbox.event").await?;
        }
    }
    assert!(sizes[9] <= 2 * sizes[0], "it grows from round to round: {sizes:?}");
    Ok(())
}

/// An event whose transaction was open when the consumer looked, and is committed since: old,
/// before the consumer's mark, and unread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_a_late_transaction_is_kept_for_who_has_not_read_it() -> Result<()> {
    let outbox = TestOutbox::<Both, Postgres>::new().await?;
    let probe = Probe::default();
    let mut late = outbox.begin().await?;
    outbox.emit(&mut late, Ping::new(1)).await?;
    emit(&outbox, (10..20).map(Ping::new)).await?;
    outbox.drain(probe.clone()).await?;
    outbox.advance(DAY * 31);
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 0, "what is open is not seen");
    late.commit().await?;
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 1, "nobody has read it");
    let quick = as_registry::<Quick, _, _>(&outbox);
    Worker::new(quick, probe.clone()).drain().await?;
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 1, "one has not read it");
    outbox.drain(probe.clone()).await?;
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 0);
    assert!(probe.numbers("slow").contains(&1) && probe.numbers("quick").contains(&1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_worker_deletes_at_a_time() -> Result<()> {
    let outbox = TestOutbox::<Quick, Postgres>::new().await?;
    emit(&outbox, (0..10).map(Ping::new)).await?;
    outbox.drain(Probe::default()).await?;
    outbox.advance(DAY * 31);
    // Another worker is at it, or somebody replays or registers.
    for lock in ["pg_advisory_xact_lock", "pg_advisory_xact_lock_shared"] {
        let mut other = outbox.begin().await?;
        let lock = format!("select {lock}(hashtextextended('outbox retention:outbox', 0))");
        Postgres::run(&mut other, &lock).await?;
        delete(&outbox).await?;
        assert_eq!(left(&outbox).await?, 10, "{lock}");
        other.rollback().await?;
    }
    delete(&outbox).await?;
    assert_eq!(left(&outbox).await?, 0);
    Ok(())
}

/// A deletion that has to wait, for longer than a lease, delays no renewal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_deletion_costs_no_lease() -> Result<()> {
    let outbox = TestOutbox::<Quick, Postgres>::new().await?;
    let probe = Probe::default();
    emit(&outbox, (0..10).map(Ping::new)).await?;
    let often = Duration::from_millis(10);
    let worker = Worker::new(outbox.outbox().clone(), probe.clone()).poll(often, often);
    let running = Running::worker(worker.lease(Duration::from_secs(3)));
    probe.until_called("quick", 10).await;
    wait::until("its record", || async {
        outbox.stats().await.is_ok_and(|stats| stats.iter().all(|stats| stats.handled == 10))
    })
    .await;
    let mut holder = outbox.begin().await?;
    Postgres::run(&mut holder, "select from outbox.event for update").await?;
    outbox.advance(DAY * 31);
    let pool = outbox.pool();
    wait::until("the deletion to wait", || async {
        let waits = "select count(*) from pg_stat_activity where datname = current_database() \
                     and wait_event_type = 'Lock' and query like '%delete from%event%'";
        Postgres::number(pool, waits).await.is_ok_and(|count| count > 0)
    })
    .await;
    let renewed = "select (extract(epoch from max(expires_at)) * 1000)::bigint from outbox.lease";
    let mut last = Postgres::number(pool, renewed).await?;
    // Three come in the time of one lease.
    for _ in 0..4 {
        wait::until("a renewal", || async {
            Postgres::number(pool, renewed).await.is_ok_and(|now| now > last)
        })
        .await;
        last = Postgres::number(pool, renewed).await?;
    }
    assert_eq!(Postgres::number(pool, "select max(epoch) from outbox.lease").await?, 1);
    assert_eq!(left(&outbox).await?, 10);
    holder.rollback().await?;
    wait::until("the events to go", || async { left(&outbox).await.is_ok_and(|left| left == 0) })
        .await;
    running.stop().await?;
    Ok(())
}

/// Emitters have their turn at SQLite's only write lock while very much is deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emitters_go_on_while_much_is_deleted() -> Result<()> {
    let outbox = TestOutbox::<Quick, Sqlite>::new().await?;
    for chunk in 0..20 {
        emit(&outbox, (0..1_000).map(|n| Ping::new(chunk * 1_000 + n))).await?;
    }
    outbox.drain(Probe::default()).await?;
    outbox.advance(DAY * 31);
    let deleting = delete(&outbox);
    tokio::pin!(deleting);
    let mut emitted = 0;
    loop {
        tokio::select! {
            deleted = &mut deleting => break deleted?,
            emitting = emit(&outbox, [Ping::new(100_000 + emitted)]) => emitting?,
        }
        emitted += 1;
    }
    assert!(emitted >= 10, "only {emitted} events were emitted meanwhile");
    assert!(left(&outbox).await? >= emitted as i64, "and these are kept");
    Ok(())
}
