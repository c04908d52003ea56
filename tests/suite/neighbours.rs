//! Several processes on one SQLite file: they share its consumers, and who finds the file busy waits.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Result;
use outbox_runtime::testing::{TestDatabase, TestOutbox};
use outbox_runtime::{ErrorKind, Outbox, Sqlite, Worker};
use outbox_tests::{Db, Ping, Probe, Running, wait};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::consumers::Several;

const EVENTS: u64 = 1_000;
const KEYS: u64 = 11;

fn neighbour(command: &str, file: &str, last: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_neighbour"))
        .args([command, file, last])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the neighbour starts")
}

/// Another process that holds the write lock from now on.
async fn holder(file: &str, hold: Duration) -> Child {
    let mut child = neighbour("hold", file, &hold.as_millis().to_string());
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = wait::for_signal("the lock to be held", lines.next_line()).await;
    assert_eq!(line.expect("a line").as_deref(), Some("held"));
    child
}

/// A pool whose connections do not wait by themselves.
async fn impatient(file: &str) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(Duration::ZERO);
    Ok(SqlitePoolOptions::new().max_connections(4).connect_with(options).await?)
}

async fn stop(mut child: Child) {
    drop(child.stdin.take());
    let status = wait::for_signal("the neighbour to stop", child.wait()).await;
    assert!(status.expect("a status").success(), "it stops gracefully");
}

fn lines(log: &Path) -> Vec<(String, u64)> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(key, n)| (key.to_owned(), n.parse().expect("a number")))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_on_one_file_share_its_consumers_sqlite() -> Result<()> {
    let database = TestDatabase::<Sqlite>::create().await?;
    let outbox = Outbox::<Several, Sqlite>::new(impatient(database.url()).await?);
    outbox.migrate().await?;
    Sqlite::execute(database.pool(), "create table effect (n integer not null)").await?;
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("log");
    let spawn = || neighbour("work", database.url(), &log.to_string_lossy());
    let mut workers = vec![spawn(), spawn(), spawn()];
    for n in 0..EVENTS {
        let mut tx = outbox.begin().await?;
        outbox.emit(&mut tx, Ping::keyed(&format!("k{}", n % KEYS), n)).await?;
        tx.commit().await?;
        if n == EVENTS / 2 {
            // One leaves, another comes.
            stop(workers.remove(0)).await;
            workers.push(spawn());
        }
    }
    wait::until("everything to be handled", async || {
        outbox.stats().await.is_ok_and(|stats| {
            stats.len() == 2 && stats.iter().all(|stats| stats.handled == EVENTS)
        })
    })
    .await;
    for stats in outbox.stats().await? {
        // Being locked out is nobody's failed attempt.
        let failed = (stats.retried, stats.retrying, stats.dead_total, stats.parked);
        assert_eq!(failed, (0, 0, 0, 0), "{stats:?}");
    }
    for worker in workers {
        stop(worker).await;
    }
    let lines = lines(&log);
    assert_eq!(lines.len() as u64, EVENTS, "each once, as all left gracefully");
    assert_eq!(lines.iter().collect::<HashSet<_>>().len() as u64, EVENTS);
    let mut keys = HashMap::<&str, Vec<u64>>::new();
    for (key, n) in &lines {
        keys.entry(key).or_default().push(*n);
    }
    assert!(keys.values().all(|numbers| numbers.is_sorted()), "{keys:?}");
    let effects = "select count(*) * 1000000 + count(distinct n) from effect";
    let effects = Sqlite::number(database.pool(), effects).await?;
    assert_eq!(effects, (EVENTS * 1_000_000 + EVENTS) as i64);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_file_is_waited_for_sqlite() -> Result<()> {
    let outbox = TestOutbox::<Several, Sqlite>::new().await?;
    let file = outbox.database().url().to_owned();
    let impatient = Outbox::<Several, Sqlite>::builder(impatient(&file).await?)
        .clock(outbox.clock().clone())
        .build();
    let probe = Probe::default();
    let running = Running::worker(Worker::new(impatient.clone(), probe.clone()));
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..50).map(|n| Ping::new(n * 2))).await?;
    tx.commit().await?;
    probe.until_called("plain", 1).await;

    let held = holder(&file, Duration::from_secs(7)).await;
    let asked = Instant::now();
    let error = impatient.begin().await.map(drop).expect_err("it is held for longer");
    assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Conflict, true));
    assert!(asked.elapsed() >= Duration::from_secs(4), "it did not wait: {error}");
    // Handlers are not held up, and what is waited for now is had in time.
    for consumer in ["plain", "ordered", "picky"] {
        probe.until_called(consumer, 50).await;
    }
    let mut tx = impatient.begin().await?;
    impatient.emit(&mut tx, Ping::new(1_000)).await?;
    tx.commit().await?;
    wait::until("everything to be recorded", async || {
        outbox.stats().await.is_ok_and(|stats| stats.iter().all(|stats| stats.handled == 51))
    })
    .await;
    assert!(held.wait_with_output().await?.status.success());
    for stats in outbox.stats().await? {
        assert_eq!((stats.retried, stats.dead_total), (0, 0), "{stats:?}");
    }
    assert_eq!(probe.seen().len(), 3 * 51, "each once");
    running.stop().await?;
    Ok(())
}

/// Everything that writes when a service starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_can_start_while_the_file_is_busy_sqlite() -> Result<()> {
    let database = TestDatabase::<Sqlite>::create().await?;
    let outbox = Outbox::<Several, Sqlite>::new(impatient(database.url()).await?);
    let held = holder(database.url(), Duration::from_millis(1_500)).await;
    outbox.migrate().await?;
    drop(held.wait_with_output().await?);
    let held = holder(database.url(), Duration::from_millis(1_500)).await;
    let mut tx = outbox.begin().await?;
    outbox.emit(&mut tx, Ping::new(2)).await?;
    tx.commit().await?;
    drop(held.wait_with_output().await?);
    let held = holder(database.url(), Duration::from_millis(1_500)).await;
    let probe = Probe::default();
    assert_eq!(Worker::new(outbox.clone(), probe).drain().await?.handled, 3);
    drop(held.wait_with_output().await?);
    let all = outbox_runtime::DeliveryFilter::all();
    let held = holder(database.url(), Duration::from_millis(500)).await;
    assert_eq!(outbox.redrive(&all).await? + outbox.discard(&all).await?, 0);
    drop(held.wait_with_output().await?);
    Ok(())
}
