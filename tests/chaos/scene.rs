//! A database with events for victims to work on, and what they wrote down.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{Outbox, Result, registry};
use outbox_tests::victim::{Line, Orders, PingV2};
use outbox_tests::{Db, Ping, wait};
use sqlx::Pool;

use crate::victim::Victim;

/// How many shards `outside` has.
pub(crate) const SHARDS: u32 = 8;

registry! {
    /// The events of the victims; their consumers are in other processes.
    pub struct Emits;
    events: [PingV2, Ping],
}

/// A database and the file that victims write to.
pub(crate) struct Scene<DB: Db> {
    pub(crate) outbox: Outbox<Emits, DB>,
    pub(crate) url: String,
    log: Log,
    // Last, so that it is removed after everybody has left.
    _database: Option<TestDatabase<DB>>,
}

/// What the victims wrote down so far.
struct Log {
    path: PathBuf,
    read: Mutex<(u64, Vec<Line>)>,
    _folder: tempfile::TempDir,
}

impl<DB: Db> Scene<DB> {
    /// In a database of the server that all tests share.
    pub(crate) async fn new() -> Result<Self> {
        let database = TestDatabase::<DB>::create().await?;
        let (pool, url) = (database.pool().clone(), database.url().to_owned());
        Self::build(pool, url, Some(database)).await
    }

    /// In a database that is there already. Victims use `url`, the test itself `pool`.
    pub(crate) async fn at(pool: Pool<DB>, url: String) -> Result<Self> {
        Self::build(pool, url, None).await
    }

    async fn build(
        pool: Pool<DB>,
        url: String,
        database: Option<TestDatabase<DB>>,
    ) -> Result<Self> {
        let outbox = Outbox::new(pool.clone());
        outbox.migrate().await?;
        let table = "create table if not exists projection \
                     (key text primary key, events bigint not null, total bigint not null)";
        DB::execute(&pool, table).await.expect("a table");
        Ok(Self { outbox, url, log: Log::new(), _database: database })
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        self.outbox.pool()
    }

    pub(crate) async fn emit(&self, pings: Vec<Ping>) -> Result<()> {
        let mut tx = self.outbox.begin().await?;
        self.outbox.emit_all(&mut tx, pings).await?;
        tx.commit().await
    }

    pub(crate) fn orders(&self) -> Orders {
        Orders::new(&self.url, self.log.path.clone())
    }

    pub(crate) fn spawn(&self) -> Victim {
        Victim::spawn(&self.orders(), &[])
    }

    /// A victim whose lease is short, so that tests with many lives are not spent on waiting; and long
    /// enough that it is not lost where a machine has much else to do: an attempt that was begun and not
    /// recorded counts as a crash.
    pub(crate) fn spawn_short_lived(&self) -> Victim {
        let orders = Orders { lease: Duration::from_secs(2), ..self.orders() };
        Victim::spawn(&orders, &[])
    }

    pub(crate) fn spawn_all(&self, count: usize) -> Vec<Victim> {
        (0..count).map(|_| self.spawn()).collect()
    }

    /// Looks at what was delivered so far, by all victims, in the order of writing.
    pub(crate) fn lines<T>(&self, look: impl FnOnce(&[Line]) -> T) -> T {
        self.log.look(look)
    }

    /// How many deliveries of a consumer were written down.
    pub(crate) fn delivered(&self, consumer: &str) -> usize {
        self.lines(|lines| lines.iter().filter(|line| line.consumer == consumer).count())
    }

    /// Waits until what was delivered satisfies `enough`.
    pub(crate) async fn until(&self, what: &str, enough: impl Fn(&[Line]) -> bool) {
        wait::until(what, || async { self.lines(&enough) }).await;
    }

