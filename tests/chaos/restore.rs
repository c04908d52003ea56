//! `pg_dump` into a fresh cluster, whose transaction ids mean something else: nothing is lost, what
//! comes again is no more than what was in flight, and what works in the database is exact. And the
//! same without what makes it so is noticed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use outbox_runtime::{
    ConsumerError, Consumers, Delivery, DeliveryFilter, DeliveryState, Outbox, Outcome, Own,
    Postgres, Registered, State, Tx, Worker, consumer, registry,
};
use outbox_tests::cluster::Ids;
use outbox_tests::{Act, Cluster, Db, Ping, Probe, Proxy, Running, wait};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Pool};

use crate::workers::AT_ONCE;

const DATABASE: &str = "service";
/// Events in one read, so that there are windows of several.
const PAGE: u32 = 20;
/// Transactions that emit side by side, each with a key of its own.
const EMITTERS: u64 = 8;
/// What a consumer may get again: a page.
const AGAIN: usize = PAGE as usize;

#[consumer(name = "lagging", start = beginning, concurrency = 4)]
async fn lagging(
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    probe.handle("lagging", &ping).await
}

#[consumer(name = "ordered", start = beginning, ordered, shards = 2, retry = none)]
async fn ordered(
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    probe.handle("ordered", &ping).await
}

#[consumer(name = "projection", start = beginning, delivery = tx)]
async fn projection(ping: Delivery<Ping>, tx: &mut Tx<'_, Postgres>) -> Result<(), ConsumerError> {
    let insert = sqlx::query("insert into effect (n) values ($1)").bind(ping.n as i64);
    insert.execute(&mut **tx).await?;
    Ok(())
}

#[consumer(name = "fresh", start = beginning)]
async fn fresh(ping: Delivery<Ping>, State(probe): State<Probe>) -> Result<Outcome, ConsumerError> {
    probe.handle("fresh", &ping).await
}

#[consumer(name = "from-now")]
async fn from_now(
    ping: Delivery<Ping>,
    State(probe): State<Probe>,
) -> Result<Outcome, ConsumerError> {
    probe.handle("from-now", &ping).await
}

registry! {
    /// What runs before the dump.
    struct Before;
    state: Probe,
    events: [Ping],
    consumers: [lagging, ordered, projection],
}

registry! {
    /// What runs after the restore.
    struct After;
    state: Probe,
    events: [Ping],
    consumers: [lagging, ordered, projection, fresh, from_now],
}

/// How the ids of the new cluster compare with those of the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    Lower,
    Colliding,
    Higher,
}

/// What is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sabotage {
    None,
    /// The worker believes that the ids are its cluster's.
    NoTranslation,
    /// The progress is translated, and nothing knows up to where events were restored.
    RestoredForgotten,
}

#[derive(Debug, Default)]
struct Verdict {
    committed: usize,
    lost: usize,
    /// The most that any consumer got again.
    repeated: usize,
    inversions: usize,
    /// From the end of the transaction that the new cluster's worker waits for to the first event that is
    /// new to `lagging`.
    resumed: Option<Duration>,
    projection_exact: bool,
    from_now_exact: bool,
}

impl Verdict {
    /// For the table of faults.
    fn tabulate(&self, case: Case, seed: u64) {
        let fault = format!("pg_dump into a fresh cluster, ids {case:?}").to_lowercase();
        let verdict = crate::verdict::Verdict {
            lost: self.lost,
            duplicates: self.repeated,
            bound: AGAIN,
            inversions: self.inversions,
            exact: self.projection_exact && self.from_now_exact,
            resumed: self.resumed.map(|took| (took, AT_ONCE)),
            ..crate::verdict::Verdict::default()
        };
        verdict.print(&fault, "Postgres", seed);
    }

    fn check(&self, what: &str) {
        println!("{what}: {self:?}");
        assert!(self.committed > 500, "{what}");
        assert_eq!((self.lost, self.inversions), (0, 0), "{what}");
        assert!(self.repeated <= AGAIN, "{what}");
        if let Some(took) = self.resumed.filter(|_| crate::is_long()) {
            assert!(took <= AT_ONCE, "{what}");
        }
        assert!(self.projection_exact && self.from_now_exact, "{what}");
    }
}

async fn pool(url: &str) -> Result<PgPool> {
    let options: PgConnectOptions = url.parse()?;
    let pool = PgPoolOptions::new().max_connections(20);
    Ok(pool.acquire_timeout(Duration::from_secs(10)).connect_lazy_with(options))
}

