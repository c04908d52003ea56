//! Finding out that there is something to do: one probe of the log for the whole worker, a look at
//! what is due, and one at the fleet, for events, redrives and operations that did not come through
//! this process. A signal of another process says when to look; without one, it is looked now and
//! then.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::crew::Crew;
use super::outage::over;
use crate::error::Result;
use crate::store::{Pulse, Signal, Store};

const PROBE: &str = "probe the log";

/// How long nothing must have been found before the probe becomes rare.
const QUIET_AFTER: Duration = Duration::from_secs(10);

/// How often to look for due deliveries that nobody here has heard of.
const SWEEP: Duration = Duration::from_secs(5);

/// The shortest time between two probes that signals ask for: many processes may signal at once.
const SIGNALLED_EVERY: Duration = Duration::from_millis(10);

/// Rings the bell for what is found, and tells the manager through `beat` what it has to look at,
/// until told to stop.
pub(super) async fn probe<S: Store>(
    crew: Arc<Crew<S>>,
    consumers: Vec<(&'static str, &'static str)>,
    beat: watch::Sender<()>,
    stop: CancellationToken,
) {
    let signals = Arc::new(Notify::new());
    let listening = tokio::spawn(listen(Arc::clone(&crew), Arc::clone(&signals), stop.clone()));
    let mut watch = crew.outage.watch("the probe");
    let mut prober = None;
    let mut announced = crew.bell.announcements();
    let mut signalled = false;
    loop {
        let round = match &mut prober {
            None => {
                let new = crew.answered("mark a place in the log", Prober::new(&crew)).await;
                new.map(|new| prober = Some(new))
            }
            Some(prober) => {
                let round = prober.round(&crew, &consumers, &beat, signalled);
                crew.answered(PROBE, round).await
            }
        };
        // As good a moment as any: where nothing is read, nobody else does it.
        crew.shelf.tidy();
        let done_at = Instant::now();
        let mut pause = None;
        let mut rest = Duration::ZERO;
        match (&round, &prober) {
            (Ok(()), Some(prober)) => {
                watch.succeeded();
                rest = prober.pause(&crew);
            }
            (Ok(()), None) => {}
            (Err(error), _) => {
                crew.bell.note_alone(false);
                pause = Some(watch.failed(error));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(rest), if round.is_ok() => signalled = false,
            () = over(&mut pause) => signalled = false,
            // After a failure, these two wait for the pause to end as everything else does.
            Ok(()) = announced.changed(), if round.is_ok() => signalled = false,
            () = signals.notified(), if round.is_ok() => signalled = true,
            () = stop.cancelled() => break,
        }
        if signalled {
            tokio::select! {
                () = tokio::time::sleep_until(done_at + SIGNALLED_EVERY) => {}
                () = stop.cancelled() => break,
            }
        }
    }
    crew.bell.note_alone(false);
    // It ends when told to stop, as this did; a panic in it has been reported by then.
    let _ = listening.await;
}

/// Passes the signals of other processes on: consumers whose events were committed look at once, and
/// the prober looks for everything else. On a task of its own, since it waits for the database.
async fn listen<S: Store>(crew: Arc<Crew<S>>, signals: Arc<Notify>, stop: CancellationToken) {
    let heard = |signal: Signal<'_>| match signal {
        Signal::Committed(names) => names.iter().for_each(|name| crew.bell.ring(name)),
        Signal::Look => signals.notify_one(),
    };
    tokio::select! {
        () = crew.store.listen(heard) => {}
        () = stop.cancelled() => {}
    }
}

struct Prober<S: Store> {
    progress: S::Progress,
    pulse: Pulse,
    last_found: Instant,
    last_sweep: Instant,
}

impl<S: Store> Prober<S> {
    async fn new(crew: &Crew<S>) -> Result<Self> {
        // The shards read once when they start, so what was committed before needs no ring.
        let progress = crew.store.progress_now().await?;
        crew.bell.ring_all_here();
        let (pulse, now) = (Pulse::default(), Instant::now());
        Ok(Self { progress, pulse, last_found: now, last_sweep: now })
    }

    async fn round(
        &mut self,
        crew: &Crew<S>,
        consumers: &[(&'static str, &'static str)],
        beat: &watch::Sender<()>,
        signalled: bool,
    ) -> Result<()> {
        let names: Vec<&str> = consumers.iter().map(|(name, _)| *name).collect();
        let probed = crew.store.probe(&mut self.progress, &names).await?;
        if probed.pulse != self.pulse || probed.pulse.free > 0 {
            self.pulse = probed.pulse;
            beat.send_replace(());
        }
        crew.bell.note_alone(self.pulse.workers == [crew.worker]);
        let mut found = true;
        match probed.names {
            None => crew.bell.ring_all_here(),
            Some(names) => {
                found = !names.is_empty();
                names.iter().for_each(|name| crew.bell.ring(name));
            }
        }
        if found {
            self.last_found = Instant::now();
        }
        // A signal that does not say which events were committed may be about something else that is due,
        // such as a redrive.
        if self.last_sweep.elapsed() >= SWEEP || signalled {
            self.last_sweep = Instant::now();
            self.sweep(crew, &names, consumers).await?;
        }
        Ok(())
    }

    async fn sweep(
        &self,
        crew: &Crew<S>,
        names: &[&str],
        consumers: &[(&'static str, &'static str)],
    ) -> Result<()> {
        let waits = crew.store.next_due(names).await?;
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
