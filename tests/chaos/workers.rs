//! Workers that die, freeze, come and go.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use outbox_runtime::{Postgres, Sqlite};
use outbox_tests::victim::LEASE;
use outbox_tests::{Db, wait};

use crate::load::Load;
use crate::scene::{Scene, now};
use crate::verdict::Verdict;
use crate::victim::{Victim, stop_all};

/// By when work must have gone on that nobody handed back.
const LIMIT: Duration = Duration::from_secs(LEASE.as_secs() + 5);

/// How long the leases of victims last that leave gracefully: what goes on sooner was handed back. (And
/// a machine that is busy elsewhere for a moment makes no lease expire.)
pub(crate) const UNTIL_HANDED_BACK: Duration = Duration::from_secs(15);
/// By when work must have gone on that was handed back.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(5);

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
    // On SQLite whoever has the lock of the file stops everybody, frozen or not.
    let frozen = freeze_while(&scene, &victims, || is_writable(&scene)).await;
    thaw_too_late(&scene, load, victims, &frozen).await
}

/// The same in the middle of a transaction of `inside`, which holds locks on rows that its
/// successor needs.
async fn freeze_in_a_transaction(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<Postgres>::new().await?;
    let load = Load::start(&scene, seed);
    let orders = scene.orders().delay("inside", Duration::from_millis(5));
    let victims: Vec<Victim> = (0..2).map(|_| Victim::spawn(&orders, &[])).collect();
    scene.until_busy(random.usize(100..500)).await;
    let open = "select application_name from pg_stat_activity where datname = current_database() \
                and state = 'idle in transaction' and application_name like 'victim-%'";
    let is_open = || async { !scene.words(open).await.is_empty() };
    let frozen = freeze_while(&scene, &victims, is_open).await;
    let before = inside(&scene).await;
    wait::until("both shards of `inside` to go on", || async {
        inside(&scene).await.iter().zip(&before).all(|(now, before)| now > before)
    })
    .await;
    let took = now() - frozen.at;
    let mut verdict = thaw_too_late(&scene, load, victims, &frozen).await?;
    verdict.resumed = verdict.resumed.map(|(outside, limit)| (outside.max(took), limit));
    Ok(verdict)
}

/// How far the shards of `inside` have come.
async fn inside<DB: Db>(scene: &Scene<DB>) -> Vec<usize> {
    vec![
        scene.recorded_in("inside", |shard| shard == 0).await,
        scene.recorded_in("inside", |shard| shard == 1).await,
    ]
}

/// How many handlers of a shard run at the same time, where nobody says.
const CONCURRENCY: usize = 16;

struct Frozen {
    index: usize,
    at: Duration,
    shards: BTreeSet<u32>,
    unrecorded: usize,
}

/// Freezes a victim that works, at a moment when it is `as_wanted`.
async fn freeze_while<DB: Db, F: Future<Output = bool>>(
    scene: &Scene<DB>,
    victims: &[Victim],
    as_wanted: impl Fn() -> F,
) -> Frozen {
    wait::for_signal("a victim to freeze at the right moment", async {
        loop {
            let pid = scene.lines(|lines| lines[lines.len() - 1].pid);
            let index = victims.iter().position(|victim| victim.pid == pid).expect("a victim");
            victims[index].freeze().await;
            let at = now();
            if as_wanted().await {
                let shards = scene.shards_of(pid).await;
                let unrecorded = scene.unrecorded(&shards).await;
                return Frozen { index, at, shards, unrecorded };
            }
            victims[index].thaw();
            scene.until_busy(20).await;
        }
    })
    .await
}

async fn is_writable<DB: Db>(scene: &Scene<DB>) -> bool {
    let pool = scene.pool().clone();
    let write = "update projection set events = events where key = 'nobody'";
    let write = tokio::spawn(async move { DB::execute(&pool, write).await });
    let answer = tokio::time::timeout(Duration::from_millis(300), write).await;
    matches!(answer, Ok(Ok(Ok(_))))
}

