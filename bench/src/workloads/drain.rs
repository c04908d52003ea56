//! What waits is handled and recorded.

use anyhow::Result;
use outbox_contest::Monotonic;

use crate::figures::{Figures, Metric};
use crate::umpire::{Contestant, Database, Setup};

/// So many events wait for so many consumers.
#[derive(Debug, Clone)]
pub(crate) struct Drain {
    pub(crate) events: u64,
    pub(crate) consumers: u32,
    pub(crate) kind: &'static str,
    /// What is slower is measured for so long.
    pub(crate) at_most_seconds: u32,
}

impl Drain {
    pub(super) async fn run(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        let setup =
            Setup { consumers: self.consumers, kind: self.kind, ..Setup::new(database.url()) };
        who.do_task(&setup, &["install"]).await?;
        database.checkpoint().await?;
        let before_fill = database.written().await?;
        let events = self.events.to_string();
        who.do_task(&setup, &["fill", "--events", &events]).await?;
        let after_fill = database.written().await?;
        database.settle().await?;

        let at_most = self.at_most_seconds.to_string();
        let task = ["drain", "--events", &events, "--at-most", &at_most];
        let mut process = who.start(&setup, &task)?;
        process.ready().await?;
        let before = database.written().await?;
        let began = Monotonic::now();
        process.go().await?;
        let done = process.done().await?;
        let took = Monotonic::now().since(began);
        process.gone().await?;
        let after = database.written().await?;

        let count = done.count.max(1) as f64;
        let mut figures = Figures::from([
            (Metric::PerSecond, done.count as f64 / took.as_secs_f64()),
            (Metric::PeakMib, done.peak_kib as f64 / 1024.0),
        ]);
        if let Some(first) = done.first {
            figures.insert(Metric::FirstMs, first.since(began).as_secs_f64() * 1e3);
        }
        if database.is_postgres() {
            let emitted = (after_fill.wal - before_fill.wal) / self.events as f64;
            figures.insert(Metric::WalBytesEmitted, emitted);
            figures.insert(Metric::WalBytes, (after.wal - before.wal) / count);
            figures.insert(Metric::DeadRows, (after.dead - before.dead) / count);
        }
        Ok(figures)
    }
}
