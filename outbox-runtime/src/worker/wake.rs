//! Finding out that there is something to do: one probe of the log for the whole worker, and a look
//! at what is due, for events and redrives that did not come through this process.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::crew::Crew;
use crate::error::Result;
use crate::store::Store;

/// How long nothing must have been found before the probe becomes rare.
const QUIET_AFTER: Duration = Duration::from_secs(10);

/// How often to look for due deliveries that nobody here has heard of.
const SWEEP: Duration = Duration::from_secs(5);

/// Rings the bell for what is found, until told to stop.
pub(super) async fn probe<S: Store>(
    crew: Arc<Crew<S>>,
    consumers: Vec<(&'static str, &'static str)>,
    stop: CancellationToken,
) {
    let mut watch = crew.outage.watch("the probe");
    let mut prober = None;
    loop {
        let round = match &mut prober {
            None => Prober::new(&crew).await.map(|new| prober = Some(new)),
            Some(prober) => prober.round(&crew, &consumers).await,
        };
        let pause = match (&round, &prober) {
            (Ok(()), Some(prober)) => {
                watch.succeeded();
                prober.pause(&crew)
            }
            (Ok(()), None) => Duration::ZERO,
            (Err(error), _) => watch.failed(error),
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

struct Prober<S: Store> {
    progress: S::Progress,
    last_found: Instant,
    last_sweep: Instant,
}

impl<S: Store> Prober<S> {
    async fn new(crew: &Crew<S>) -> Result<Self> {
        // The shards read once when they start, so what was committed before needs no ring.
        let progress = crew.in_time("probe the log", crew.store.progress_now()).await?;
        crew.bell.ring_all();
        Ok(Self { progress, last_found: Instant::now(), last_sweep: Instant::now() })
    }

    async fn round(
        &mut self,
        crew: &Crew<S>,
        consumers: &[(&'static str, &'static str)],
    ) -> Result<()> {
        match crew.in_time("probe the log", crew.store.probe(&mut self.progress)).await? {
            None => {
                crew.bell.ring_all();
                self.last_found = Instant::now();
            }
            Some(names) => {
                for name in &names {
                    crew.bell.ring(name);
                    self.last_found = Instant::now();
                }
            }
        }
        if self.last_sweep.elapsed() >= SWEEP {
            self.last_sweep = Instant::now();
            self.sweep(crew, consumers).await?;
        }
        Ok(())
    }

    async fn sweep(
        &self,
        crew: &Crew<S>,
        consumers: &[(&'static str, &'static str)],
    ) -> Result<()> {
        let names: Vec<&str> = consumers.iter().map(|(name, _)| *name).collect();
        let waits = crew.in_time("probe the log", crew.store.next_due(&names)).await?;
        for (wait, (_, event_name)) in waits.into_iter().zip(consumers) {
            if wait.is_some_and(|wait| wait < SWEEP) {
                crew.bell.ring_due(event_name);
            }
        }
        Ok(())
    }

    fn pause(&self, crew: &Crew<S>) -> Duration {
        if self.last_found.elapsed() < QUIET_AFTER {
            crew.options.poll
        } else {
            crew.options.poll_idle
        }
    }
}
