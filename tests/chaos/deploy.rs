//! Releases side by side, consumers that are slow, clocks that are wrong.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use outbox_runtime::{Postgres, Sqlite};
use outbox_tests::victim::{Orders, Release};
use outbox_tests::{Db, Ping, wait};

use crate::load::{Book, Load};
use crate::scene::{Scene, all_shards, now};
use crate::verdict::{Verdict, is_recorded_once};
use crate::victim::{Victim, stop_all};
use crate::workers::{AT_ONCE, UNTIL_HANDED_BACK};

/// From one release to the next, worker by worker, back again, and once more forward; events of
/// both versions all the time.
async fn roll<DB: Db>(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<DB>::new().await?;
    let first = scene.orders().lease(UNTIL_HANDED_BACK);
    let second = first.clone().release(Release::Second);
    let old = || Victim::spawn(&first, &[]);
    let new = || Victim::spawn(&second, &[]);

    let mut victims = vec![old(), old()];
    let next = Arc::new(AtomicBool::new(false));
    let is_new = Arc::clone(&next);
    let load =
        Load::emit(&scene.outbox, seed, move |n| n % 2 == 0 && is_new.load(Ordering::Relaxed));
    scene.until_busy(random.usize(50..100)).await;
    let mut fault = now();
    for direction in [Release::Second, Release::First, Release::Second] {
        for _ in 0..2 {
            victims.push(if direction == Release::Second { new() } else { old() });
            // From here on every other event is one that the first release does not know.
            next.store(true, Ordering::Relaxed);
            load.until_emitted(random.u64(50..150)).await;
            victims.remove(0).stop().await;
            fault = now();
        }
        load.until_emitted(random.u64(50..150)).await;
    }
    let took = scene.until_resumed(fault, &all_shards()).await;

    let book = load.stop().await;
    scene.until_done(3).await;
    stop_all(victims).await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    let newcomer = Verdict::of(&scene, &book, "newcomer").await;
    verdict.lost += newcomer.lost;
    verdict.duplicates += newcomer.duplicates;
    verdict.inversions += newcomer.inversions;
    verdict.exact &= is_recorded_once(&scene, "newcomer").await;
    // Handed back, a shard does not wait for its lease to expire.
    verdict.resumed = Some((took, AT_ONCE));
    Ok(verdict)
}

/// A consumer whose handlers take a hundred times as long as those of another: that one is as quick as it
/// is alone.
async fn be_slow<DB: Db>(seed: u64) -> Result<Verdict> {
    let alone = beside_a_slow_one::<DB>(seed, true).await?;
    let beside = beside_a_slow_one::<DB>(seed, false).await?;
    let mut verdict = beside.verdict;
    verdict.lost += alone.verdict.lost;
    verdict.foreign += alone.verdict.foreign;
    verdict.duplicates += alone.verdict.duplicates;
    // Neither of them promises an order.
    verdict.inversions = 0;
    assert!(beside.behind > 0, "seed {seed}: the slow one is as quick");
    verdict.kept = Some(beside.rate / alone.rate);
    verdict.note = format!("the slow one {} events behind", beside.behind);
    Ok(verdict)
}

/// What the quick one did.
struct Quick {
    verdict: Verdict,
    rate: f64,
    /// Events that the slow one had not handled at the end.
    behind: usize,
}

async fn beside_a_slow_one<DB: Db>(seed: u64, paused: bool) -> Result<Quick> {
    let events: u64 = if crate::is_long() { 30_000 } else { 3_000 };
    let scene = Scene::<DB>::new().await?;
    let quick = Duration::from_millis(1);
    let orders =
        scene.orders().release(Release::Slow).delay("quick", quick).delay("slow", quick * 100);
    if paused {
        // Only what is known can be paused.
        let first = Victim::spawn(&orders, &[]);
        wait::until("the consumers to be known", || async {
            scene.outbox.pause("slow").await.is_ok()
        })
        .await;
        first.stop().await;
    }
    for chunk in (0..events).collect::<Vec<_>>().chunks(3_000) {
        let keyed = |n: &u64| Ping::keyed(&format!("k{}", (n + seed) % 64), *n);
        scene.emit(chunk.iter().map(keyed).collect()).await?;
    }
    let victim = Victim::spawn(&orders, &[]);
    scene.until("the quick one to begin", |lines| !lines.is_empty()).await;
    let (begun, before) = (Instant::now(), scene.delivered("quick") as u64);
    scene
        .until("the quick one to have everything", |lines| {
            lines.iter().filter(|line| line.consumer == "quick").count() as u64 >= events
        })
        .await;
    let rate = (events - before) as f64 / begun.elapsed().as_secs_f64();
    let behind = events as usize - scene.delivered("slow");
    // The slow one goes on where it is; it would take long.
    victim.stop().await;
    let book = Book { committed: (0..events).collect(), ..Book::default() };
    Ok(Quick { verdict: Verdict::of(&scene, &book, "quick").await, rate, behind })
}

/// Workers whose clocks are an hour ahead and an hour behind.
async fn set_clocks<DB: Db>(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<DB>::new().await?;
    let load = Load::start(&scene, seed);
    let library = faketime();
    let library = library.to_str().expect("a path in UTF-8");
    let orders = Orders { flaky: DB::IS_POSTGRES, ..scene.orders().lease(UNTIL_HANDED_BACK) };
    let at = |offset| {
        let environment = [
            ("LD_PRELOAD", library),
            ("FAKETIME", offset),
            // Only the time of day is wrong.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        Victim::spawn(&orders, &environment)
    };
    let ahead = at("+1h");
    scene.until_busy(random.usize(100..300)).await;
    // On SQLite nobody but this machine knows the time, so its clock is set back between two lives.
    let mut victims = Vec::new();
    if DB::IS_POSTGRES {
        victims.push(at("-1h"));
        scene.until_busy(random.usize(100..300)).await;
        ahead.stop().await;
    } else {
        ahead.stop().await;
        victims.push(at("-1h"));
    }
    scene.until_busy(random.usize(100..300)).await;
    let hours = scene.lines(|lines| {
        let hour = |line: &outbox_tests::victim::Line| line.at.as_secs() / 3_600;
        let first = lines.iter().map(hour).min();
        first.zip(lines.iter().map(hour).max()).map_or(0, |(first, last)| last - first)
    });

    assert!(hours >= 1, "seed {seed}: the clocks are right");

    let book = load.stop().await;
    scene.until_done(2).await;
    stop_all(victims).await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    verdict.note = format!("{hours} hours between two deliveries");
    Ok(verdict)
}

/// The library that tells a process another time.
fn faketime() -> PathBuf {
    std::env::var_os("OUTBOX_TEST_FAKETIME").map(PathBuf::from).expect(
        "set OUTBOX_TEST_FAKETIME to the path of libfaketimeMT.so.1 (`cargo xtask services` does): \
         this test sets the clocks of its workers",
    )
}

crate::faults! {
    "rolling deploy, both directions", roll:
    chaos_a_rolling_deploy_on_postgres on Postgres,
    chaos_a_rolling_deploy_on_sqlite on Sqlite,
}

crate::faults! {
    "a consumer 100 times slower", be_slow:
    chaos_a_slow_consumer_beside_a_quick_one_on_postgres on Postgres,
    chaos_a_slow_consumer_beside_a_quick_one_on_sqlite on Sqlite,
}

crate::faults! {
    "worker's clock one hour off", set_clocks:
    chaos_clocks_are_an_hour_off_on_postgres on Postgres,
    chaos_clocks_are_an_hour_off_on_sqlite on Sqlite,
}