/// Lets the frozen one go on once another worker does its work.
async fn thaw_too_late<DB: Db>(
    scene: &Scene<DB>,
    load: Load,
    victims: Vec<Victim>,
    frozen: &Frozen,
) -> Result<Verdict> {
    let took = scene.until_resumed(frozen.at, &frozen.shards).await;
    let stale = &victims[frozen.index];
    let thawed = now();
    stale.thaw();
    scene.until_busy(300).await;

    let book = load.stop().await;
    scene.until_done(2).await;
    let stale = scene.lines(|lines| {
        lines.iter().filter(|line| line.pid == stale.pid && line.at > thawed).count()
    });
    stop_all(victims).await;
    let mut verdict = Verdict::reach(scene, &book).await;
    // What had been begun when it was frozen is written down after it was thawed.
    verdict.bound = frozen.unrecorded + CONCURRENCY * frozen.shards.len();
    verdict.resumed = Some((took, LIMIT));
    verdict.note = format!("{stale} deliveries by the stale worker after it was thawed");
    Ok(verdict)
}

/// Workers are added and removed all the time, gracefully.
async fn come_and_go<DB: Db>(seed: u64) -> Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<DB>::new().await?;
    let load = Load::start(&scene, seed);
    let orders = scene.orders().lease(UNTIL_HANDED_BACK);
    let spawn = || Victim::spawn(&orders, &[]);
    let mut victims = vec![spawn(), spawn()];
    scene.until_busy(50).await;
    let (pace, length) = match crate::is_long() {
        true => (Duration::from_secs(1), Duration::from_secs(60)),
        false => (Duration::from_millis(500), Duration::from_secs(5)),
    };
    let (mut slowest, mut changes) = (Duration::ZERO, 0);
    let mut rhythm = tokio::time::interval(pace);
    let begun = now();
    while now() - begun < length {
        rhythm.tick().await;
        changes += 1;
        if victims.len() == 1 || (victims.len() < 4 && random.bool()) {
            victims.push(spawn());
            continue;
        }
        // Rather one that has something to leave.
        let last = scene.lines(|lines| lines[lines.len() - 1].pid);
        let working = victims.iter().position(|victim| victim.pid == last);
        let index = working.unwrap_or_else(|| random.usize(..victims.len()));
        let leaves = victims.remove(index);
        let shards = scene.shards_of(leaves.pid).await;
        leaves.stop().await;
        slowest = slowest.max(scene.until_resumed(now(), &shards).await);
    }

    let book = load.stop().await;
    scene.until_done(2).await;
    stop_all(victims).await;
    let mut verdict = Verdict::reach(&scene, &book).await;
    // Handed back, a shard does not wait for its lease to expire.
    verdict.resumed = Some((slowest, AT_ONCE));
    verdict.note = format!("{changes} workers came or went");
    Ok(verdict)
}

crate::faults! {
    "kill -9 of one of four workers", kill_one_of_four:
    chaos_kill_of_one_of_four_workers_on_postgres on Postgres,
    chaos_kill_of_one_of_four_workers_on_sqlite on Sqlite,
}

crate::faults! {
    "SIGSTOP beyond the lease, SIGCONT", freeze_beyond_the_lease:
    chaos_a_worker_frozen_beyond_its_lease_on_postgres on Postgres,
    chaos_a_worker_frozen_beyond_its_lease_on_sqlite on Sqlite,
}

// On SQLite such a worker has the lock of the file, and everybody waits for it.
crate::faults! {
    "SIGSTOP within a transaction, SIGCONT", freeze_in_a_transaction:
    chaos_a_worker_frozen_in_a_transaction_on_postgres,
}

crate::faults! {
    "workers come and go", come_and_go:
    chaos_workers_come_and_go_on_postgres on Postgres,
    chaos_workers_come_and_go_on_sqlite on Sqlite,
}
