//! Time that two processes agree on, and a schedule that does not wait.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// A moment of the machine's monotonic clock, in nanoseconds: the same clock for all processes, which
/// `Instant` does not promise to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Monotonic(pub u64);

impl Monotonic {
    /// Now.
    pub fn now() -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        let (seconds, nanos) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
        Self(seconds * 1_000_000_000 + nanos)
    }

    /// How long after an earlier moment this is; nothing if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// An open-loop schedule: what is to happen at which moment, whatever became of what was before. (A
/// generator that waits for its answers measures a slow system less often just while it is slow:
/// "coordinated omission", Gil Tene, "How NOT to Measure Latency", 2013.)
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    began: tokio::time::Instant,
    rate: f64,
}

impl Pace {
    /// So many times per second from now on.
    pub fn starting_now(rate: f64) -> Self {
        Self { began: tokio::time::Instant::now(), rate }
    }

    /// Waits for the moment of the `n`-th; at once if it has passed.
    pub async fn until(&self, n: u64) {
        let due = self.began + Duration::from_secs_f64(n as f64 / self.rate);
        tokio::time::sleep_until(due).await;
    }
}
