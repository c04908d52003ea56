//! Workers that die, freeze, come and go.

use anyhow::Result;
use outbox_runtime::{Postgres, Sqlite};
use outbox_tests::Db;
use std::time::Duration;

use crate::load::Load;
use crate::scene::{Scene, now};
use crate::verdict::Verdict;
use crate::victim::stop_all;

/// How long the victims' leases last, and by when their work must have gone on.
const LEASE: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(2 + 5);

/// `kill -9` of one of four workers in the middle of a batch.
async fn kill_one_of_four<DB: Db>(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<DB>::new().await?;
    let load = Load::start(&scene, seed);
    let mut victims = scene.spawn_all(4);
    scene.until_busy(random.usize(100..500)).await;

    // Any of those that work.
    let last = scene.lines(|lines| lines[lines.len() - 1 - random.usize(..50)].pid);
    let doomed = victims.iter().position(|victim| victim.pid == last).expect("a victim");
    let doomed = victims.remove(doomed);
    doomed.kill().await;
    let fault = now();
    let shards = scene.shards_of(last).await;
    let bound = scene.unrecorded(&shards).await;
    let took = scene.until_resumed(fault, &shards).await;

    let book = load.stop().await;
    scene.until_done(2).await;
    stop_all(victims).await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    verdict.bound = bound;
    verdict.resumed = Some((took, LIMIT));
    verdict.note = format!("{} of 8 shards were its own", shards.len());
    Ok(verdict)
}

/// SIGSTOP beyond the lease, take-over by another, SIGCONT.
async fn freeze_beyond_the_lease<DB: Db>(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<DB>::new().await?;
    let load = Load::start(&scene, seed);
    let victims = scene.spawn_all(2);
    scene.until_busy(random.usize(100..500)).await;
    let frozen = freeze_without_the_lock(&scene, &victims).await;
    thawed_too_late(&scene, load, victims, frozen).await
}

/// The same in the middle of a transaction of `inside`, which holds locks on rows that its
/// successor needs.
async fn freeze_in_a_transaction<DB: Db>(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<DB>::new().await?;
    let load = Load::start(&scene, seed);
    let orders = scene.orders().delay("inside", Duration::from_millis(5));
    let victims: Vec<Victim> = (0..2).map(|_| Victim::spawn(&orders, &[])).collect();
    scene.until_busy(random.usize(100..500)).await;
    let frozen = freeze_while(&scene, &victims, "state = 'idle in transaction'").await;
    let fault = now();
    let took = until_inside_goes_on(&scene).await;
    let mut verdict = thawed_too_late(&scene, load, victims, frozen).await?;
    let slowest = verdict.resumed.map_or(took, |(outside, _)| outside.max(took));
    verdict.resumed = Some((slowest, LIMIT));
    verdict.note = format!("the transactions' shards went on after {:?}", now() - fault);
    Ok(verdict)
}

crate::faults! {
    "kill -9 of one of four workers", kill_one_of_four:
    chaos_kill_of_one_of_four_workers_on_postgres on Postgres,
    chaos_kill_of_one_of_four_workers_on_sqlite on Sqlite,
}
