//! Signals between processes: an event that another process commits wakes a worker at once. (On SQLite the
//! worker looks for it.) The workers here poll once an hour, so that nothing but a signal can wake them.

use std::time::{Duration, Instant};

use anyhow::Result;
use outbox_runtime::testing::{TestDatabase, TestOutbox};
use outbox_runtime::{
    DeliveryFilter, DeliveryState, Event, Outbox, Postgres, Registry, Sqlite, Worker,
};
use outbox_tests::{Act, Db, Log, Ping, Probe, Running, wait};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};

use crate::consumers::{Hopeless, Plain};

const HOUR: Duration = Duration::from_secs(3600);
const CHANNEL: &str = "outbox_wake";

/// A pool that another process might have.
async fn another_pool(database: &TestDatabase<Postgres>) -> Result<PgPool> {
    let options: PgConnectOptions = database.url().parse()?;
    let options = options.application_name("another");
    Ok(PgPoolOptions::new().max_connections(8).connect_with(options).await?)
}

/// An outbox of another process, on the same database.
async fn another<R: Registry>(outbox: &TestOutbox<R, Postgres>) -> Result<Outbox<R, Postgres>> {
    let pool = another_pool(outbox.database()).await?;
    Ok(Outbox::builder(pool).clock(outbox.clock().clone()).build())
}

async fn emit<R, DB: Db>(outbox: &Outbox<R, DB>, n: u64) -> Result<()>
where
    R: outbox_runtime::Registered<Ping, outbox_runtime::Own> + Registry,
{
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(n)).await?;
    Ok(tx.commit().await?)
}

/// The server process of the engine's own connection for a purpose, if it is there.
async fn backend(pool: &PgPool, purpose: &str) -> Result<Option<i64>> {
    let sql = format!(
        "select coalesce((select pid from pg_stat_activity
             where datname = current_database() and application_name like 'outbox {purpose}%'
                 and query ilike '{purpose} %'), 0)::bigint"
    );
    let pid = Postgres::number(pool, &sql).await?;
    Ok((pid != 0).then_some(pid))
}

