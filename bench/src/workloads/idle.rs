//! A worker has nothing to do.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::figures::{Figures, Metric};
use crate::umpire::{Contestant, Database, Setup};

/// So many consumers wait.
#[derive(Debug, Clone)]
pub(crate) struct Idle {
    pub(crate) consumers: u32,
    /// By then a worker has found out that nothing happens (ours looks often for ten seconds), and Postgres
    /// counts what it did until then: a session that is idle reports within ten seconds (`pgstat.c`).
    pub(crate) calm_seconds: u64,
    pub(crate) seconds: u64,
}

impl Idle {
    pub(super) async fn run(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        let mut process = who.start(&self.setup(database.url()), &["serve"])?;
        process.ready().await?;
        process.go().await?;
        tokio::time::sleep(Duration::from_secs(self.calm_seconds)).await;
        let (before, spent) = (database.written().await?, process.processor_seconds()?);
        let began = Instant::now();
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
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
