//! Conflicts that the database reports are its own business: the transaction is repeated, and no
//! attempt is counted.

use super::{
    Act, Connection, ConsumerError, Delivery, DeliveryFilter, Ping, Postgres, Probe, Result,
    Running, Sqlite, State, TestOutbox, Tx, consumer, registry, wait,
};

/// Changes two rows, one after another.
#[consumer(name = "two-rows", delivery = tx, start = beginning, retry = none)]
async fn two_rows(
    ping: Delivery<Ping>,
    tx: &mut Tx<'_, Postgres>,
    State(probe): State<Probe>,
) -> Result<(), ConsumerError> {
    sqlx::query("update account set n = n + 1 where id = 1").execute(&mut **tx).await?;
    probe.note("two-rows", &ping);
    sqlx::query("update account set n = n + 1 where id = 2").execute(&mut **tx).await?;
    Ok(())
}

registry! {
    struct TwoRows;
    state: Probe,
    events: [Ping],
    consumers: [two_rows],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_repeated_and_counts_as_no_attempt_postgres() -> Result<()> {
    let outbox = TestOutbox::<TwoRows, Postgres>::new().await?;
    sqlx::raw_sql("create table account (id int primary key, n int); insert into account values (1, 0), (2, 0)")
        .execute(outbox.pool())
        .await?;
    let probe = Probe::default();
    let mut other = outbox.pool().begin().await?;
    // Whoever waits longer than this looks for deadlocks, and is the one that is aborted.
    sqlx::raw_sql("set local deadlock_timeout = '60s'").execute(&mut *other).await?;
    sqlx::raw_sql("update account set n = n + 10 where id = 2").execute(&mut *other).await?;
    let running = Running::start(&outbox, probe.clone());
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(1)).await?;
    tx.commit().await?;
    probe.until_called("two-rows", 1).await;
    // The handler has row 1 and waits for row 2.
    sqlx::raw_sql("update account set n = n + 10 where id = 1").execute(&mut *other).await?;
    other.commit().await?;
    wait::until("the event to be handled", async || {
        outbox.stats().await.is_ok_and(|stats| stats[0].handled == 1)
    })
    .await;
    running.stop().await?;

    let numbers: Vec<i32> =
        sqlx::query_scalar("select n from account order by id").fetch_all(outbox.pool()).await?;
    assert_eq!(numbers, [11, 11]);
    assert!(probe.attempts("two-rows", 1).len() > 1, "there was a deadlock");
    assert!(probe.attempts("two-rows", 1).iter().all(|attempt| *attempt == 1));
    assert!(outbox.deliveries(&DeliveryFilter::all()).await?.is_empty());
    let stats = outbox.stats().await?.remove(0);
    assert_eq!((stats.retried, stats.dead_total), (0, 0));
    Ok(())
}

/// Meets a conflict at its first call.
#[consumer(name = "unlucky", delivery = tx, start = beginning, retry = none)]
async fn unlucky(
    ping: Delivery<Ping>,
    tx: &mut Tx<'_, Postgres>,
    State(probe): State<Probe>,
) -> Result<(), ConsumerError> {
    sqlx::query("insert into effect values ($1)").bind(ping.n as i64).execute(&mut **tx).await?;
    let first = probe.attempts("unlucky", ping.n).is_empty();
    probe.handle("unlucky", &ping).await?;
    if first && ping.n % 5 == 3 {
        let conflict = "do $$ begin raise exception 'conflict' using errcode = '40001'; end $$";
        let failed = sqlx::raw_sql(conflict).execute(&mut **tx).await;
        // The cause may be deep in the user's own error.
        failed.map_err(|error| anyhow::Error::new(error).context("cannot book"))?;
    }
    Ok(())
}

registry! {
    struct Unlucky;
    state: Probe,
    events: [Ping],
    consumers: [unlucky],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serialization_failure_is_repeated_and_counts_as_no_attempt_postgres() -> Result<()> {
    let outbox = TestOutbox::<Unlucky, Postgres>::new().await?;
    sqlx::raw_sql("create table effect (n bigint not null)").execute(outbox.pool()).await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..20).map(Ping::new)).await?;
    tx.commit().await?;
    // One of them really fails, so that conflicts are met with savepoints too.
    let probe = Probe::new(|_, ping, _| if ping.n == 10 { Act::Permanent } else { Act::Succeed });

    let tally = outbox.drain(probe.clone()).await?;

    assert_eq!((tally.handled, tally.retried, tally.dead), (19, 0, 1));
    let effects: Vec<i64> =
        sqlx::query_scalar("select n from effect order by n").fetch_all(outbox.pool()).await?;
    assert_eq!(effects, (0..20).filter(|n| *n != 10).collect::<Vec<_>>());
    assert!(probe.attempts("unlucky", 3).len() > 1);
    assert!(probe.seen().iter().all(|seen| seen.attempt == 1));
    Ok(())
}

/// Finds another writer in its way at its first call: itself, on another connection.
#[consumer(name = "busy", delivery = tx, start = beginning, retry = none)]
async fn busy(
    ping: Delivery<Ping>,
    tx: &mut Tx<'_, Sqlite>,
    State((probe, location)): State<(Probe, String)>,
) -> Result<(), ConsumerError> {
    sqlx::query("insert into effect values ($1)").bind(ping.n as i64).execute(&mut **tx).await?;
    let first = probe.attempts("busy", ping.n).is_empty();
    probe.note("busy", &ping);
    if first && ping.n % 5 == 3 {
        let mut other = sqlx::SqliteConnection::connect(&location).await?;
        sqlx::raw_sql("pragma busy_timeout = 0").execute(&mut other).await?;
        sqlx::raw_sql("begin immediate").execute(&mut other).await?;
    }
    Ok(())
}

registry! {
    struct Busy;
    state: (Probe, String),
    events: [Ping],
    consumers: [busy],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_database_is_repeated_and_counts_as_no_attempt_sqlite() -> Result<()> {
    let outbox = TestOutbox::<Busy, Sqlite>::new().await?;
    sqlx::raw_sql("create table effect (n bigint not null)").execute(outbox.pool()).await?;
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..20).map(Ping::new)).await?;
    tx.commit().await?;
    let probe = Probe::default();
    let tally = outbox.drain((probe.clone(), outbox.database().url().to_owned())).await?;
    assert_eq!((tally.handled, tally.retried, tally.dead), (20, 0, 0));
    let effects: Vec<i64> =
        sqlx::query_scalar("select n from effect order by n").fetch_all(outbox.pool()).await?;
    assert_eq!(effects, (0..20).collect::<Vec<_>>());
    assert!(probe.attempts("busy", 3).len() > 1);
    assert!(probe.seen().iter().all(|seen| seen.attempt == 1));
    Ok(())
}
