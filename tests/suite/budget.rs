//! A worker with many shards on a pool of few connections (Postgres only: on SQLite a transaction of
//! a handler holds up every other writer anyway).

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::{TestDatabase, TestOutbox};
use outbox_runtime::{Delivery, Outbox, Postgres, State, Tx, Worker, consumer, registry};
use outbox_tests::{Db, Ping, Probe, Running, wait};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

/// Holds its connection for a while.
#[consumer(name = "slow", delivery = tx, start = beginning, shards = 8)]
async fn slow(ping: Delivery<Ping>, _tx: &mut Tx<'_, Postgres>, State(probe): State<Probe>) {
    tokio::time::sleep(Duration::from_millis(250)).await;
    probe.note("slow", &ping);
}

#[consumer(name = "many", start = beginning, shards = 40)]
async fn many(ping: Delivery<Ping>, State(probe): State<Probe>) {
    probe.note("many", &ping);
}

registry! {
    struct Crowd;
    state: Probe,
    events: [Ping],
    consumers: [slow, many],
}

const EVENTS: u64 = 24;

/// How many leases have expired or are free.
async fn expired(pool: &PgPool) -> i64 {
    let sql = "select count(*) from outbox.lease where expires_at < clock_timestamp()";
    Postgres::number(pool, sql).await.expect("a count")
}

async fn run(connections: u32) -> Result<()> {
    let outbox = TestOutbox::<Crowd, Postgres>::new().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..EVENTS).map(Ping::new)).await?;
    tx.commit().await?;
    let few =
        PgPoolOptions::new().max_connections(connections).connect(outbox.database().url()).await?;
    let few = Outbox::<Crowd, Postgres>::builder(few).clock(outbox.clock().clone()).build();
    let probe = Probe::default();
    // Eight transactions of some 750 ms each wait for one another.
    let worker = Worker::new(few, probe.clone()).lease(Duration::from_secs(3)).tx_size(4);
    let running = Running::worker(worker);
    wait::until("the leases to be taken", async || {
        Postgres::number(outbox.pool(), "select count(*) from outbox.lease")
            .await
            .is_ok_and(|leases| leases == 48)
    })
    .await;
    let most_expired = AtomicI64::new(0);
    wait::until("everything to be handled", async || {
        most_expired.fetch_max(expired(outbox.pool()).await, Ordering::Relaxed);
        outbox.stats().await.is_ok_and(|stats| stats.iter().all(|stats| stats.handled == EVENTS))
    })
    .await;
    let most_expired = most_expired.into_inner();
    assert_eq!(most_expired, 0, "leases expired while their worker lived");
    assert_eq!(probe.seen().len() as u64, 2 * EVENTS, "each once");
    running.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_shards_and_slow_transactions_share_three_connections_postgres() -> Result<()> {
    run(3).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_of_handlers_leave_a_connection_to_the_others_postgres() -> Result<()> {
    let database = TestDatabase::<Postgres>::create().await?;
    let pool = PgPoolOptions::new().max_connections(20).connect(database.url()).await?;
    let outbox = Outbox::<Crowd, Postgres>::new(pool);
    outbox.migrate().await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..EVENTS).map(Ping::new)).await?;
    tx.commit().await?;
    let probe = Probe::default();
    let worker = Worker::new(outbox.clone(), probe.clone()).connections(3);
    let running = Running::worker(worker);
    // Each of these is one connection of the pool, held while handlers run.
    let held = "select count(*) from pg_stat_activity
                where datname = current_database() and state = 'idle in transaction'";
    let most_held = AtomicI64::new(0);
    wait::until("everything to be handled", async || {
        let now = Postgres::number(database.pool(), held).await.expect("a count");
        most_held.fetch_max(now, Ordering::Relaxed);
        let stats = Outbox::<Crowd, Postgres>::new(database.pool().clone()).stats().await;
        stats.is_ok_and(|stats| stats.len() == 2 && stats.iter().all(|s| s.handled == EVENTS))
    })
    .await;
    println!("of {} connections", outbox.pool().size());
    // Two units, and a record that happens to be seen between its statements.
    let most_held = most_held.into_inner();
    assert!((1..=3).contains(&most_held), "{most_held} of three connections");
    running.stop().await?;
    Ok(())
}
