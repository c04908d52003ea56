//! What waits is handled and recorded.

use std::time::Duration;

use anyhow::Result;

use crate::figures::{Figures, Metric};
use crate::umpire::{Contestant, Database, Setup, TIME_READS};

/// So many events wait for so many consumers.
#[derive(Debug, Clone)]
pub(crate) struct Drain {
    pub(crate) events: u64,
    pub(crate) consumers: u32,
    pub(crate) kind: &'static str,
    /// What is slower is measured for so long.
    pub(crate) at_most: Duration,
    /// The contestants are this program's own, and say how long their reads took. What they do before the
    /// first delivery is told apart from the rest: where few events wait, it is most of the time.
    pub(crate) time_reads: bool,
}

impl Drain {
    /// Fills a database in which everything is installed; says what that cost.
    pub(super) async fn fill(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        let setup = self.setup(database.url());
        database.checkpoint().await?;
        let before = database.written().await?;
        let events = self.events.to_string();
        who.do_task(&setup, &["fill", "--events", &events]).await?;
        let filled = database.written().await? - before;
        database.settle().await?;
        let mut figures = Figures::new();
        if database.is_postgres() {
            figures.insert(Metric::WalBytesEmitted, filled.wal / self.events as f64);
        }
        Ok(figures)
    }

    /// Drains one that was filled.
    pub(super) async fn run(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        let setup = self.setup(database.url());
        let events = self.events.to_string();
        let at_most = self.at_most.as_secs_f64().to_string();
        let mut task = vec!["drain", "--events", &events, "--at-most", &at_most];
        task.extend(self.time_reads.then_some(TIME_READS));
        let drained = who.timed(database, &setup, &task).await?;

        let mut figures = Figures::from([
            (Metric::PerSecond, drained.per_second()),
            (Metric::PeakMib, drained.done.peak_kib as f64 / 1024.0),
        ]);
        if let Some(first) = drained.done.first {
            figures.insert(Metric::FirstMs, first.since(drained.began).as_secs_f64() * 1e3);
        }
        if let (Some((p50, p99)), Some(first)) = (drained.reads, drained.done.first) {
            let rest = drained.took.saturating_sub(first.since(drained.began));
            let rate = drained.done.count as f64 / rest.as_secs_f64();
            figures.insert(Metric::PerSecondFromTheFirst, rate);
            figures.insert(Metric::ReadP50Ms, p50.as_secs_f64() * 1e3);
            figures.insert(Metric::ReadP99Ms, p99.as_secs_f64() * 1e3);
        }
        if database.is_postgres() {
            figures.insert(Metric::WalBytes, drained.each(drained.written.wal));
            figures.insert(Metric::DeadRows, drained.each(drained.written.dead));
        }
        Ok(figures)
    }

    pub(super) fn setup(&self, url: &str) -> Setup {
        Setup { consumers: self.consumers, kind: self.kind, ..Setup::new(url) }
    }
}