/// Emits from many transactions at once, some of which are rolled back or held open; each emitter
/// numbers the events of a key of its own. Returns what was committed.
async fn emit<R>(outbox: &Outbox<R, Postgres>, seed: u64, from: u64) -> Result<BTreeSet<u64>>
where
    R: Consumers<Postgres> + Registered<Ping, Own>,
{
    let emitter = |emitter: u64| async move {
        let mut random = fastrand::Rng::with_seed(seed * 1_000 + emitter);
        let (mut n, mut committed) = (from + emitter * 1_000, Vec::new());
        for _ in 0..25 {
            let mut tx = outbox.begin().await?;
            let mut numbers = Vec::new();
            for _ in 0..random.u8(1..6) {
                n += 1;
                outbox.emit(&mut tx, Ping::keyed(&format!("k{emitter}"), n)).await?;
                numbers.push(n);
                tokio::time::sleep(Duration::from_millis(random.u64(0..8))).await;
            }
            if random.u8(0..10) == 0 {
                tx.rollback().await?;
            } else {
                tx.commit().await?;
                committed.extend(numbers);
            }
        }
        anyhow::Ok(committed)
    };
    let all = futures_util::future::try_join_all((0..EMITTERS).map(emitter)).await?;
    Ok(all.into_iter().flatten().collect())
}

struct Scene {
    old: Cluster,
    new: Cluster,
    committed: BTreeSet<u64>,
    probe: Probe,
}

/// Numbers of this key die at once, and hold it.
const DEADLY: u64 = 500_000;

/// How many events `lagging` handles before the dump. The next ones hang, so that the worker is
/// stopped with handlers that have begun.
const HANDLED: usize = 56;
/// How many of its handlers run at the same time.
const LAGGING: usize = 4;

fn script(consumer: &str, ping: &Ping) -> Act {
    match consumer {
        "ordered" if ping.n == DEADLY => Act::Permanent,
        _ => Act::Succeed,
    }
}

impl Scene {
    /// A service whose worker was stopped in the middle of everything.
    async fn new(case: Case, seed: u64) -> Result<Self> {
        let old = Cluster::start_with(Ids::Low).await;
        let new =
            Cluster::start_with(if case == Case::Higher { Ids::High } else { Ids::Low }).await;
        let server = PgPool::connect(&old.url()).await?;
        Postgres::execute(&server, &format!("create database {DATABASE}")).await?;
        if case == Case::Lower {
            let burn = "do $$ begin for i in 1..20000 loop \
                        perform pg_current_xact_id(); commit; end loop; end $$";
            Postgres::execute(&server, burn).await?;
        }
        let pool = pool(&old.url_of(DATABASE)).await?;
        let outbox = Outbox::<Before, Postgres>::new(pool.clone());
        outbox.migrate().await?;
        Postgres::execute(&pool, "create table effect (n bigint not null)").await?;
        let mut committed = BTreeSet::new();
        let mut tx = outbox.begin().await?;
        for n in DEADLY..DEADLY + 5 {
            outbox.emit(&mut tx, Ping::keyed("deadly", n)).await?;
            committed.insert(n);
        }
        tx.commit().await?;
        let calls = AtomicUsize::new(0);
        let probe = Probe::new(move |consumer, ping, _| match consumer {
            "lagging" if calls.fetch_add(1, Ordering::Relaxed) >= HANDLED => Act::Hang,
            _ => script(consumer, ping),
        });
        // What these emit is committed after the last checkpoint.
        let mut late = Vec::new();
        for n in 0..3 {
            let mut tx = outbox.begin().await?;
            for n in [600_000 + n * 10, 600_001 + n * 10] {
                outbox.emit(&mut tx, Ping::keyed("late", n)).await?;
                committed.insert(n);
            }
            late.push(tx);
        }
        let worker = Running::worker(
            Worker::new(outbox.clone(), probe.clone())
                .page_size(PAGE)
                .shutdown_timeout(Duration::ZERO),
        );
        let emitting = emit(&outbox, seed, 10_000);
        let stopped_in_the_middle = async {
            probe.until_called("lagging", HANDLED + LAGGING).await;
            worker.stop().await
        };
        let (emitted, stopped) = tokio::join!(emitting, stopped_in_the_middle);
        stopped?;
        committed.extend(emitted?);
        for tx in late {
            tx.commit().await?;
        }
        pool.close().await;
        Ok(Self { old, new, committed, probe })
    }

