//! Time: the database's, or a test's.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, SubsecRound, Utc};
use tokio::sync::watch;

/// Where "now" comes from in every decision about due times, leases and expiry.
///
/// The default is the database's clock, so that workers on machines with wrong clocks agree.
/// Tests use [`Clock::manual`] and move it by hand.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Manual>>);

#[derive(Debug)]
struct Manual {
    now: Mutex<DateTime<Utc>>,
    moved: watch::Sender<()>,
}

impl Clock {
    /// The clock of the database server (for SQLite, of this machine).
    #[must_use]
    pub fn database() -> Self {
        Self(None)
    }

    /// A clock that stands still at `start` until [`advance`](Self::advance) moves it.
    #[must_use]
    pub fn manual(start: DateTime<Utc>) -> Self {
        // What databases store, so that stored times equal the clock's.
        let start = start.trunc_subsecs(6);
        Self(Some(Arc::new(Manual { now: Mutex::new(start), moved: watch::Sender::new(()) })))
    }

    /// Moves a manual clock forward and wakes whoever waits for a due time.
    ///
    /// # Panics
    ///
    /// When the clock is the database's: that one cannot be moved.
    pub fn advance(&self, by: std::time::Duration) {
        let manual =
            self.0.as_ref().expect("the database's clock cannot be moved; use Clock::manual");
        *manual.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += by;
        manual.moved.send_replace(());
    }

    /// The time of a manual clock; `None` means that the database is to be asked.
    pub(crate) fn fixed(&self) -> Option<DateTime<Utc>> {
        let manual = self.0.as_ref()?;
        Some(*manual.now.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Tells when a manual clock is moved; `None` for the database's.
    pub(crate) fn watch(&self) -> Option<watch::Receiver<()>> {
        self.0.as_ref().map(|manual| manual.moved.subscribe())
    }
}
