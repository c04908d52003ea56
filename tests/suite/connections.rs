//! What connections of the pool come with, and what becomes of them.

use anyhow::Result;
use outbox_runtime::testing::{TestDatabase, TestOutbox};
use outbox_runtime::{ErrorKind, Outbox, Postgres, Sqlite, Worker, tidy_pool};
use outbox_tests::{Db, Ping, Probe, Running, wait};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Pool, pool::PoolOptions};

use crate::consumers::{Plain, Several};

crate::both! {
    a_transaction_that_was_left_open_is_not_begun_again,
    a_worker_records_nothing_in_a_transaction_that_was_left_open,
    a_tidy_pool_hands_out_no_open_transaction,
    a_pool_that_is_closed_ends_the_worker,
    a_worker_that_was_stopped_before_the_pool_was_closed_ends_well,
}

async fn emit<R, DB: Db>(outbox: &Outbox<R, DB>, n: u64) -> Result<()>
where
    R: outbox_runtime::Registry + outbox_runtime::Registered<Ping, outbox_runtime::Own>,
{
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(n)).await?;
    Ok(tx.commit().await?)
}

/// Gives the pool back a connection in a transaction, as a cancelled `Pool::begin` may.
async fn leave_open<DB: Db>(pool: &Pool<DB>, sql: &str) -> Result<()> {
    let mut connection = pool.acquire().await?;
    DB::run(&mut connection, "begin").await?;
    DB::run(&mut connection, sql).await?;
    drop(connection);
    wait::until("it to be given back", async || pool.num_idle() > 0).await;
    Ok(())
}

async fn a_transaction_that_was_left_open_is_not_begun_again<DB: Db>() -> Result<()> {
    let database = TestDatabase::<DB>::with_connections(1).await?;
    let outbox = Outbox::<Plain, DB>::new(database.pool().clone());
    outbox.migrate().await?;
    DB::execute(database.pool(), "create table mine (n int)").await?;
    for failed in [false, true] {
        let mut tx = database.pool().acquire().await?;
        DB::run(&mut tx, "begin").await?;
        DB::run(&mut tx, "insert into mine values (1)").await?;
        if failed {
            DB::run(&mut tx, "insert into nowhere values (1)").await.expect_err("no such table");
        }
        drop(tx);
        emit(&outbox, 1).await?;
        let left = DB::number(database.pool(), "select count(*) from mine").await?;
        assert_eq!(left, 0, "what nobody had committed (failed: {failed})");
    }
    let events = outbox.events(&outbox_runtime::EventFilter::all()).await?;
    assert_eq!(events.len(), 2);
    Ok(())
}

async fn a_worker_records_nothing_in_a_transaction_that_was_left_open<DB: Db>() -> Result<()> {
    let database = TestDatabase::<DB>::with_connections(1).await?;
    let outbox = Outbox::<Several, DB>::new(database.pool().clone());
    outbox.migrate().await?;
    for n in 0..3 {
        emit(&outbox, n * 2).await?;
        // It has an id, and would lend it to the reader.
        leave_open(database.pool(), "create table mine (n int)").await?;
        let probe = Probe::default();
        let tally = Worker::new(outbox.clone(), probe.clone()).drain().await?;
        assert_eq!(tally.handled, 3);
        assert_eq!(probe.numbers("plain"), [n * 2]);
    }
    // What was recorded is committed: it is seen by somebody else.
    let other = Pool::<DB>::connect(database.url()).await?;
    let stats = Outbox::<Several, DB>::new(other.clone()).stats().await?;
    assert!(stats.iter().all(|stats| stats.handled == 3 && stats.lag_events == 0), "{stats:?}");
    DB::execute(&other, "create table mine (n int)").await?;
    Ok(())
}

trait Options: Db {
    async fn pool(url: &str, options: PoolOptions<Self>) -> Result<Pool<Self>>;
}

impl Options for Postgres {
    async fn pool(url: &str, options: PgPoolOptions) -> Result<Pool<Self>> {
        Ok(options.connect_with(url.parse::<PgConnectOptions>()?).await?)
    }
}

impl Options for Sqlite {
    async fn pool(url: &str, options: SqlitePoolOptions) -> Result<Pool<Self>> {
        Ok(options.connect_with(SqliteConnectOptions::new().filename(url)).await?)
    }
}

async fn a_tidy_pool_hands_out_no_open_transaction<DB: Options>() -> Result<()> {
    let database = TestDatabase::<DB>::create().await?;
    DB::execute(database.pool(), "create table mine (n int)").await?;
    for tidy in [false, true] {
        let options = PoolOptions::<DB>::new().max_connections(1);
        let options = if tidy { tidy_pool(options) } else { options };
        let pool = DB::pool(database.url(), options).await?;
        leave_open(&pool, "insert into mine values (1)").await?;
        let inherited = DB::number(&pool, "select count(*) from mine").await?;
        assert_eq!(inherited, i64::from(!tidy), "tidy: {tidy}");
        pool.close().await;
    }
    Ok(())
}