    /// Moves to the other cluster, and goes on there.
    async fn go_on(mut self, seed: u64, sabotage: Sabotage) -> Result<Verdict> {
        self.old.dump_into(&self.new, DATABASE);
        let pool = pool(&self.new.url_of(DATABASE)).await?;
        match sabotage {
            Sabotage::None => {}
            Sabotage::NoTranslation => {
                let lie = "update outbox.meta set system_identifier = \
                           (select system_identifier from pg_control_system())";
                Postgres::execute(&pool, lie).await?;
            }
            Sabotage::RestoredForgotten => {
                for statement in [
                    "create function forget() returns trigger language plpgsql as \
                     $$ begin new.restored_up_to := 0; return new; end $$",
                    "create trigger forget before update on outbox.meta \
                     for each row execute function forget()",
                ] {
                    Postgres::execute(&pool, statement).await?;
                }
            }
        }
        let outbox = Outbox::<After, Postgres>::new(pool.clone());
        self.probe.rescript(|consumer, ping, _| script(consumer, ping));
        // A transaction of the new cluster is open when the first worker comes, and a service has
        // committed already.
        let mut open = outbox.begin().await?;
        outbox.emit(&mut open, Ping::keyed("open", 700_000)).await?;
        let mut early = outbox.begin().await?;
        outbox.emit(&mut early, Ping::keyed("early", 710_000)).await?;
        early.commit().await?;
        self.committed.extend([700_000, 710_000]);
        let often = Duration::from_millis(20);
        let handled: HashSet<u64> = self.probe.numbers("lagging").into_iter().collect();
        let worker = Running::worker(
            Worker::new(outbox.clone(), self.probe.clone())
                .page_size(PAGE)
                .lease(Duration::from_secs(1))
                .poll(often, often),
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
        // The translation waits for whoever has emitted before it.
        open.commit().await?;
        let begun = Instant::now();
        let goes_on = self.probe.until("`lagging` to go on", |seen| {
            let mut lagging = seen.iter().filter(|seen| seen.consumer == "lagging");
            lagging.any(|seen| !handled.contains(&seen.n))
        });
        let resumed = match sabotage {
            Sabotage::None => {
                goes_on.await;
                Some(begun.elapsed())
            }
            _ => None,
        };
        wait::until("the new consumers", || async {
            let known = "select count(*) from outbox.checkpoint where consumer = 'from-now'";
            Postgres::number(&pool, known).await.is_ok_and(|count| count > 0)
        })
        .await;
        let from_now = emit(&outbox, seed, 20_000).await?;
        self.committed.extend(&from_now);
        let patience =
            if sabotage == Sabotage::None { wait::DEADLINE } else { Duration::from_secs(8) };
        let _ = tokio::time::timeout(patience, async {
            while self.lost(&outbox).await > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        let verdict = Verdict { resumed, ..self.judge(&outbox, &pool, &from_now).await? };
        worker.stop().await?;
        Ok(verdict)
    }

    /// What neither was handled nor has a row that says why.
    async fn missing(&self, outbox: &Outbox<After, Postgres>, consumer: &str) -> usize {
        let mut accounted: HashSet<u64> = self.probe.numbers(consumer).into_iter().collect();
        for state in [DeliveryState::Dead, DeliveryState::Parked] {
            let filter = DeliveryFilter::all().consumer(consumer).state(state);
            for row in outbox.deliveries(&filter).await.unwrap_or_default() {
                let ping: Ping = serde_json::from_str(row.event.payload.get()).expect("a ping");
                accounted.insert(ping.n);
            }
        }
        self.committed.iter().filter(|n| !accounted.contains(n)).count()
    }

    async fn lost(&self, outbox: &Outbox<After, Postgres>) -> usize {
        let mut lost = 0;
        for consumer in ["lagging", "ordered", "fresh"] {
            lost += self.missing(outbox, consumer).await;
        }
        let projected = "select count(distinct n) from effect";
        let projected = Postgres::number(outbox_pool(outbox), projected).await.unwrap_or(0);
        lost + (self.committed.len() as i64 - projected).unsigned_abs() as usize
    }

    async fn judge(
        &self,
        outbox: &Outbox<After, Postgres>,
        pool: &PgPool,
        from_now: &BTreeSet<u64>,
    ) -> Result<Verdict> {
        let mut verdict = Verdict {
            committed: self.committed.len(),
            lost: self.lost(outbox).await,
            ..Verdict::default()
        };
        for consumer in ["lagging", "ordered", "fresh"] {
            let numbers = self.probe.numbers(consumer);
            // Those that hung were not handled.
            let hung = if consumer == "lagging" { LAGGING } else { 0 };
            let distinct = numbers.iter().collect::<HashSet<_>>().len();
            let repeated = (numbers.len() - distinct).saturating_sub(hung);
            verdict.repeated = verdict.repeated.max(repeated);
        }
        verdict.inversions = inversions(&self.probe);
        let texts = Postgres::texts(pool, "select n::text from effect").await?;
        let projected: Vec<u64> =
            texts.into_iter().flatten().filter_map(|n| n.parse().ok()).collect();
        let mut counts = BTreeMap::<u64, u32>::new();
        projected.iter().for_each(|n| *counts.entry(*n).or_default() += 1);
        verdict.projection_exact = counts.values().all(|count| *count == 1)
            && counts.keys().copied().collect::<BTreeSet<_>>() == self.committed;
        let heard: HashMap<u64, ()> =
            self.probe.numbers("from-now").into_iter().map(|n| (n, ())).collect();
        // What was open at its registration is committed after it.
        verdict.from_now_exact = from_now.iter().all(|n| heard.contains_key(n))
            && heard.keys().all(|n| from_now.contains(n) || *n == 700_000);
        Ok(verdict)
    }
}

/// Events of a key whose first delivery to `ordered` came after that of a later one.
fn inversions(probe: &Probe) -> usize {
    let mut inversions = 0;
    for numbers in probe.by_key("ordered").values() {
        let (mut seen, mut last) = (HashSet::new(), 0);
        for n in numbers {
            if seen.insert(*n) {
                inversions += usize::from(*n < last);
                last = *n;
            }
        }
    }
    inversions
}

fn outbox_pool(outbox: &Outbox<After, Postgres>) -> &Pool<Postgres> {
    outbox.pool()
}

async fn play(case: Case) -> Result<()> {
    let seeds =
        std::env::var("OUTBOX_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    for seed in 0..seeds {
        let scene = Scene::new(case, seed).await?;
        let verdict = scene.go_on(seed, Sabotage::None).await?;
        verdict.tabulate(case, seed);
        verdict.check(&format!("{case:?}, seed {seed}"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_a_restore_where_ids_are_lower_loses_nothing() -> Result<()> {
    play(Case::Lower).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_a_restore_where_ids_collide_loses_nothing() -> Result<()> {
    play(Case::Colliding).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_a_restore_where_ids_are_higher_loses_nothing() -> Result<()> {
    play(Case::Higher).await
}

async fn is_noticed(sabotage: Sabotage) -> Result<()> {
    let scene = Scene::new(Case::Lower, 0).await?;
    let verdict = scene.go_on(0, sabotage).await?;
    println!("{sabotage:?}: {verdict:?}");
    assert!(verdict.lost > 0, "{sabotage:?} was not noticed: {verdict:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_progress_that_is_not_translated_is_noticed() -> Result<()> {
    is_noticed(Sabotage::NoTranslation).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_restored_events_judged_by_their_ids_are_noticed() -> Result<()> {
    is_noticed(Sabotage::RestoredForgotten).await
}

/// The worker runs all the time; its connections are cut, and lead to the new cluster from then on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_a_running_worker_follows_its_connections_into_another_cluster() -> Result<()> {
    let old = Cluster::start_with(Ids::Low).await;
    let new = Cluster::start_with(Ids::Low).await;
    let proxy = Proxy::to(&old.url()).await;
    let server = PgPool::connect(&old.url()).await?;
    Postgres::execute(&server, &format!("create database {DATABASE}")).await?;
    let burn =
        "do $$ begin for i in 1..20000 loop perform pg_current_xact_id(); commit; end loop; end $$";
    Postgres::execute(&server, burn).await?;
    server.close().await;
    let direct = Outbox::<Before, Postgres>::new(pool(&old.url_of(DATABASE)).await?);
    direct.migrate().await?;
    Postgres::execute(direct.pool(), "create table effect (n bigint not null)").await?;
    let probe = Probe::default();
    let outbox = Outbox::<Before, Postgres>::new(pool(&proxy.url(&old.url_of(DATABASE))).await?);
    let often = Duration::from_millis(20);
    let worker = Running::worker(
        Worker::new(outbox, probe.clone())
            .page_size(PAGE)
            .lease(Duration::from_secs(2))
            .poll(often, often),
    );
    let mut committed = emit(&direct, 1, 10_000).await?;
    // Half of it is still to be handled when the dump is made.
    probe.until_called("lagging", committed.len() / 2).await;
    old.dump_into(&new, DATABASE);
    proxy.lead_to(&new.url());
    direct.pool().close().await;
    drop(old);
    let direct = Outbox::<Before, Postgres>::new(pool(&new.url_of(DATABASE)).await?);
    committed.extend(emit(&direct, 2, 20_000).await?);
    for consumer in ["lagging", "ordered"] {
        probe
            .until(&format!("everything at `{consumer}`"), |seen| {
                let seen = seen.iter().filter(|seen| seen.consumer == consumer);
                let seen: HashSet<u64> = seen.map(|seen| seen.n).collect();
                committed.iter().all(|n| seen.contains(n))
            })
            .await;
    }
    wait::until("the projection", || async {
        let count = "select count(distinct n) from effect";
        Postgres::number(direct.pool(), count).await.is_ok_and(|n| n == committed.len() as i64)
    })
    .await;
    let rows = Postgres::number(direct.pool(), "select count(*) from effect").await?;
    assert_eq!(rows, committed.len() as i64, "the projection is exact");
    assert_eq!(inversions(&probe), 0);
    worker.stop().await?;
    Ok(())
}
