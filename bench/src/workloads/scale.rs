//! Several worker processes share a consumer.

use std::time::Duration;

use anyhow::Result;
use outbox_contest::{Monotonic, Said};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::figures::{Figures, Metric};
use crate::umpire::{Contestant, Database, Setup};

/// So many workers on eight shards.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    pub(crate) workers: u32,
    pub(crate) events: u64,
    /// What each handler does: `wait` or `burn`.
    pub(crate) load: &'static str,
}

/// By then they have shared out what there is to share.
const SHARED_OUT: Duration = Duration::from_secs(4);
const CONCURRENCY: u32 = 16;

impl Scale {
    pub(super) async fn run(&self, database: &mut Database, who: &Contestant) -> Result<Figures> {
        let setup = self.setup(database.url());
        let (heard, mut hears) = mpsc::unbounded_channel();
        // With these tasks the processes end.
        let mut workers = JoinSet::new();
        for number in 0..self.workers as usize {
            let mut process = who.start(&setup, &["serve", "--load", self.load])?;
            process.ready().await?;
            process.go().await?;
            let heard = heard.clone();
            workers.spawn(async move {
                loop {
                    let said = process.hear().await;
                    let ended = said.is_err();
                    if heard.send((number, said)).is_err() || ended {
                        return;
                    }
                }
            });
        }
        tokio::time::sleep(SHARED_OUT).await;

        let began = Monotonic::now();
        let events = self.events.to_string();
        who.do_task(&setup, &["fill", "--events", &events]).await?;
        let mut handled = vec![0; workers.len()];
        while handled.iter().sum::<u64>() < self.events {
            let Some((number, said)) = hears.recv().await else { break };
            if let Said::Handled(count) = said? {
                handled[number] = count;
            }
        }
        let took = Monotonic::now().since(began);
        workers.shutdown().await;
        Ok(Figures::from([(Metric::PerSecond, self.events as f64 / took.as_secs_f64())]))
    }

    pub(super) fn setup(&self, url: &str) -> Setup {
        Setup { shards: 8, concurrency: Some(CONCURRENCY), ..Setup::new(url) }
    }
}