async fn a_pool_that_is_closed_ends_the_worker<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Several, DB>::new().await?;
    let probe = Probe::default();
    let running = Running::start(&outbox, probe.clone());
    emit(&outbox, 2).await?;
    probe.until_called("plain", 1).await;
    wait::for_signal("the pool to close", outbox.pool().close()).await;
    let error = running.ended().await.expect_err("the pool was closed");
    assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Closed, false));
    assert!(error.to_string().contains("stop the worker first"), "{error}");
    // Nobody else has to be told why.
    let error = outbox.stats().await.expect_err("the pool is closed");
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    let error = Worker::new(outbox.outbox().clone(), probe).drain().await.expect_err("closed");
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
    Ok(())
}

async fn a_worker_that_was_stopped_before_the_pool_was_closed_ends_well<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Plain, DB>::new().await?;
    let probe = Probe::default();
    let running = Running::start(&outbox, probe.clone());
    emit(&outbox, 2).await?;
    probe.until_called("plain", 1).await;
    running.tell_to_stop();
    tokio::join!(outbox.pool().close(), async { running.ended().await.map(drop) }).1?;
    Ok(())
}

/// As after a failover: the connections that the pool has lead to a server that takes no writes, new
/// ones to one that does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_a_read_only_server_are_thrown_away_postgres() -> Result<()> {
    let outbox = TestOutbox::<Several, Postgres>::new().await?;
    let probe = Probe::default();
    let worker = Worker::new(outbox.outbox().clone(), probe.clone());
    let running = Running::worker(worker.lease(std::time::Duration::from_secs(3)));
    emit(&outbox, 2).await?;
    probe.until_called("plain", 1).await;
    let mut connections = Vec::new();
    for _ in 0..8 {
        let mut connection = outbox.pool().acquire().await?;
        sqlx::query("set default_transaction_read_only = on").execute(&mut *connection).await?;
        connections.push(connection);
    }
    drop(connections);
    let other = Pool::<Postgres>::connect(outbox.database().url()).await?;
    let elsewhere =
        Outbox::<Several, Postgres>::builder(other).clock(outbox.clock().clone()).build();
    emit(&elsewhere, 4).await?;
    // At least once: what could not be recorded in time may come again.
    for consumer in ["plain", "ordered", "picky"] {
        probe.until(consumer, |seen| seen.iter().any(|s| s.consumer == consumer && s.n == 4)).await;
    }
    wait::until("it to be recorded", async || {
        elsewhere.stats().await.is_ok_and(|stats| stats.iter().all(|stats| stats.handled == 2))
    })
    .await;
    // And emitting works through the same pool.
    wait::until("an emit", async || emit(&outbox, 6).await.is_ok()).await;
    probe.until("plain", |seen| seen.iter().any(|s| s.consumer == "plain" && s.n == 6)).await;
    running.stop().await?;
    Ok(())
}

/// SQLite rolls a transaction back by itself then, behind sqlx's back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_whose_file_was_full_does_no_harm_sqlite() -> Result<()> {
    let database = TestDatabase::<Sqlite>::with_connections(1).await?;
    let outbox = Outbox::<Plain, Sqlite>::new(database.pool().clone());
    outbox.migrate().await?;
    for round in 0..3 {
        let mut tx = outbox.begin().await?;
        Sqlite::run(&mut tx, "pragma max_page_count = 1").await?;
        let big = Ping::keyed("a", 1);
        let many = std::iter::repeat_n(big, 20_000);
        let error = outbox.emit_all(&mut tx, many).await.expect_err("no room");
        assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Unavailable, true), "{error}");
        match round {
            0 => drop(tx),
            1 => drop(tx.rollback().await),
            _ => drop(tx.commit().await),
        }
        let mut tx = outbox.begin().await?;
        Sqlite::run(&mut tx, "pragma max_page_count = 1000000").await?;
        outbox.emit(&mut tx, Ping::new(round)).await?;
        tx.commit().await?;
    }
    let probe = Probe::default();
    Worker::new(outbox, probe.clone()).drain().await?;
    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2]);
    Ok(())
}

/// As when a program keeps one in a variable of `main` beside its runtime.
#[test]
fn a_transaction_may_be_dropped_outside_the_runtime_sqlite() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (outbox, tx, pool) = runtime.block_on(async {
        let outbox = TestOutbox::<Several, Sqlite>::new().await?;
        let url = format!("sqlite://{}", outbox.database().url());
        let pool = SqlitePoolOptions::new().max_connections(1).connect(&url).await?;
        let tx = Outbox::<Several, Sqlite>::new(pool.clone()).begin().await?;
        anyhow::Ok((outbox, tx, pool))
    })?;
    drop(tx);
    // Its place is free, and so is the write lock.
    runtime.block_on(async {
        let mut tx = wait::for_signal("the place in the pool", outbox.begin()).await?;
        outbox.emit(&mut tx, Ping::new(1)).await?;
        tx.commit().await?;
        wait::for_signal("the place in the pool", pool.acquire()).await?;
        Ok(())
    })
}
