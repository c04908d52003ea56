//! The number of shards changes under load, and workers die in the middle of it.

use std::time::Duration;

use anyhow::Result;
use outbox_runtime::{Postgres, Sqlite};
use outbox_tests::victim::LEASE;
use outbox_tests::{Db, wait};

use crate::load::Load;
use crate::scene::{Scene, all_shards, now};
use crate::verdict::Verdict;
use crate::victim::stop_all;

/// By when the work of one that was killed must have gone on.
const LIMIT: Duration = Duration::from_secs(LEASE.as_secs() + 5);

/// From 8 shards to 3 to 16, with a worker killed on the way to each.
async fn change_shards<DB: Db>(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<DB>::new().await?;
    let load = Load::start(&scene, seed);
    let mut victims = scene.spawn_all(3);
    scene.until_busy(random.usize(100..300)).await;

    let (mut bound, mut slowest, mut in_the_middle) = (0, Duration::ZERO, 0);
    for shards in [3, 16] {
        scene.outbox.reshard("outside", shards).await?;
        // More often than not before the old shards have come together.
        let pause = if random.bool() { 20 } else { 400 };
        tokio::time::sleep(Duration::from_millis(random.u64(0..pause))).await;
        let before = scene.repeated();
        in_the_middle += usize::from(!has_changed(&scene, shards).await);
        let last = scene.lines(|lines| lines[lines.len() - 1].pid);
        let doomed = victims.iter().position(|victim| victim.pid == last).expect("a victim");
        victims.remove(doomed).kill().await;
        let fault = now();
        // All that was delivered and is not recorded: what the living may still record as well. (In
        // this order: they go on in between.)
        let recorded = scene.recorded("outside").await;
        bound += (scene.delivered("outside") - recorded).saturating_sub(before);
        victims.push(scene.spawn());
        wait::until("the number of shards to change", || has_changed(&scene, shards)).await;
        // In each of eighths of the keys, whatever shards they are in by now.
        slowest = slowest.max(scene.until_resumed(fault, &all_shards()).await);
        scene.until_busy(random.usize(100..300)).await;
    }

    let book = load.stop().await;
    scene.until_done(2).await;
    stop_all(victims).await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    verdict.bound = bound;
    verdict.resumed = Some((slowest, LIMIT));
    verdict.note = format!("{in_the_middle} of 2 were killed before the change was over");
    Ok(verdict)
}

/// Whether the consumer has that many shards, and no old one is in the way.
async fn has_changed<DB: Db>(scene: &Scene<DB>, shards: u32) -> bool {
    let consumer = DB::table("consumer");
    let changed = format!(
        "select count(*) from {consumer} \
         where name = 'outside' and shards = {shards} and target_shards is null"
    );
    DB::number(scene.pool(), &changed).await.is_ok_and(|found| found == 1)
}

crate::faults! {
    "8 shards to 3 to 16, workers killed", change_shards:
    chaos_the_number_of_shards_changes_on_postgres on Postgres,
    chaos_the_number_of_shards_changes_on_sqlite on Sqlite,
}
