//! The whole life of every kind of consumer behind PgBouncer: several workers with many connections
//! share two of the server.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{
    Batch, ConsumerError, Delivery, DeliveryFilter, DeliveryState, Emit, EventFilter, Outbox,
    Outcome, Postgres, Replay, State, Tx, Worker, consumer, registry,
};
use outbox_tests::{Act, Db, PgBouncer, Ping, Probe, Running, wait};
use sqlx::{Executor, PgPool};

use super::{through, told};

#[consumer(name = "each", start = beginning, shards = 2, retry(max = 3, backoff = "5ms..20ms"))]
async fn each(ping: Delivery<Ping>, State(probe): State<Probe>) -> Result<Outcome, ConsumerError> {
    probe.handle("each", &ping).await
}

#[consumer(name = "ordered", start = beginning, ordered, shards = 2, retry(max = 3, backoff = "5ms..20ms"))]
async fn ordered(
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    probe.handle("ordered", &ping).await
}

#[consumer(name = "projected", start = beginning, delivery = tx, retry(max = 3, backoff = "5ms..20ms"))]
async fn projected(
    ping: Delivery<Ping>,
    tx: &mut Tx<'_, Postgres>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    let count = sqlx::query(
        "insert into projection values ($1, 1)
         on conflict (n) do update set times = projection.times + 1",
    );
    count.persistent(false).bind(ping.n as i64).execute(&mut **tx).await?;
    probe.handle("projected", &ping).await
}

#[consumer(name = "batched", start = beginning, batch(max = 20, wait = "10ms"), audit)]
async fn batched(pings: Batch<Ping>, State(probe): State<Probe>) {
    for ping in &pings {
        probe.note("batched", ping);
    }
}

#[consumer(name = "late", start = beginning, delay = "50ms")]
async fn late(ping: Delivery<Ping>, State(probe): State<Probe>) {
    probe.note("late", &ping);
}

registry! {
    struct Life;
    state: Probe,
    events: [Ping],
    consumers: [each, ordered, projected, batched, late],
}

const CONSUMERS: [&str; 5] = ["each", "ordered", "projected", "batched", "late"];
const TASKS: u64 = 4;
const PER_TASK: u64 = 60;
const EVENTS: u64 = TASKS * PER_TASK;
/// These are given up at first.
const HOPELESS: [u64; 2] = [7, 67];

type Shop = Outbox<Life, Postgres>;

fn key(n: u64) -> String {
    format!("task{}-{}", n / PER_TASK, n % 3)
}

/// Emits the numbers of one task, in order, in every way that there is.
async fn emit_all(outbox: Shop, task: u64) -> Result<()> {
    let numbers: Vec<u64> = (task * PER_TASK..(task + 1) * PER_TASK).collect();
    for (way, part) in numbers.chunks(5).enumerate() {
        let pings = part.iter().map(|n| Ping::keyed(&key(*n), *n));
        let mut tx = outbox.begin().await?;
        match way % 4 {
            0 => drop(outbox.emit_all(&mut tx, pings).await?),
            1 => {
                for ping in pings {
                    let dedup = format!("ping-{}", ping.n);
                    let first = Emit::new(ping.clone()).dedup_key(dedup.clone());
                    let first = outbox.emit(&mut tx, first).await?;
                    let again = outbox.emit(&mut tx, Emit::new(ping).dedup_key(dedup)).await?;
                    assert!(again.duplicate && again.id == first.id);
                }
            }
            2 => {
                for ping in pings {
                    let changed = outbox
                        .emit_changed::<Ping, _>(
                            "insert into pinged values ($1, $2) returning key, n",
                        )
                        .bind(ping.key.clone())
                        .bind(ping.n as i64)
                        .run(&mut tx)
                        .await?;
                    assert_eq!(changed.len(), 1);
                }
            }
            _ => {
                let mut undone = tx.savepoint().await?;
                outbox.emit(undone.tx(), Ping::new(EVENTS + 1)).await?;
                undone.rollback().await?;
                for ping in pings {
                    outbox.emit(&mut tx, ping).await?;
                }
            }
        }
        tx.commit().await?;
        let mut undone = outbox.begin().await?;
        outbox.emit(&mut undone, Ping::new(EVENTS + 2)).await?;
        undone.rollback().await?;
    }
    Ok(())
}

/// Fails now and then, gives up on some, and by key `ordered` waits behind those.
fn script(consumer: &str, ping: &Ping, attempt: u32) -> Act {
    match consumer {
        "each" | "ordered" if HOPELESS.contains(&ping.n) => Act::Permanent,
        _ if attempt == 1 && ping.n % 11 == 3 => Act::Fail,
        _ if attempt == 1 && ping.n % 29 == 5 => Act::Panic,
        _ => Act::Succeed,
    }
}

/// Waits until everything was read and nothing is running, except what dead letters hold.
async fn until_quiet(outbox: &Shop, dead_letters: u64) {
    wait::until("every event to be handled or held", async || {
        outbox.stats().await.is_ok_and(|stats| {
            stats.len() == CONSUMERS.len()
                && stats.iter().map(|stats| stats.dead).sum::<u64>() == dead_letters
                && stats.iter().all(|stats| {
                    stats.handled + stats.dead + stats.parked >= EVENTS
                        && stats.lag_events == 0
                        && stats.delayed + stats.retrying == 0
                        && (dead_letters > 0 || stats.parked == 0)
                })
        })
    })
    .await;
}

