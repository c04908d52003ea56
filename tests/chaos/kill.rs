//! `kill -9` in the middle of a batch: nothing is lost, what comes again is no more than what was
//! in flight, and what works in the database is exact.

use std::collections::{BTreeMap, HashMap, HashSet};

use outbox_runtime::testing::TestBackend;
use outbox_runtime::{Postgres, Result, Sqlite};
use outbox_tests::Ping;

use crate::victim::{Line, Scene};

const KEYS: u64 = 40;
const EVENTS: u64 = 4_000;
const KILLS: u32 = 4;

#[derive(Debug, Default)]
struct Verdict {
    lost: usize,
    repeated: usize,
    /// Deliveries that had been made and not recorded at the moments of the kills.
    in_flight: usize,
    repeated_within_a_life: usize,
    inversions: usize,
    projection_exact: bool,
}

async fn play<DB>(seed: u64) -> Result<Verdict>
where
    DB: TestBackend,
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
    (String, i64, i64): for<'r> sqlx::FromRow<'r, DB::Row>,
    DB::Arguments: sqlx::IntoArguments<DB>,
{
    let mut random = fastrand::Rng::with_seed(seed);
    let scene = Scene::<DB>::new().await?;
    let pings: Vec<Ping> =
        (0..EVENTS).map(|n| Ping::keyed(&format!("k{}", random.u64(0..KEYS)), n)).collect();
    for chunk in pings.chunks(1_000) {
        scene.emit(chunk.to_vec()).await?;
    }
    let mut verdict = Verdict::default();
    let (mut written, mut recorded) = (0, 0);
    for _ in 0..KILLS {
        let victim = scene.spawn();
        let enough = written + random.usize(1..1_000);
        scene.until_lines(enough, pings.len()).await;
        victim.kill().await;
        let lines = scene.lines();
        let now_recorded = scene.recorded("outside").await;
        verdict.in_flight += (lines.len() - written).saturating_sub(now_recorded - recorded);
        verdict.repeated_within_a_life += repeated(&lines[written..]);
        (written, recorded) = (lines.len(), now_recorded);
    }
    let victim = scene.spawn();
    scene.until_done().await;
    victim.stop().await;

    let lines = scene.lines();
    verdict.repeated_within_a_life += repeated(&lines[written..]);
    verdict.repeated = repeated(&lines);
    let delivered: HashSet<u64> = lines.iter().map(|line| line.n).collect();
    verdict.lost = pings.iter().filter(|ping| !delivered.contains(&ping.n)).count();
    verdict.inversions = inversions(&lines);
    verdict.projection_exact = projection(&scene).await == expected(&pings);
    Ok(verdict)
}

fn repeated(lines: &[Line]) -> usize {
    lines.len() - lines.iter().collect::<HashSet<_>>().len()
}

/// Events of a key whose first delivery came after that of a later one.
fn inversions(lines: &[Line]) -> usize {
    let mut seen = HashSet::new();
    let mut last = HashMap::new();
    let mut inversions = 0;
    for line in lines {
        if seen.insert(line.n) {
            let before = last.insert(&line.key, line.n);
            inversions += usize::from(before.is_some_and(|before| before > line.n));
        }
    }
    inversions
}

type Projection = BTreeMap<String, (i64, i64)>;

fn expected(pings: &[Ping]) -> Projection {
    let mut projection = Projection::new();
    for ping in pings {
        let row = projection.entry(ping.key.clone().unwrap_or_default()).or_default();
        row.0 += 1;
        row.1 += ping.n as i64;
    }
    projection
}

async fn projection<DB>(scene: &Scene<DB>) -> Projection
where
    DB: TestBackend,
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
    (String, i64, i64): for<'r> sqlx::FromRow<'r, DB::Row>,
    DB::Arguments: sqlx::IntoArguments<DB>,
{
    let mut connection = scene.database.pool().acquire().await.expect("a connection");
    let rows: Vec<(String, i64, i64)> = sqlx::query_as("select key, events, total from projection")
        .fetch_all(&mut *connection)
        .await
        .expect("the projection");
    rows.into_iter().map(|(key, events, total)| (key, (events, total))).collect()
}

macro_rules! killed_on {
    ($name:ident, $database:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() -> Result<()> {
            println!("kill -9 on {}, {KILLS} times a seed, {EVENTS} events", stringify!($database));
            println!("seed | lost | repeated | in flight | inversions | projection exact");
            for seed in 0..crate::seeds() {
                let verdict = play::<$database>(seed).await?;
                println!(
                    "{seed:4} | {:4} | {:8} | {:9} | {:10} | {}",
                    verdict.lost,
                    verdict.repeated,
                    verdict.in_flight,
                    verdict.inversions,
                    verdict.projection_exact
                );
                assert_eq!(verdict.lost, 0, "seed {seed}");
                assert!(verdict.repeated <= verdict.in_flight, "seed {seed}: {verdict:?}");
                assert_eq!(verdict.repeated_within_a_life, 0, "seed {seed}");
                assert_eq!(verdict.inversions, 0, "seed {seed}");
                assert!(verdict.projection_exact, "seed {seed}");
            }
            Ok(())
        }
    };
}

killed_on!(chaos_kill_in_the_middle_of_a_batch_on_postgres, Postgres);
killed_on!(chaos_kill_in_the_middle_of_a_batch_on_sqlite, Sqlite);
