//! Transactions of one row of the application's own and some events are committed.

use anyhow::Result;
use outbox_contest::Monotonic;

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
        let setup = Setup {
            consumers: self.consumers,
            connections: self.writers.max(10),
            ..Setup::new(database.url())
        };
        who.do_task(&setup, &["install"]).await?;
        database.checkpoint().await?;

        let (writers, events) = (self.writers.to_string(), self.events.to_string());
        let seconds = self.seconds.to_string();
        let task = ["emit", "--writers", &writers, "--events", &events, "--for", &seconds];
        let mut process = who.start(&setup, &task)?;
        process.ready().await?;
        let before = database.written().await?;
        let began = Monotonic::now();
        process.go().await?;
        let done = process.done().await?;
        let took = Monotonic::now().since(began);
        process.gone().await?;
        let after = database.written().await?;

        let mut figures =
            Figures::from([(Metric::PerSecond, done.count as f64 / took.as_secs_f64())]);
        if database.is_postgres() {
            let wal = (after.wal - before.wal) / done.count.max(1) as f64;
            figures.insert(Metric::WalBytes, wal);
        }
        Ok(figures)
    }
}
