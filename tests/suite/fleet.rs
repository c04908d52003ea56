//! Several workers at once: who runs what.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::Worker;
use outbox_runtime::testing::TestOutbox;
use outbox_tests::{Act, Db, Ping, Probe, Running, wait};
use uuid::Uuid;

use crate::consumers::{Several, Sharded};

crate::both! {
    shards_are_shared_out_as_workers_come_and_go,
    single_shards_are_spread_over_the_workers,
    a_handed_back_shard_is_taken_at_once,
    workers_and_rates_are_listed,
    order_holds_while_workers_come_and_go,
    a_worker_runs_no_more_handlers_than_it_is_told,
}

async fn shares<R: outbox_runtime::Registry, DB: Db>(
    outbox: &TestOutbox<R, DB>,
) -> HashMap<Uuid, usize> {
    let mut shares = HashMap::new();
    for shard in outbox.shards(None).await.expect("the shards") {
        if let Some(worker) = shard.worker {
            *shares.entry(worker).or_default() += 1;
        }
    }
    shares
}

async fn until_shared<R: outbox_runtime::Registry, DB: Db>(
    outbox: &TestOutbox<R, DB>,
    expected: &[usize],
) {
    wait::until("the shards to be shared out", || async {
        let mut counts: Vec<usize> = shares(outbox).await.into_values().collect();
        counts.sort_unstable();
        counts == expected
    })
    .await;
}

async fn shards_are_shared_out_as_workers_come_and_go<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    let one = Running::start(&outbox, probe.clone());
    until_shared(&outbox, &[4]).await;
    let two = Running::start(&outbox, probe.clone());
    until_shared(&outbox, &[2, 2]).await;
    let three = Running::start(&outbox, probe.clone());
    until_shared(&outbox, &[1, 1, 2]).await;
    one.stop().await?;
    until_shared(&outbox, &[2, 2]).await;
    two.stop().await?;
    until_shared(&outbox, &[4]).await;
    three.stop().await?;
    until_shared(&outbox, &[]).await;
    assert!(outbox.workers().await?.is_empty());
    Ok(())
}

async fn single_shards_are_spread_over_the_workers<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Several, DB>::new().await?, Probe::default());
    let workers = [0, 1, 2].map(|_| Running::start(&outbox, probe.clone()));
    until_shared(&outbox, &[1, 1, 1]).await;
    for worker in workers {
        worker.stop().await?;
    }
    Ok(())
}

/// With a lease so long that only the hand-back can have freed the shards.
async fn a_handed_back_shard_is_taken_at_once<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    let often = Duration::from_millis(10);
    let worker = || {
        let worker = Worker::new(outbox.outbox().clone(), probe.clone());
        Running::worker(worker.lease(Duration::from_secs(3600)).poll(often, often))
    };
    let one = worker();
    until_shared(&outbox, &[4]).await;
    let two = worker();
    until_shared(&outbox, &[2, 2]).await;
    one.stop().await?;
    until_shared(&outbox, &[4]).await;
    two.stop().await?;
    Ok(())
}

async fn workers_and_rates_are_listed<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    let worker = Running::start(&outbox, probe.clone());
    until_shared(&outbox, &[4]).await;
    // SQLite's ledger goes by the outbox's clock, which stands still.
    outbox.advance(Duration::from_secs(1));
    for n in 0..20 {
        let mut tx = outbox.begin().await?;
        outbox.emit(&mut tx, Ping::keyed(&n.to_string(), n)).await?;
        tx.commit().await?;
    }
    probe.until_called("sharded", 20).await;
    wait::until("it to be recorded", || async {
        outbox.stats().await.expect("stats")[0].handled == 20
    })
    .await;
    let workers = outbox.workers().await?;
    assert_eq!(workers.len(), 1);
    assert!(workers[0].alive && !workers[0].leaving);
    assert_eq!((workers[0].shards, workers[0].pid), (4, std::process::id()));
    assert_eq!(workers[0].consumers, ["sharded"]);
    let shards = outbox.shards(Some("sharded")).await?;
    assert_eq!(shards.iter().map(|shard| shard.handled).sum::<u64>(), 20);
    assert!(shards.iter().all(|shard| shard.worker == Some(workers[0].id) && !shard.expired));
    assert!(outbox.shards(Some("nobody")).await?.is_empty());
    let (hour, step) = (Duration::from_secs(3600), Duration::from_millis(1));
    let rates = outbox.rates("sharded", hour, step).await?;
    assert!(rates.is_sorted_by_key(|rate| rate.from));
    // Each shard's ledger begins with a line that says zero.
    assert_eq!(rates.iter().map(|rate| rate.handled).sum::<u64>(), 20);
    worker.stop().await?;
    Ok(())
}

async fn order_holds_while_workers_come_and_go<DB: Db>() -> Result<()> {
    let (outbox, probe) = (TestOutbox::<Sharded, DB>::new().await?, Probe::default());
    let staying = Running::start(&outbox, probe.clone());
    let mut next = 0;
    for _ in 0..8 {
        let passing = Running::start(&outbox, probe.clone());
        for _ in 0..20 {
            let mut tx = outbox.begin().await?;
            for _ in 0..5 {
                outbox.emit(&mut tx, Ping::keyed(&(next % 13).to_string(), next)).await?;
                next += 1;
            }
            tx.commit().await?;
        }
        passing.stop().await?;
    }
    probe.until_called("sharded", next as usize).await;
    staying.stop().await?;
    let mut seen = probe.numbers("sharded");
    seen.sort_unstable();
    assert_eq!(seen, (0..next).collect::<Vec<_>>(), "nothing is lost and nothing comes twice");
    for (_, numbers) in probe.by_key("sharded") {
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
    assert!(!probe.keys_overlapped());
    Ok(())
}

/// Of all shards together; and each shard has its turn.
async fn a_worker_runs_no_more_handlers_than_it_is_told<DB: Db>() -> Result<()> {
    let outbox = TestOutbox::<Sharded, DB>::new().await?;
    let probe = Probe::new(|_, ping, _| if ping.n < 3 { Act::Gate } else { Act::Succeed });
    let mut tx = outbox.begin().await?;
    outbox.emit_all(&mut tx, (0..200).map(|n| Ping::keyed(&n.to_string(), n))).await?;
    tx.commit().await?;
    let worker = Worker::new(outbox.outbox().clone(), probe.clone()).concurrency(4);
    let worker = Running::worker(worker);
    // Three stay at the gate, so the others have one place between them.
    probe.until_called("sharded", 200).await;
    assert!(probe.peak() <= 4, "{}", probe.peak());
    probe.open_gate();
    worker.stop().await?;
    assert_eq!(outbox.stats().await?[0].handled, 200);
    Ok(())
}