/// Waits for such a connection with another server process than before.
async fn until_there(pool: &PgPool, purpose: &str, before: Option<i64>) -> Result<i64> {
    let mut found = None;
    wait::for_signal(&format!("a connection for {purpose}"), async {
        loop {
            found = backend(pool, purpose).await.ok().flatten().filter(|pid| Some(*pid) != before);
            if found.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    found.ok_or_else(|| anyhow::anyhow!("no connection for {purpose}"))
}

async fn terminate(pool: &PgPool, pid: i64) -> Result<()> {
    let sql = format!("select pg_terminate_backend({pid})::int::bigint");
    assert_eq!(Postgres::number(pool, &sql).await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_another_process_wakes_a_worker_that_hardly_polls_postgres() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let probe = Probe::default();
    let worker = Worker::new(another(&outbox).await?, probe.clone()).poll(HOUR, HOUR);
    let running = Running::worker(worker);
    until_there(outbox.pool(), "listen", None).await?;
    // The first may be found by the look that follows LISTEN.
    for n in 0..5 {
        emit(outbox.outbox(), n).await?;
        probe.until_called("plain", n as usize + 1).await;
    }
    running.stop().await?;
    assert_eq!(probe.numbers("plain"), [0, 1, 2, 3, 4]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_of_another_process_wakes_a_worker_that_hardly_polls_sqlite() -> Result<()> {
    let outbox = TestOutbox::<Plain, Sqlite>::new().await?;
    let probe = Probe::default();
    let file = SqliteConnectOptions::new().filename(outbox.database().url());
    let pool = SqlitePool::connect_with(file).await?;
    let other = Outbox::<Plain, Sqlite>::builder(pool).clock(outbox.clock().clone()).build();
    let running = Running::worker(Worker::new(other, probe.clone()).poll(HOUR, HOUR));
    // The first may be found by the read with which a shard begins.
    for n in 0..5 {
        emit(outbox.outbox(), n).await?;
        probe.until_called("plain", n as usize + 1).await;
        // Retention may delete the newest of all.
        if n == 3 {
            Sqlite::execute(outbox.pool(), "delete from outbox_event").await?;
        }
    }
    running.stop().await?;
    assert_eq!(probe.numbers("plain"), [0, 1, 2, 3, 4]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redrive_in_another_process_wakes_a_worker_that_hardly_polls_postgres() -> Result<()> {
    let outbox = TestOutbox::<Hopeless, Postgres>::new().await?;
    let probe = Probe::new(|_, _, _| Act::Fail);
    let worker = Worker::new(another(&outbox).await?, probe.clone()).poll(HOUR, HOUR);
    let running = Running::worker(worker);
    until_there(outbox.pool(), "listen", None).await?;
    emit(outbox.outbox(), 1).await?;
    let dead = DeliveryFilter::all().state(DeliveryState::Dead);
    for round in 1..4 {
        probe.until_called("hopeless", round).await;
        wait::until("a dead letter", async || {
            outbox.deliveries(&dead).await.is_ok_and(|letters| letters.len() == 1)
        })
        .await;
        assert_eq!(outbox.redrive(&dead).await?, 1);
    }
    probe.until_called("hopeless", 4).await;
    running.stop().await?;
    Ok(())
}

/// Waits until nobody has a lease, or somebody has.
async fn until_leased(outbox: &Outbox<Plain, Postgres>, leased: bool) {
    wait::until(if leased { "a lease" } else { "no lease" }, async || {
        let shards = outbox.shards(Some("plain")).await;
        shards.is_ok_and(|shards| shards.iter().all(|shard| shard.worker.is_some() == leased))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_in_another_process_takes_effect_at_once_postgres() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let probe = Probe::default();
    let worker = Worker::new(another(&outbox).await?, probe.clone()).poll(HOUR, HOUR).lease(HOUR);
    let running = Running::worker(worker);
    until_there(outbox.pool(), "listen", None).await?;
    for n in 0..3 {
        until_leased(&outbox, true).await;
        outbox.pause("plain").await?;
        until_leased(&outbox, false).await;
        emit(outbox.outbox(), n).await?;
        assert_eq!(probe.seen().len(), n as usize);
        outbox.resume("plain").await?;
        probe.until_called("plain", n as usize + 1).await;
    }
    running.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_is_handed_back_is_taken_at_once_by_another_process_postgres() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let (first, second) = (Probe::default(), Probe::default());
    let start = async |probe: &Probe| -> Result<Running> {
        let worker = Worker::new(another(&outbox).await?, probe.clone());
        Ok(Running::worker(worker.poll(HOUR, HOUR).lease(HOUR)))
    };
    let leaves = start(&first).await?;
    emit(outbox.outbox(), 1).await?;
    first.until_called("plain", 1).await;
    let stays = start(&second).await?;
    wait::until("both to listen", async || {
        let sql = "select count(*) from pg_stat_activity
                   where datname = current_database() and query ilike 'listen %'";
        Postgres::number(outbox.pool(), sql).await.is_ok_and(|count| count == 2)
    })
    .await;
    leaves.stop().await?;
    emit(outbox.outbox(), 2).await?;
    second.until_called("plain", 1).await;
    stays.stop().await?;
    assert_eq!((first.numbers("plain"), second.numbers("plain")), (vec![1], vec![2]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_commits_share_few_notifications_and_the_last_is_not_forgotten_postgres() -> Result<()>
{
    const COMMITS: i64 = 1_000;
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let mut listener = PgListener::connect(outbox.database().url()).await?;
    listener.listen(CHANNEL).await?;
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let outbox = outbox.outbox().clone();
        tasks.spawn(async move {
            for n in 0..COMMITS / 8 {
                emit(&outbox, (task * COMMITS + n) as u64).await.expect("emitted");
            }
        });
    }
    let mut notifications = 0;
    loop {
        let next = wait::for_signal("a notification after the last commit", listener.recv());
        let notification = next.await?;
        assert_eq!((notification.channel(), notification.payload()), (CHANNEL, Ping::NAME));
        notifications += 1;
        if Postgres::number(outbox.pool(), "select count(*) from outbox.event").await? == COMMITS {
            break;
        }
    }
    // One every 4 ms, and 25 more at once.
    let most = started.elapsed().as_millis() / 4 + 27;
    println!("{COMMITS} commits, {notifications} notifications in {:?}", started.elapsed());
    assert!(notifications <= most, "{notifications} notifications, {most} at most");
    tasks.join_all().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_signalled_before_a_commit_or_without_one_postgres() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let mut listener = PgListener::connect(outbox.database().url()).await?;
    listener.listen(CHANNEL).await?;
    let mut undone = outbox.begin().await?;
    outbox.emit(&mut undone, Ping::new(1)).await?;
    undone.rollback().await?;
    let mut empty = outbox.begin().await?;
    sqlx::query("create table other (n int)").execute(&mut *empty).await?;
    empty.commit().await?;
    let mut open = outbox.begin().await?;
    outbox.emit(&mut open, Ping::new(2)).await?;
    let mut savepoint = open.savepoint().await?;
    outbox.emit(savepoint.tx(), Ping::new(3)).await?;
    savepoint.release().await?;
    // Time for a notification of the engine's to come in between, if there were one.
    for _ in 0..200 {
        Postgres::execute(outbox.pool(), "notify outbox_wake, 'ours'").await?;
        let heard = wait::for_signal("our notification", listener.recv()).await?;
        assert_eq!(heard.payload(), "ours");
    }
    assert_eq!(backend(outbox.pool(), "notify").await?, None);
    open.commit().await?;
    let heard = wait::for_signal("a notification of the commit", listener.recv()).await?;
    assert_eq!(heard.payload(), Ping::NAME);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_listen_connection_comes_back_and_nothing_stays_unseen_postgres() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let probe = Probe::default();
    let worker = Worker::new(another(&outbox).await?, probe.clone()).poll(HOUR, HOUR);
    let running = Running::worker(worker);
    let (mut listening, mut n) = (until_there(outbox.pool(), "listen", None).await?, 0);
    for _ in 0..3 {
        terminate(outbox.pool(), listening).await?;
        // While nobody listens.
        emit(outbox.outbox(), n).await?;
        probe.until_called("plain", n as usize + 1).await;
        listening = until_there(outbox.pool(), "listen", Some(listening)).await?;
        for _ in 0..3 {
            n += 1;
            emit(outbox.outbox(), n).await?;
            probe.until_called("plain", n as usize + 1).await;
        }
        n += 1;
    }
    running.stop().await?;
    assert_eq!(probe.numbers("plain"), (0..n).collect::<Vec<_>>());
    Ok(())
}

/// On one thread, since the log is that thread's.
#[tokio::test]
async fn an_outage_is_told_once_and_its_end_once_postgres() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let probe = Probe::default();
    let (log, _guard) = Log::capture();
    let worker = Worker::new(another(&outbox).await?, probe.clone()).poll(HOUR, HOUR);
    let running = Running::worker(worker);
    let listening = until_there(outbox.pool(), "listen", None).await?;
    let mut server = PgConnection::connect(&std::env::var("DATABASE_URL")?).await?;
    let database = outbox.pool().connect_options().get_database().map(str::to_owned);
    let database = database.expect("a database");
    let admit = |yes: bool| {
        AssertSqlSafe(format!("alter database {database} with allow_connections {yes}"))
    };
    server.execute(admit(false)).await?;
    terminate(outbox.pool(), listening).await?;
    wait::until("five tries", async || log.lines("still no connection for LISTEN").len() >= 4)
        .await;
    server.execute(admit(true)).await?;
    emit(outbox.outbox(), 1).await?;
    probe.until_called("plain", 1).await;
    let lost = log.lines("lost the connection for LISTEN");
    assert!(lost.len() == 1 && lost[0].contains("WARN"), "{lost:?}");
    let back = log.lines("the connection for LISTEN is back");
    assert!(back.len() == 1 && back[0].contains("INFO"), "{back:?}");
    running.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_notify_connection_comes_back_postgres() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let emitting = another(&outbox).await?;
    let probe = Probe::default();
    let worker = Worker::new(outbox.outbox().clone(), probe.clone()).poll(HOUR, HOUR);
    let running = Running::worker(worker);
    until_there(outbox.pool(), "listen", None).await?;
    let (mut notifying, mut n) = (None, 0);
    for _ in 0..3 {
        for _ in 0..3 {
            emit(&emitting, n).await?;
            n += 1;
            probe.until_called("plain", n as usize).await;
        }
        let pid = until_there(outbox.pool(), "notify", notifying).await?;
        terminate(outbox.pool(), pid).await?;
        notifying = Some(pid);
    }
    emit(&emitting, n).await?;
    probe.until_called("plain", n as usize + 1).await;
    running.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outbox_that_only_polls_signals_nothing_and_holds_no_connection_postgres() -> Result<()>
{
    let outbox = TestOutbox::<Plain, Postgres>::with(|builder| Ok(builder.poll_only())).await?;
    let mut listener = PgListener::connect(outbox.database().url()).await?;
    listener.listen(CHANNEL).await?;
    let probe = Probe::default();
    let polls = Outbox::<Plain, Postgres>::builder(another_pool(outbox.database()).await?)
        .clock(outbox.clock().clone())
        .poll_only()
        .build();
    let often = Duration::from_millis(5);
    let running = Running::worker(Worker::new(polls, probe.clone()).poll(often, often));
    for n in 0..50 {
        emit(outbox.outbox(), n).await?;
        probe.until_called("plain", n as usize + 1).await;
        Postgres::execute(outbox.pool(), "notify outbox_wake, 'ours'").await?;
        let heard = wait::for_signal("our notification", listener.recv()).await?;
        assert_eq!(heard.payload(), "ours");
        assert_eq!(backend(outbox.pool(), "notify").await?, None);
        assert_eq!(backend(outbox.pool(), "listen").await?, None);
    }
    running.stop().await?;
    Ok(())
}

/// Connections of the engine itself.
async fn own_connections(pool: &PgPool) -> Result<i64> {
    let sql = "select count(*) from pg_stat_activity
               where datname = current_database() and application_name like 'outbox %'";
    Ok(Postgres::number(pool, sql).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_holds_two_connections_of_its_own_until_its_outbox_is_gone_postgres() -> Result<()>
{
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let other = another(&outbox).await?;
    let probe = Probe::default();
    let running = Running::worker(Worker::new(other.clone(), probe.clone()).poll(HOUR, HOUR));
    until_there(outbox.pool(), "listen", None).await?;
    for n in 0..20 {
        emit(&other, n).await?;
    }
    probe.until_called("plain", 20).await;
    until_there(outbox.pool(), "notify", None).await?;
    assert_eq!(own_connections(outbox.pool()).await?, 2);
    running.stop().await?;
    drop(other);
    wait::until("both connections to be closed", async || {
        own_connections(outbox.pool()).await.is_ok_and(|open| open == 0)
    })
    .await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_pool_ends_the_connections_of_the_engine_postgres() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let other = another(&outbox).await?;
    emit(&other, 1).await?;
    until_there(outbox.pool(), "notify", None).await?;
    let running = Running::worker(Worker::new(other.clone(), Probe::default()).poll(HOUR, HOUR));
    until_there(outbox.pool(), "listen", None).await?;
    wait::for_signal("the pool to close", other.pool().close()).await;
    wait::until("the connections to be closed", async || {
        own_connections(outbox.pool()).await.is_ok_and(|open| open == 0)
    })
    .await;
    let error = running.ended().await.expect_err("the pool was closed");
    assert_eq!(error.kind(), outbox_runtime::ErrorKind::Closed, "{error}");
    Ok(())
}

/// One outbox, two runtimes after one another: the task of the first is gone with it.
#[test]
fn signals_go_on_in_another_runtime_postgres() -> Result<()> {
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let (first, second) = (runtime()?, runtime()?);
    let (outbox, other) = first.block_on(async {
        let outbox = TestOutbox::<Plain, Postgres>::new().await?;
        let other = another(&outbox).await?;
        emit(&other, 1).await?;
        until_there(outbox.pool(), "notify", None).await?;
        anyhow::Ok((outbox, other))
    })?;
    drop(first);
    second.block_on(async {
        let pool = another_pool(outbox.database()).await?;
        let mut listener = PgListener::connect(outbox.database().url()).await?;
        listener.listen(CHANNEL).await?;
        // sqlx's pool still has connections of the first runtime, which fail.
        wait::until("a commit", async || emit(&other, 2).await.is_ok()).await;
        wait::for_signal("a notification", listener.recv()).await?;
        until_there(&pool, "notify", None).await?;
        anyhow::Ok(())
    })
}