/// Looks at both server connections at once, through the pooler.
async fn left_on_the_servers(pool: &PgPool) -> Result<Vec<(i32, i64)>> {
    let sql = "select pg_backend_pid(), (select count(*) from pg_prepared_statements)
                   + (select count(*) from pg_listening_channels())";
    let mut found = Vec::new();
    let (mut one, mut other) = (pool.begin().await?, pool.begin().await?);
    for tx in [&mut one, &mut other] {
        let row = tx.fetch_one(sqlx::raw_sql(sql)).await?;
        found.push((sqlx::Row::try_get(&row, 0)?, sqlx::Row::try_get(&row, 1)?));
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_consumer_lives_behind_a_transaction_pooler_postgres() -> Result<()> {
    let database = TestDatabase::<Postgres>::create().await?;
    let pooler = PgBouncer::start(2, "")?;
    let process = || -> Result<Shop> { Ok(told(through(pooler.options(&database)?, 6))) };
    let outbox = process()?;
    outbox.migrate().await?;
    outbox.migrate().await?;
    let tables = "create table projection (n bigint primary key, times int not null);
                  create table pinged (key text, n bigint)";
    sqlx::raw_sql(tables).execute(database.pool()).await?;

    let probe = Probe::new(script);
    let often = Duration::from_millis(10);
    let worker = || -> Result<Running> {
        let worker = Worker::new(process()?, probe.clone()).lease(Duration::from_secs(2));
        Ok(Running::worker(worker.poll(often, often).page_size(50).tx_size(10)))
    };
    let mut workers = vec![worker()?, worker()?];
    let emitting: Vec<_> =
        (0..TASKS).map(|task| Ok(emit_all(process()?, task))).collect::<Result<_>>()?;
    futures_util::future::try_join_all(emitting).await?;
    until_quiet(&outbox, 4).await;

    // Two dead letters of each; those of `ordered` hold their keys.
    let dead = DeliveryFilter::all().state(DeliveryState::Dead);
    assert_eq!(outbox.deliveries(&dead).await?.len(), 4);
    let parked = DeliveryFilter::all().consumer("ordered").state(DeliveryState::Parked);
    assert!(!outbox.deliveries(&parked).await?.is_empty());
    // One worker leaves; another comes and takes its shards over.
    workers.remove(0).stop().await?;
    workers.push(worker()?);
    probe.rescript(|_, _, _| Act::Succeed);
    assert_eq!(outbox.redrive(&dead.clone().consumer("ordered")).await?, 2);
    assert_eq!(outbox.discard(&dead.clone().consumer("each").limit(1)).await?, 1);
    assert_eq!(outbox.redrive(&dead).await?, 1);
    wait::until("the keys to be free", async || {
        let all = outbox.deliveries(&DeliveryFilter::all()).await;
        all.is_ok_and(|left| left.is_empty())
    })
    .await;
    operate(&outbox, &probe).await?;
    let shared = "select count(*) from pg_stat_activity
                  where datname = current_database() and application_name = 'bounced'";
    assert_eq!(Postgres::number(database.pool(), shared).await?, 2);
    for running in workers {
        running.stop().await?;
    }
    assert_eq!(Worker::new(process()?, probe.clone()).drain().await?.handled, 0);

    check(&outbox, &database, &probe).await?;
    let left = left_on_the_servers(&through(pooler.options(&database)?, 2)).await?;
    assert_ne!(left[0].0, left[1].0);
    assert_eq!((left[0].1, left[1].1), (0, 0), "named statements or channels were left");
    Ok(())
}

/// What people do in the night, while the workers run.
async fn operate(outbox: &Shop, probe: &Probe) -> Result<()> {
    outbox.pause("late").await?;
    outbox.pause_key("ordered", &key(0)).await?;
    outbox.resume_key("ordered", &key(0)).await?;
    outbox.resume("late").await?;
    outbox.reshard("each", 3).await?;
    wait::until("three shards", async || {
        outbox.shards(Some("each")).await.is_ok_and(|shards| shards.len() == 3)
    })
    .await;
    outbox.replay("late", &Replay::from_beginning()).await?;
    probe.until_called("late", 2 * EVENTS as usize).await;
    wait::until("the replay to be over", async || {
        let stats = outbox.stats().await;
        stats.is_ok_and(|stats| stats.iter().all(|stats| stats.lag_events + stats.delayed == 0))
    })
    .await;
    assert!(outbox.workers().await?.len() >= 2);
    let (hour, step) = (Duration::from_secs(3600), Duration::from_millis(1));
    assert!(!outbox.rates("projected", hour, step).await?.is_empty());
    Ok(())
}

/// Nothing lost, nothing that was rolled back, each key in order, and the projection exact.
async fn check(outbox: &Shop, database: &TestDatabase<Postgres>, probe: &Probe) -> Result<()> {
    let all: BTreeSet<u64> = (0..EVENTS).collect();
    for consumer in CONSUMERS {
        let seen: BTreeSet<u64> = probe.numbers(consumer).into_iter().collect();
        assert_eq!(seen, all, "{consumer}");
    }
    for (key, mut numbers) in probe.by_key("ordered") {
        // A repeated attempt follows the one before it.
        numbers.dedup();
        assert!(numbers.is_sorted(), "{key}: {numbers:?}");
    }
    let exact = "select count(*) from projection where times = 1";
    assert_eq!(Postgres::number(database.pool(), exact).await?, EVENTS as i64);
    let counted = Postgres::number(database.pool(), "select count(*) from projection").await?;
    assert_eq!(counted, EVENTS as i64);
    let events = outbox.events(&EventFilter::all().name("test.ping").limit(10_000)).await?;
    assert_eq!(events.len() as u64, EVENTS);
    assert!(outbox.event(events[0].id).await?.is_some());
    assert!(outbox.now().await? >= events[0].created_at);
    Ok(())
}
