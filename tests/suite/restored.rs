//! What a worker does when the tables hold the transaction ids of another cluster. Here it is only told
//! that they do; `chaos/restore.rs` really moves between two clusters.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::testing::TestOutbox;
use outbox_runtime::{Postgres, Worker};
use outbox_tests::{Db, Ping, Probe, Running, wait};

use crate::consumers::{Plain, Sharded};

/// Makes the tables look as if they had been made in another cluster.
const ELSEWHERE: &str = "update outbox.meta set system_identifier = 1";

async fn emit<R>(outbox: &TestOutbox<R, Postgres>, numbers: std::ops::Range<u64>) -> Result<()>
where
    R: outbox_runtime::Registry + outbox_runtime::Registered<Ping, outbox_runtime::Own>,
{
    let mut tx = outbox.begin().await?;
    let pings = numbers.map(|n| Ping::keyed(&format!("k{}", n % 30), n));
    outbox.emit_all(&mut tx, pings).await?;
    Ok(tx.commit().await?)
}

async fn is_settled<R>(outbox: &TestOutbox<R, Postgres>) -> Result<bool>
where
    R: outbox_runtime::Registry,
{
    let here = "select count(*) from outbox.meta m, pg_control_system() s \
                where m.system_identifier = s.system_identifier";
    Ok(Postgres::number(outbox.pool(), here).await? == 1)
}

/// Several workers find it out at the same moment; everything comes once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_several_workers_translates() -> Result<()> {
    let outbox = TestOutbox::<Sharded, Postgres>::new().await?;
    let probe = Probe::default();
    let mut late = outbox.begin().await?;
    outbox.emit(&mut late, Ping::keyed("late", 1_000)).await?;
    emit(&outbox, 0..100).await?;
    outbox.drain(probe.clone()).await?;
    late.commit().await?;
    emit(&outbox, 100..200).await?;
    Postgres::execute(outbox.pool(), ELSEWHERE).await?;
    let workers: Vec<Running> = (0..3).map(|_| Running::start(&outbox, probe.clone())).collect();
    probe.until_called("sharded", 201).await;
    emit(&outbox, 200..300).await?;
    probe.until_called("sharded", 301).await;
    for worker in workers {
        worker.stop().await?;
    }
    assert!(is_settled(&outbox).await?);
    let numbers = probe.numbers("sharded");
    let expected: BTreeSet<u64> = (0..300).chain([1_000]).collect();
    assert_eq!(numbers.len(), 301, "everything came once");
    assert_eq!(numbers.into_iter().collect::<BTreeSet<_>>(), expected);
    Ok(())
}

/// Logical replication copies no sequences: until somebody moves it, positions are drawn anew, those
/// that retention has freed among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sequence_that_was_not_copied_is_moved_and_what_it_drew_is_found() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let probe = Probe::default();
    emit(&outbox, 0..50).await?;
    outbox.drain(probe.clone()).await?;
    for statement in [
        "delete from outbox.event where position <= 10",
        "select setval('outbox.event_position_seq', 1, false)",
        // As rows that were copied: not written by the transactions that they name.
        "update outbox.event set created_at = created_at",
        ELSEWHERE,
    ] {
        Postgres::execute(outbox.pool(), statement).await?;
    }
    emit(&outbox, 50..55).await?;
    let low = "select count(*) from outbox.event where position <= 10";
    assert_eq!(Postgres::number(outbox.pool(), low).await?, 5);
    outbox.drain(probe.clone()).await?;
    emit(&outbox, 55..60).await?;
    outbox.drain(probe.clone()).await?;
    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, (0..60).collect::<Vec<_>>());
    let last = "select max(position) from outbox.event";
    assert_eq!(Postgres::number(outbox.pool(), last).await?, 55);
    Ok(())
}

/// What has emitted before the first worker came, and is still open, is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_emitted_before_the_translation_is_waited_for() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let probe = Probe::default();
    emit(&outbox, 0..10).await?;
    outbox.drain(probe.clone()).await?;
    Postgres::execute(outbox.pool(), ELSEWHERE).await?;
    let mut open = outbox.begin().await?;
    outbox.emit(&mut open, Ping::new(10)).await?;
    emit(&outbox, 11..20).await?;
    let worker = Running::start(&outbox, probe.clone());
    wait::until("the worker to wait", || async {
        let waits = "select count(*) from pg_stat_activity where datname = current_database() \
                     and query like '%from pg_locks%' and state <> 'active' and pid <> pg_backend_pid()";
        Postgres::number(outbox.pool(), waits).await.is_ok_and(|count| count > 0)
    })
    .await;
    // Nobody who emits waits for it.
    emit(&outbox, 20..30).await?;
    assert!(!is_settled(&outbox).await?);
    open.commit().await?;
    probe.until_called("plain", 30).await;
    worker.stop().await?;
    let mut numbers = probe.numbers("plain");
    numbers.sort_unstable();
    assert_eq!(numbers, (0..30).collect::<Vec<_>>());
    Ok(())
}

/// The number of shards was being changed when the dump was made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_shards_goes_on_after_a_restore() -> Result<()> {
    let outbox = TestOutbox::<Sharded, Postgres>::new().await?;
    let probe = Probe::default();
    emit(&outbox, 0..100).await?;
    outbox.drain(probe.clone()).await?;
    emit(&outbox, 100..150).await?;
    outbox.reshard("sharded", 6).await?;
    emit(&outbox, 150..200).await?;
    Postgres::execute(outbox.pool(), ELSEWHERE).await?;
    let worker = Worker::new(outbox.outbox().clone(), probe.clone());
    let often = Duration::from_millis(10);
    let worker = Running::worker(worker.poll(often, often));
    probe.until_called("sharded", 200).await;
    wait::until("the new shards", || async {
        let shards = "select shards::bigint from outbox.consumer";
        Postgres::number(outbox.pool(), shards).await.is_ok_and(|shards| shards == 6)
    })
    .await;
    emit(&outbox, 200..300).await?;
    probe.until_called("sharded", 300).await;
    worker.stop().await?;
    let mut numbers = probe.numbers("sharded");
    numbers.sort_unstable();
    assert_eq!(numbers, (0..300).collect::<Vec<_>>(), "everything came once");
    Ok(())
}

/// An operation before any worker has come: it is made by this cluster's ids.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_after_a_restore_goes_by_position() -> Result<()> {
    let outbox = TestOutbox::<Plain, Postgres>::new().await?;
    let probe = Probe::default();
    emit(&outbox, 0..50).await?;
    outbox.drain(probe.clone()).await?;
    Postgres::execute(outbox.pool(), ELSEWHERE).await?;
    let replay = outbox_runtime::Replay::from_beginning();
    assert_eq!(outbox.replay("plain", &replay).await?, 50);
    assert!(is_settled(&outbox).await?);
    probe.forget();
    outbox.drain(probe.clone()).await?;
    assert_eq!(probe.numbers("plain").len(), 50);
    Ok(())
}
