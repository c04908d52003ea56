//! Transactions of one row of the application's own and some events are committed.

use anyhow::Result;

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
        let emitted = who.timed(database, &setup, &task).await?;

        let mut figures = Figures::from([(Metric::PerSecond, emitted.per_second())]);
        if database.is_postgres() {
            figures.insert(Metric::WalBytes, emitted.each(emitted.written.wal));
        }
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
