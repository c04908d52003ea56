//! Hearing that somebody committed events. A file has nobody who could tell, so it is looked at, on a connection
//! of the worker's own: often where something was written, and hardly where not. The worker's probe, which looks
//! for everything else as well, comes more rarely.

mod written;

use std::convert::Infallible;
use std::time::Duration;

use sqlx::{Connection, SqliteConnection};
use tokio::time::sleep;

use super::SqliteStore;
use crate::backoff::Backoff;
use crate::error::{During, Result};
use crate::store::Signal;
use written::Written;

/// How long an event of another process waits at most before it is noticed.
const EVERY: Duration = Duration::from_millis(10);

impl SqliteStore {
    /// Calls `heard` with the names of what was committed since the last look, by this process too. Ends
    /// with the pool.
    pub(super) async fn look_out(&self, heard: impl Fn(Signal<'_>)) {
        let looking = async {
            let mut backoff = Backoff::default();
            loop {
                let Err(error) = self.look_on(&mut backoff, &heard).await;
                // The probe fails as well, and tells people.
                tracing::debug!(%error, "could not look whether another process has emitted something");
                sleep(backoff.next_pause()).await;
            }
        };
        tokio::select! {
            () = looking => {}
            () = self.pool.pool().close_event() => {}
        }
    }

    async fn look_on(
        &self,
        backoff: &mut Backoff,
        heard: impl Fn(Signal<'_>),
    ) -> Result<Infallible> {
        const LOOK: &str = "look whether the log has grown";
        let options = self.pool.pool().connect_options();
        let mut connection = SqliteConnection::connect_with(&options).await.during(LOOK)?;
        let mut written = Written::to(options.get_filename());
        let mut seen = self.mark(&mut connection).await?;
        // Something may have been missed.
        heard(Signal::Look);
        loop {
            sleep(EVERY).await;
            if !written.lately() {
                continue;
            }
            let newest = self.mark(&mut connection).await?;
            backoff.reset();
            if newest.after <= seen.after {
                // Where retention has deleted the newest event, it is an older one.
                seen = newest;
                continue;
            }
            match self.names_after(&mut connection, &mut seen).await? {
                Some(names) => {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    heard(Signal::Committed(&names));
                }
                None => heard(Signal::Look),
            }
        }
    }
}
