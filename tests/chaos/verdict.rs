//! What a seed showed: compared with the log itself, and with what the emitters were told.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::time::Duration;

use outbox_tests::Db;
use outbox_tests::victim::Line;

use crate::explain;
use crate::load::Book;
use crate::scene::{Scene, number};

/// The figures of one seed.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// Committed, and not delivered (or not even in the log).
    pub(crate) lost: usize,
    /// Delivered, or in the log, and never committed.
    pub(crate) foreign: usize,
    /// Deliveries of an event that had been delivered before.
    pub(crate) duplicates: usize,
    /// What had been delivered and could not be recorded.
    pub(crate) bound: usize,
    /// Events of a key whose first delivery came after that of a later one.
    pub(crate) inversions: usize,
    /// Whether the projection and the ledgers say of every event that it was handled once.
    pub(crate) exact: bool,
    /// How long the last shard took to go on, and how long it may have taken.
    pub(crate) resumed: Option<(Duration, Duration)>,
    /// What is left of the rate that the consumers had without the fault.
    pub(crate) kept: Option<f64>,
    /// Whatever else there is to say.
    pub(crate) note: String,
}

/// An event of the log.
struct Logged {
    key: String,
    n: u64,
}

impl Verdict {
    /// Judges `outside` and `inside` once everything is done.
    pub(crate) async fn reach<DB: Db>(scene: &Scene<DB>, book: &Book) -> Self {
        let mut verdict = Self::of(scene, book, "outside").await;
        verdict.exact = projection(scene).await == expected(&logged(scene).await);
        for consumer in ["outside", "inside"] {
            verdict.exact &= is_recorded_once(scene, consumer).await;
        }
        verdict
    }

    /// Judges one consumer that writes down what it gets.
    pub(crate) async fn of<DB: Db>(scene: &Scene<DB>, book: &Book, consumer: &str) -> Self {
        let log: HashSet<u64> = logged(scene).await.into_iter().map(|event| event.n).collect();
        let delivered = scene.lines(|lines| delivered(lines, consumer));
        for &n in log.difference(&delivered) {
            explain::lost(scene, consumer, n).await;
        }
        for &n in book.committed.iter().filter(|n| !log.contains(n)) {
            println!("event {n} was committed, and is not in the log");
        }
        scene.lines(|lines| {
            let lines: Vec<&Line> = lines.iter().filter(|line| line.consumer == consumer).collect();
            let vanished = book.committed.iter().filter(|n| !log.contains(n)).count();
            let appeared = book.undone.iter().filter(|n| log.contains(n)).count();
            Self {
                lost: log.difference(&delivered).count() + vanished,
                foreign: delivered.difference(&log).count() + appeared,
                duplicates: lines.len() - delivered.len(),
                inversions: inversions(&lines),
                exact: true,
                ..Self::default()
            }
        })
    }

    /// A line for people, and one for `cargo xtask chaos` if it asks for them.
    pub(crate) fn print(&self, fault: &str, database: &str, seed: u64) {
        let Self { lost, foreign, duplicates, bound, inversions, exact, resumed, kept, note } =
            self;
        let (took, limit) = resumed.unzip();
        println!(
            "{fault} on {database}, seed {seed}: lost {lost}, foreign {foreign}, duplicates \
             {duplicates} of at most {bound}, inversions {inversions}, exact {exact}, resumed in \
             {took:?} of at most {limit:?}, rate kept {kept:?} {note}"
        );
        let Some(path) = std::env::var_os("OUTBOX_CHAOS_FIGURES") else { return };
        let figures = serde_json::json!({
            "fault": fault, "database": database, "seed": seed, "lost": lost, "foreign": foreign,
            "duplicates": duplicates, "bound": bound, "inversions": inversions, "exact": exact,
            "resumed_ms": took.map(|took| took.as_millis() as u64),
            "limit_ms": limit.map(|limit| limit.as_millis() as u64), "kept": kept, "note": note,
        });
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(format!("{figures}\n").as_bytes()))
            .expect("the file of OUTBOX_CHAOS_FIGURES");
    }

    pub(crate) fn check(&self, fault: &str, seed: u64) {
        let of = format!("{fault}, seed {seed}: {self:?}");
        assert_eq!(self.lost, 0, "{of}");
        assert_eq!(self.foreign, 0, "{of}");
        assert!(self.duplicates <= self.bound, "{of}");
        assert_eq!(self.inversions, 0, "{of}");
        assert!(self.exact, "{of}");
        // How fast is for the long run to judge, on a machine that does nothing else.
        let patience = if crate::is_long() { 1 } else { 6 };
        if let Some((took, limit)) = self.resumed {
            assert!(took <= limit * patience, "{of}");
        }
    }

    /// What is judged by all seeds together.
    pub(crate) fn check_all(fault: &str, all: &[Self]) {
        let mut kept: Vec<f64> = all.iter().filter_map(|verdict| verdict.kept).collect();
        kept.sort_by(f64::total_cmp);
        if let Some(median) = kept.get(kept.len() / 2).filter(|_| crate::is_long()) {
            assert!(*median >= 0.9, "{fault}: of the rate is left {kept:?}");
        }
    }
}

async fn logged<DB: Db>(scene: &Scene<DB>) -> Vec<Logged> {
    let event = DB::table("event");
    let field = |name| match DB::IS_POSTGRES {
        true => format!("payload ->> '{name}'"),
        false => format!("payload ->> '$.{name}'"),
    };
    let sql = format!(
        "select key || ' ' || coalesce({}, {}) from {event} order by position",
        field("n"),
        field("number")
    );
    let rows = scene.words(&sql).await;
    rows.iter().map(|row| Logged { key: row[0].clone(), n: number(&row[1]) }).collect()
}

fn delivered(lines: &[Line], consumer: &str) -> HashSet<u64> {
    lines.iter().filter(|line| line.consumer == consumer).map(|line| line.n).collect()
}

/// Events of a key whose first delivery came after that of a later one.
fn inversions(lines: &[&Line]) -> usize {
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

type Projection = BTreeMap<String, (u64, u64)>;

fn expected(log: &[Logged]) -> Projection {
    let mut projection = Projection::new();
    for event in log {
        let row = projection.entry(event.key.clone()).or_default();
        row.0 += 1;
        row.1 += event.n;
    }
    projection
}

async fn projection<DB: Db>(scene: &Scene<DB>) -> Projection {
    let sql = "select key || ' ' || events || ' ' || total from projection";
    let rows = scene.words(sql).await;
    rows.iter().map(|row| (row[0].clone(), (number(&row[1]), number(&row[2])))).collect()
}

/// Whether the ledger of a consumer counts as many events as the log has, and nothing is dead: a
/// worker that recorded what another one had recorded as well would make it count more.
pub(crate) async fn is_recorded_once<DB: Db>(scene: &Scene<DB>, consumer: &str) -> bool {
    let stats = scene.outbox.stats().await.expect("stats");
    let dead = stats.iter().find(|one| one.consumer == consumer).map(|one| one.dead);
    dead == Some(0) && scene.recorded(consumer).await == logged(scene).await.len()
}
