//! A worker has nothing to do.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::figures::{Figures, Metric};
use crate::umpire::{Contestant, Database, Setup};

/// So many consumers wait.
#[derive(Debug, Clone)]
pub(crate) struct Idle {
    pub(crate) consumers: u32,
    /// To see that it works; says nothing of an idle worker.
    pub(crate) is_quick: bool,
}

/// By then Postgres counts what a worker did when it started: a session that is idle reports within ten
/// seconds (`pgstat.c`).
const CALM: Duration = Duration::from_secs(11);
/// So much longer it takes until ours has found out that nothing happens.
const LOOKS_OFTEN: Duration = Duration::from_secs(10);
/// What ours does at every third renewal of its leases, it does once in this time.
const MEASURED: Duration = Duration::from_secs(15);

impl Idle {
    pub(super) async fn run(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        let mut process = who.start(&self.setup(database.url()), &["serve"])?;
        process.ready().await?;
        process.go().await?;
        let (calm, measured) = match self.is_quick {
            true => (Duration::ZERO, Duration::from_secs(1)),
            false if who.name == "outbox" => (CALM + LOOKS_OFTEN, MEASURED),
            false => (CALM, MEASURED),
        };
        tokio::time::sleep(calm).await;
        let (before, spent) = (database.written().await?, process.processor_seconds()?);
        let began = Instant::now();
        tokio::time::sleep(measured).await;
        let written = database.written().await? - before;
        let spent = process.processor_seconds()? - spent;
        let seconds = began.elapsed().as_secs_f64();
        process.stop();
        process.done().await?;
        process.gone().await?;

        let mut figures = Figures::from([(Metric::ProcessorPercent, 100.0 * spent / seconds)]);
        if database.is_postgres() {
            // One of them was the umpire's.
            let transactions = written.transactions - 1.0;
            figures.insert(Metric::TransactionsPerSecond, transactions / seconds);
            figures.insert(Metric::TransactionIds, written.ids);
        }
        Ok(figures)
    }

    pub(super) fn setup(&self, url: &str) -> Setup {
        Setup { consumers: self.consumers, ..Setup::new(url) }
    }
}