    /// Waits until `outside` has been called so many times more, and in every shard.
    pub(crate) async fn until_busy(&self, more: usize) {
        let enough = self.delivered("outside") + more;
        wait::until("the victims to work", || async {
            let shards = self.shards().await;
            let keys = self.lines(|lines| {
                let outside = lines.iter().filter(|line| line.consumer == "outside");
                let keys: Vec<String> = outside.map(|line| line.key.clone()).collect();
                (keys.len() >= enough).then(|| keys.into_iter().collect::<HashSet<_>>())
            });
            let busy: Option<HashSet<u32>> =
                keys.map(|keys| keys.iter().filter_map(|key| shards.get(key).copied()).collect());
            busy.is_some_and(|busy| busy.len() == SHARDS as usize)
        })
        .await;
    }

    /// Waits until so many consumers have nothing left to do.
    pub(crate) async fn until_done(&self, consumers: usize) {
        let mut last = Vec::new();
        let done = async {
            loop {
                // A database that has just come back may fail once more.
                last = self.outbox.stats().await.unwrap_or_default();
                let left = |one: &outbox_runtime::ConsumerStats| {
                    one.lag_events + one.retrying + one.parked + one.delayed + one.waiting
                };
                if last.len() == consumers && last.iter().all(|one| left(one) == 0) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(wait::DEADLINE, done).await.is_err() {
            panic!("the consumers are not done: {last:#?}");
        }
    }

    /// How many deliveries of a consumer have been recorded.
    pub(crate) async fn recorded(&self, consumer: &str) -> usize {
        self.recorded_in(consumer, |_| true).await
    }

    /// How many deliveries of some shards of a consumer have been recorded.
    pub(crate) async fn recorded_in(&self, consumer: &str, of: impl Fn(u32) -> bool) -> usize {
        let checkpoint = DB::table("checkpoint");
        let sql = format!(
            "select c.shard || ' ' || c.handled from {checkpoint} c where c.consumer = '{consumer}' \
             and c.seq = (select max(l.seq) from {checkpoint} l \
                          where l.consumer = c.consumer and l.shard = c.shard)"
        );
        let rows = self.words(&sql).await;
        let shards = rows.iter().filter(|row| of(number(&row[0])));
        shards.map(|row| number::<usize>(&row[1])).sum()
    }

    /// Which shard of `outside` each key is in.
    pub(crate) async fn shards(&self) -> HashMap<String, u32> {
        let event = DB::table("event");
        let sql = format!(
            "select distinct key || ' ' || ((key_hash & 2147483647) % {SHARDS}) from {event}"
        );
        self.words(&sql).await.iter().map(|row| (row[0].clone(), number(&row[1]))).collect()
    }

    /// The shards whose last delivery was made by this process.
    pub(crate) async fn shards_of(&self, pid: u32) -> BTreeSet<u32> {
        let shards = self.shards().await;
        let last = self.lines(|lines| {
            let outside = lines.iter().filter(|line| line.consumer == "outside");
            let known = outside.filter_map(|line| Some((*shards.get(&line.key)?, line.pid)));
            known.collect::<HashMap<_, _>>()
        });
        last.into_iter().filter(|(_, by)| *by == pid).map(|(shard, _)| shard).collect()
    }

    /// Deliveries of `outside` that were made in these shards and are not recorded: what may come
    /// again if nobody can record them any more.
    pub(crate) async fn unrecorded(&self, of: &BTreeSet<u32>) -> usize {
        let recorded = self.recorded_in("outside", |shard| of.contains(&shard)).await;
        let shards = self.shards().await;
        let delivered = self.lines(|lines| {
            let outside = lines.iter().filter(|line| line.consumer == "outside");
            let is_theirs = |key: &str| shards.get(key).is_none_or(|shard| of.contains(shard));
            outside.filter(|line| is_theirs(&line.key)).count()
        });
        delivered.saturating_sub(recorded)
    }

    /// Events of `outside` that had been delivered and not recorded whenever a worker took a shard over, as
    /// the ledger says: what may come again, and nothing else may. On Postgres, with eight shards.
    pub(crate) async fn in_flight_at_take_overs(&self) -> usize {
        // The line of a new epoch says what the one before says.
        let sql = "select shard || ' ' || handled || ' ' || extract(epoch from at)
                   from (select c.*, lag(progress) over w as progress_before,
                                lag(completed) over w as completed_before
                         from outbox.checkpoint c where consumer = 'outside'
                         window w as (partition by shard order by seq)) ledger
                   where progress = progress_before and completed = completed_before";
        let take_overs = self.words(sql).await;
        let shards = self.shards().await;
        self.lines(|lines| {
            let outside = || lines.iter().filter(|line| line.consumer == "outside");
            let in_flight = take_overs.iter().map(|row| {
                let (shard, recorded): (u32, usize) = (number(&row[0]), number(&row[1]));
                let at = Duration::from_secs_f64(number(&row[2]));
                let begun: HashSet<u64> = outside()
                    .filter(|line| line.at <= at && shards.get(&line.key) == Some(&shard))
                    .map(|line| line.n)
                    .collect();
                begun.len().saturating_sub(recorded)
            });
            in_flight.sum()
        })
    }

    /// Deliveries of `outside` of an event that had been delivered before.
    pub(crate) fn repeated(&self) -> usize {
        self.lines(|lines| {
            let outside: Vec<u64> =
                lines.iter().filter(|line| line.consumer == "outside").map(|line| line.n).collect();
            outside.len() - outside.iter().collect::<HashSet<_>>().len()
        })
    }

    /// Waits until each of these shards got an event that is new since `fault`; returns how long
    /// the last one of them took.
    pub(crate) async fn until_resumed(&self, fault: Duration, of: &BTreeSet<u32>) -> Duration {
        self.until_resumed_by(fault, of, |_| true).await
    }

    /// The same, of events that were delivered by some processes.
    pub(crate) async fn until_resumed_by(
        &self,
        fault: Duration,
        of: &BTreeSet<u32>,
        by: impl Fn(u32) -> bool,
    ) -> Duration {
        wait::for_signal("every shard to go on", async {
            loop {
                if let Some(took) = self.resumed(fault, of, &by).await {
                    return took;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
    }

    async fn resumed(
        &self,
        fault: Duration,
        of: &BTreeSet<u32>,
        by: impl Fn(u32) -> bool,
    ) -> Option<Duration> {
        let shards = self.shards().await;
        self.lines(|lines| {
            let mut seen = HashSet::new();
            let mut first = HashMap::new();
            for line in lines.iter().filter(|line| line.consumer == "outside") {
                let is_first = seen.insert(line.n) && line.at > fault && by(line.pid);
                // A key may be newer than what was asked of the database.
                if let Some(shard) = shards.get(&line.key).filter(|_| is_first) {
                    first.entry(*shard).or_insert(line.at - fault);
                }
            }
            of.iter().try_fold(Duration::ZERO, |last, shard| Some(last.max(*first.get(shard)?)))
        })
    }

    /// The words of the only text column of each row.
    pub(crate) async fn words(&self, sql: &str) -> Vec<Vec<String>> {
        // The server may have been gone a moment ago.
        let mut rows = DB::texts(self.pool(), sql).await;
        for _ in 0..100 {
            if rows.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            rows = DB::texts(self.pool(), sql).await;
        }
        let rows = rows.expect("rows").into_iter().flatten();
        rows.map(|row| row.split(' ').map(str::to_owned).collect()).collect()
    }
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log");
        std::fs::write(&path, "").expect("an empty log");
        Self { path, read: Mutex::default(), _folder: folder }
    }

    fn look<T>(&self, look: impl FnOnce(&[Line]) -> T) -> T {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let (offset, lines) = &mut *read;
        let mut file = File::open(&self.path).expect("the log");
        file.seek(SeekFrom::Start(*offset)).expect("the new part of the log");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("the log");
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        *offset += whole as u64;
        lines.extend(text[..whole].lines().map(|line| Line::parse(line).expect("a line")));
        look(lines)
    }
}

/// The time, since 1970: what victims write down.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970")
}

/// All shards of `outside`.
pub(crate) fn all_shards() -> BTreeSet<u32> {
    (0..SHARDS).collect()
}

pub(crate) fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().unwrap_or_else(|_| panic!("a number, not {text:?}"))
}
