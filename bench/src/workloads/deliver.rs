//! Events come at a steady rate; how long after the return of its commit does each handler start?

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use outbox_contest::{Marks, Monotonic};

use crate::figures::{Figures, Metric};
use crate::umpire::{Contestant, Database, Setup};

/// So many events per second, for so long.
#[derive(Debug, Clone)]
pub(crate) struct Deliver {
    pub(crate) rate: u32,
    pub(crate) seconds: f64,
    /// Before them: connections are opened, statements prepared and caches filled.
    pub(crate) warm_up: Duration,
    /// Emitted in one process and handled in another, or both in one.
    pub(crate) two_processes: bool,
    /// While another session has a transaction id and does nothing.
    pub(crate) held: bool,
    /// Processes do not signal one another.
    pub(crate) poll_only: bool,
}

/// More than it takes to start, and to wait for what comes late.
const TAIL: Duration = Duration::from_secs(20);
/// What [`Metric::PerSecondAtTheEnd`] is about.
const END_SECONDS: f64 = 10.0;

impl Deliver {
    pub(super) async fn run(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        let setup = self.setup(database.url());
        let held = if self.held { database.hold().await? } else { None };

        let marks = tempfile::tempdir()?;
        let events = self.warm_up() + (f64::from(self.rate) * self.seconds) as usize;
        let ends: &[&str] = if self.two_processes { &["worker", "emitter"] } else { &["both"] };
        let (events, rate) = (events.to_string(), self.rate.to_string());
        let folder = marks.path().to_str().context("a path that is text")?;
        // The emitter last: it ends first.
        let mut processes = Vec::new();
        for ends in ends {
            let task = [
                "deliver", "--ends", ends, "--events", &events, "--rate", &rate, "--marks", folder,
            ];
            let mut process = who.start(&setup, &task)?;
            process.ready().await?;
            processes.push(process);
        }
        let before = database.written().await?;
        for process in &mut processes {
            process.go().await?;
        }
        for mut process in processes.into_iter().rev() {
            process.stop();
            process.done().await?;
            process.gone().await?;
        }
        database.deserted().await?;
        let written = database.written().await? - before;
        drop(held);

        let mut figures = self.latencies(marks.path())?;
        if database.is_postgres() {
            figures.insert(Metric::DeadRowsInAll, written.dead);
        }
        Ok(figures)
    }

    /// Whoever takes longer does not keep up.
    pub(super) fn longest(&self) -> Duration {
        self.warm_up + Duration::from_secs_f64(self.seconds) + TAIL
    }

    pub(super) fn setup(&self, url: &str) -> Setup {
        Setup { poll_only: self.poll_only, ..Setup::new(url) }
    }

    fn latencies(&self, folder: &Path) -> Result<Figures> {
        let committed = Marks::read(&folder.join("committed"))?;
        let started = Marks::read(&folder.join("started"))?;
        let mut histogram = Histogram::<u64>::new(3)?;
        let mut undelivered = 0;
        let end = committed.iter().chain(&started).flatten().max().copied();
        let end = end.context("nothing was committed")?;
        let measured = committed.iter().zip(&started).skip(self.warm_up());
        for (committed, started) in measured {
            let committed = committed.context("an event that was not committed")?;
            undelivered += u32::from(started.is_none());
            // A handler may start before the commit has returned to whoever made it. What was never
            // delivered took until the end at least.
            let took = started.unwrap_or(end).since(committed);
            histogram.record(u64::try_from(took.as_nanos())?)?;
        }
        ensure!(!histogram.is_empty(), "nothing was measured");
        let ms = |nanos: u64| nanos as f64 / 1e6;
        Ok(Figures::from([
            (Metric::P50Ms, ms(histogram.value_at_quantile(0.5))),
            (Metric::P99Ms, ms(histogram.value_at_quantile(0.99))),
            (Metric::MaxMs, ms(histogram.max())),
            (Metric::Undelivered, f64::from(undelivered)),
            (Metric::PerSecondAtTheEnd, self.rate_at_the_end(&committed, &started)?),
        ]))
    }

    fn warm_up(&self) -> usize {
        (f64::from(self.rate) * self.warm_up.as_secs_f64()) as usize
    }

    /// How many were delivered per second in the last seconds in which there was something to deliver.
    fn rate_at_the_end(
        &self,
        committed: &[Option<Monotonic>],
        started: &[Option<Monotonic>],
    ) -> Result<f64> {
        let end = committed.iter().flatten().max().context("nothing was committed")?;
        let seconds = END_SECONDS.min(self.seconds);
        let begin = Monotonic(end.0.saturating_sub((seconds * 1e9) as u64));
        let delivered = started.iter().flatten().filter(|at| (begin..*end).contains(*at)).count();
        Ok(delivered as f64 / seconds)
    }
}
