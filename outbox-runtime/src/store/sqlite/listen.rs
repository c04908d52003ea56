//! Hearing that somebody committed events. A file has nobody who could tell, so it is looked at, which costs
//! a read of one row; the worker's probe, which looks for everything else as well, comes more rarely.

use std::time::Duration;

use tokio::time::sleep;

use super::SqliteStore;
use super::progress::LogProgress;
use crate::backoff::Backoff;
use crate::error::Result;
use crate::store::Signal;

/// How long an event of another process waits at most before it is noticed.
const EVERY: Duration = Duration::from_millis(10);

impl SqliteStore {
    /// Calls `heard` with the names of what was committed since the last look, by this process too. Ends
    /// with the pool.
    pub(super) async fn look_out(&self, heard: impl Fn(Signal<'_>)) {
        let looking = async {
            let mut seen = None;
            let mut backoff = Backoff::default();
            loop {
                let pause = match self.look(&mut seen, &heard).await {
                    Ok(()) => {
                        backoff.reset();
                        EVERY
                    }
                    // The probe fails as well, and tells people.
                    Err(_) => backoff.next_pause(),
                };
                sleep(pause).await;
            }
        };
        tokio::select! {
            () = looking => {}
            () = self.pool.pool().close_event() => {}
        }
    }

    async fn look(&self, seen: &mut Option<LogProgress>, heard: impl Fn(Signal<'_>)) -> Result<()> {
        let newest = self.newest().await?;
        match seen {
            Some(seen) if newest.after > seen.after => match self.probe_log(seen).await? {
                Some(names) => {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    heard(Signal::Committed(&names));
                }
                None => heard(Signal::Look),
            },
            // Where retention deletes the newest event, the newest is an older one.
            _ => *seen = Some(newest),
        }
        Ok(())
    }
}
