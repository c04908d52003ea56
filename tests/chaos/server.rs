//! Servers that die, sessions that are ended, disks that are full.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::Postgres;
use outbox_tests::cluster::Cluster;
use outbox_tests::{Db, Ping, wait};

use crate::load::Load;
use crate::scene::{Scene, all_shards, now};
use crate::verdict::Verdict;
use crate::victim::stop_all;

/// By when the work must have gone on after the server accepts connections, or takes writes.
const LIMIT: Duration = Duration::from_secs(5);
const LIMIT_OF_DISKS: Duration = Duration::from_secs(10);

/// `kill -9` of Postgres under load, and a restart.
async fn kill_the_server(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut cluster = Cluster::start().await;
    let url = cluster.url();
    let scene = Scene::<Postgres>::at(cluster.pool(&url), url).await?;
    let load = Load::start(&scene, seed);
    let victims = scene.spawn_all(4);
    scene.until_busy(random.usize(100..500)).await;

    cluster.kill();
    // Sometimes shorter than a lease, sometimes longer.
    let outage = Duration::from_millis(random.u64(500..7_000));
    tokio::time::sleep(outage).await;
    cluster.serve().await;
    let back = now();
    let bound = scene.unrecorded(&all_shards()).await;
    let took = scene.until_resumed(back, &all_shards()).await;

    let book = load.stop().await;
    scene.until_done(2).await;
    stop_all(victims).await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    verdict.bound = bound;
    verdict.resumed = Some((took, LIMIT));
    verdict.note = format!("down for {outage:?}, {} commits of unknown fate", book.unknown.len());
    Ok(verdict)
}

/// `pg_terminate_backend` on the engine's sessions, those that listen and notify as well, again and
/// again.
async fn end_sessions(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<Postgres>::new().await?;
    let load = Load::start(&scene, seed);
    let victims = scene.spawn_all(2);
    scene.until_busy(random.usize(100..300)).await;

    let times = if crate::is_long() { 100 } else { 15 };
    let (mut ended, mut bound) = (0, 0);
    for _ in 0..times {
        let before = scene.repeated();
        let end = "select pg_terminate_backend(pid)::text from pg_stat_activity \
                   where datname = current_database() and application_name like '%victim-%' \
                     and random() < 0.3";
        ended += scene.words(end).await.len();
        bound += scene.unrecorded(&all_shards()).await.saturating_sub(before);
        tokio::time::sleep(Duration::from_millis(random.u64(50..300))).await;
    }
    let took = scene.until_resumed(now(), &all_shards()).await;

    let book = load.stop().await;
    scene.until_done(2).await;
    stop_all(victims).await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    verdict.bound = bound;
    verdict.resumed = Some((took, LIMIT));
    verdict.note = format!("{ended} sessions");
    Ok(verdict)
}

/// A disk that is full, and then is not.
async fn fill_the_disk(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let cluster = Cluster::start().await;
    let disk = cluster.small_disk(48);
    // The data only: Postgres itself stops when there is no room for its write-ahead log, and then
    // it is for people to start it again.
    let server = cluster.pool(&cluster.url());
    let create = format!("create tablespace small location '{}'", disk.display());
    Postgres::execute(&server, &create).await?;
    Postgres::execute(&server, "create database small tablespace small").await?;
    let url = cluster.url_of("small");
    let scene = Scene::<Postgres>::at(cluster.pool(&url), url).await?;
    let load = Load::start(&scene, seed);
    let victims = scene.spawn_all(2);
    scene.until_busy(random.usize(100..300)).await;

    let filler = disk.join("filler");
    fill(&filler);
    wait::until("an emitter to be refused", || async {
        fill(&filler);
        let pings = (0..50).map(|n| Ping::keyed(&"x".repeat(900), n));
        // Never committed: it is only there to be too much.
        let mut tx = scene.outbox.begin().await.expect("a transaction");
        let emitted = scene.outbox.emit_all(&mut tx, pings).await;
        tx.rollback().await.expect("rolled back");
        emitted.is_err()
    })
    .await;
    let before = scene.recorded("outside").await;
    tokio::time::sleep(Duration::from_secs(random.u64(1..4))).await;
    let meanwhile = scene.recorded("outside").await - before;
    std::fs::remove_file(&filler).expect("the filler");
    let back = now();
    let bound = scene.unrecorded(&all_shards()).await;
    let took = scene.until_resumed(back, &all_shards()).await;

    let book = load.stop().await;
    scene.until_done(2).await;
    stop_all(victims).await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    verdict.bound = bound;
    verdict.resumed = Some((took, LIMIT_OF_DISKS));
    verdict.note = format!("{meanwhile} events recorded while it was full");
    Ok(verdict)
}

/// Takes all the room that is left.
fn fill(path: &std::path::Path) {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    let mut file = file.expect("a file on the small disk");
    for size in [1 << 20, 1 << 12] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

crate::faults! {
    "kill -9 of Postgres, restart", kill_the_server:
    chaos_kill_of_the_server_on_postgres,
}

crate::faults! {
    "pg_terminate_backend again and again", end_sessions:
    chaos_sessions_are_ended_on_postgres,
}

crate::faults! {
    "disk full, then space again", fill_the_disk:
    chaos_a_full_disk_on_postgres,
}
