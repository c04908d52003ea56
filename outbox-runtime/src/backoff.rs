//! Waiting longer after each failure of the database, and not at all after a success.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
/// Short enough to go on soon after the database is back, and one statement in so long a time is
/// nothing to it.
const LONGEST: Duration = Duration::from_secs(2);

/// Doubling pauses with jitter.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn next_pause(&mut self) -> Duration {
        let pause = FIRST.saturating_mul(1 << self.failures.min(20)).min(LONGEST);
        self.failures += 1;
        pause.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// A short pause that lets the other party of a conflict go first.
    pub(crate) async fn brief(&mut self) {
        self.failures = (self.failures + 1).min(6);
        let longest = Duration::from_millis(1 << self.failures);
        tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
    }
}
