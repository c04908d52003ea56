//! An idle worker costs next to nothing, and a rare event is found cheaply (Postgres only).
//!
//! The worker's connections find the functions of a schema `spy` before those of Postgres, so that
//! what it reads and when it draws a transaction id can be counted, whatever else the server does.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Event, Outbox, Postgres, Worker, registry};
use outbox_tests::{Db, Ping, Probe, Running, wait};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::consumers::{ordered, picky, plain};

/// Not for any consumer.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(name = "test.foreign", version = 1)]
struct Foreign {
    n: u64,
}

registry! {
    struct Mostly;
    state: Probe,
    events: [Ping, Foreign],
    consumers: [plain, ordered, picky],
}

const SPY: &str = "
create schema spy;
create sequence spy.reads;
create sequence spy.ids;
create function spy.pg_current_snapshot() returns pg_snapshot language sql stable as $$
    select case when nextval('spy.reads') > 0 then pg_catalog.pg_current_snapshot() end $$;
create function spy.pg_current_xact_id() returns xid8 language sql volatile as $$
    select case when nextval('spy.ids') > 0 then pg_catalog.pg_current_xact_id() end $$;
";

/// The last value of a spy's sequence.
async fn count(pool: &PgPool, sequence: &str) -> Result<i64> {
    let sql = format!("select case when is_called then last_value else 0 end from spy.{sequence}");
    Ok(Postgres::number(pool, &sql).await?)
}

/// Another outbox on the same database, whose statements are counted.
async fn spied(outbox: &TestOutbox<Mostly, Postgres>) -> Result<Outbox<Mostly, Postgres>> {
    sqlx::raw_sql(SPY).execute(outbox.pool()).await?;
    let options: PgConnectOptions = outbox.database().url().parse()?;
    let pool = PgPoolOptions::new()
        .connect_with(
            options.application_name("spied").options([("search_path", "spy,pg_catalog")]),
        )
        .await?;
    Ok(Outbox::builder(pool).clock(outbox.clock().clone()).build())
}

/// Everything that an idle worker might write.
async fn written(pool: &PgPool) -> Result<i64> {
    Ok(Postgres::number(
        pool,
        "select sum(coalesce(n, 0))::bigint from (
             select count(*) as n from outbox.checkpoint
             union all select count(*) from outbox.delivery
             union all select max(xmin::text::bigint) from outbox.lease
             union all select max(xmin::text::bigint) from outbox.worker
             union all select max(xmin::text::bigint) from outbox.consumer
             union all select max(xmin::text::bigint) from outbox.meta) written",
    )
    .await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_worker_writes_nothing_and_uses_no_transaction_ids_postgres() -> Result<()> {
    let outbox = TestOutbox::<Mostly, Postgres>::new().await?;
    let probe = Probe::default();
    let often = Duration::from_millis(5);
    let worker = Worker::new(spied(&outbox).await?, probe.clone());
    let hour = Duration::from_secs(3600);
    let running = Running::worker(worker.lease(hour).poll(often, often));
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(2)).await?;
    tx.commit().await?;
    for consumer in ["plain", "ordered", "picky"] {
        probe.until_called(consumer, 1).await;
    }
    let pool = outbox.pool();
    wait::until("its progress to be recorded", async || {
        outbox.stats().await.is_ok_and(|stats| stats.iter().all(|stats| stats.handled == 1))
    })
    .await;
    // The probe may just have found the event as well.
    let reads = count(pool, "reads").await?;
    wait::until("ten more reads", async || {
        count(pool, "reads").await.is_ok_and(|now| now >= reads + 10)
    })
    .await;

    let (ids, wrote) = (count(pool, "ids").await?, written(pool).await?);
    let reads = count(pool, "reads").await?;
    wait::until("two hundred reads of nothing", async || {
        count(pool, "reads").await.is_ok_and(|now| now >= reads + 200)
    })
    .await;
    assert_eq!(count(pool, "ids").await?, ids, "transaction ids were drawn");
    assert_eq!(written(pool).await?, wrote, "something was written");

    // And it is not asleep.
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(4)).await?;
    tx.commit().await?;
    probe.until_called("plain", 2).await;
    running.stop().await?;
    assert!(count(pool, "ids").await? > ids);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rare_event_among_fifty_thousand_is_found_in_few_reads_postgres() -> Result<()> {
    let outbox = TestOutbox::<Mostly, Postgres>::new().await?;
    let mut tx = outbox.begin().await?;
    for part in 0..10 {
        let foreign = (0..5_000).map(|n| Foreign { n: part * 5_000 + n });
        outbox.emit_all(&mut tx, foreign).await?;
        if part == 6 {
            outbox.emit(&mut tx, Ping::new(2)).await?;
        }
    }
    tx.commit().await?;
    let spied = spied(&outbox).await?;
    let probe = Probe::default();
    let tally = Worker::new(spied.clone(), probe.clone()).drain().await?;
    assert_eq!(tally.handled, 3);
    assert_eq!(probe.numbers("plain"), [2]);
    let statements = statements(&outbox, spied.pool().clone()).await?;
    // Three consumers look at 10,000 positions a read; the rest is starting, recording and looking
    // again, and what the test did itself.
    // Each write that is no transaction (starting and recording) is two: its connection is asked first.
    assert!((20..180).contains(&statements), "{statements} statements");
    assert!(outbox.stats().await?.iter().all(|stats| stats.lag_events == 0));
    Ok(())
}

/// How many statements were run in the database by the connections that are closed now: each is a
/// transaction of its own, and a connection has told of them all when it is gone.
async fn statements(outbox: &TestOutbox<Mostly, Postgres>, spied: PgPool) -> Result<i64> {
    spied.close().await;
    let left = "select count(*) from pg_stat_activity where application_name = 'spied'
                and datname = current_database()";
    wait::until("the connections to be gone", async || {
        Postgres::number(outbox.pool(), left).await.is_ok_and(|left| left == 0)
    })
    .await;
    let sql = "select xact_commit + xact_rollback from pg_stat_database
               where datname = current_database()";
    Ok(Postgres::number(outbox.pool(), sql).await?)
}
