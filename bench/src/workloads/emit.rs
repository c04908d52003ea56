//! Transactions of one row of the application's own and some events are committed.

use anyhow::{Result, bail};
use outbox_contest::{Monotonic, Said};

use crate::figures::{Figures, Metric};
use crate::umpire::{Contestant, Database, Setup};

/// So many writers commit for so long.
#[derive(Debug, Clone)]
pub(crate) struct Emit {
    pub(crate) writers: u32,
    pub(crate) events: u32,
    pub(crate) consumers: u32,
    pub(crate) seconds: f64,
}

impl Emit {
    pub(super) async fn run(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        let setup = self.setup(database.url());
        let (writers, events) = (self.writers.to_string(), self.events.to_string());
        let seconds = self.seconds.to_string();
        let task = ["emit", "--writers", &writers, "--events", &events, "--for", &seconds];
        let mut process = who.start(&setup, &task)?;
        process.ready().await?;
        let before = database.written().await?;
        let began = Monotonic::now();
        process.go().await?;
        // It says so when the time is up; then it ends the transactions that have begun.
        let Said::Handled(in_time) = process.hear().await? else { bail!("it did not count") };
        let took = Monotonic::now().since(began);
        let per_second = in_time as f64 / took.as_secs_f64();
        let mut figures = Figures::from([(Metric::PerSecond, per_second)]);
        if !database.is_postgres() {
            // Writers that wait for one another would go on for seconds.
            process.kill().await?;
            return Ok(figures);
        }
        let committed = process.done().await?.count;
        process.gone().await?;
        database.deserted().await?;
        let written = database.written().await? - before;
        figures.insert(Metric::WalBytes, written.wal / committed.max(1) as f64);
        Ok(figures)
    }

    pub(super) fn setup(&self, url: &str) -> Setup {
        Setup {
            consumers: self.consumers,
            // As a service has them: a pool whose last connection is not taken all the time.
            connections: (self.writers + self.writers / 4).max(10),
            ..Setup::new(url)
        }
    }
}
