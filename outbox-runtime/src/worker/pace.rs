//! The rate of a replay: so many events a second, until it has come to where it began.

use std::time::Duration;

use tokio::time::Instant;

use crate::event::Position;
use crate::store::Pace;

/// How much may be saved up while nothing is read: reads stay worth their while, and no second sees
/// much more than its due.
const BURST: Duration = Duration::from_millis(200);

/// A bucket of events that may be read.
#[derive(Debug)]
pub(super) struct Pacer {
    until: Position,
    per_second: f64,
    saved: f64,
    at: Instant,
}

impl Pacer {
    /// The part of one shard of the consumer's rate.
    pub(super) fn new(pace: Pace, shards: u32, now: Instant) -> Self {
        let per_second = (pace.per_second / f64::from(shards.max(1))).max(1e-6);
        Self { until: pace.until, per_second, saved: 1.0, at: now }
    }

    /// How many events may be read now by a reader that has come this far; `None` for any number.
    pub(super) fn allowance(&mut self, mark: Position, now: Instant) -> Option<u32> {
        if mark >= self.until {
            return None;
        }
        let most = (self.per_second * BURST.as_secs_f64()).max(1.0);
        let earned = self.per_second * now.duration_since(self.at).as_secs_f64();
        self.saved = (self.saved + earned).min(most);
        self.at = now;
        Some(self.saved as u32)
    }

    /// Takes note that so many were read.
    pub(super) fn spend(&mut self, events: usize) {
        self.saved -= events as f64;
    }

    /// When the next event may be read.
    pub(super) fn next(&self) -> Instant {
        let missing = (1.0 - self.saved).max(0.0) / self.per_second;
        self.at + Duration::try_from_secs_f64(missing).unwrap_or(LONGEST).min(LONGEST)
    }
}

const LONGEST: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_the_rate_allows() {
        let start = Instant::now();
        let mut pacer = Pacer::new(Pace { until: 1_000, per_second: 400.0 }, 4, start);
        let mut read = 0;
        for ms in 0..5_000 {
            let now = start + Duration::from_millis(ms);
            let allowed = pacer.allowance(10, now).expect("it has not come to the end");
            pacer.spend(allowed as usize);
            read += allowed;
        }
        assert!((495..=502).contains(&read), "{read}");
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let start = Instant::now();
        let mut pacer = Pacer::new(Pace { until: 10, per_second: 100.0 }, 1, start);
        let later = start + Duration::from_secs(60);
        assert_eq!(pacer.allowance(0, later), Some(20));
    }

    #[test]
    fn a_rate_below_one_a_second_waits_as_long_as_it_says() {
        let start = Instant::now();
        let mut pacer = Pacer::new(Pace { until: 10, per_second: 0.1 }, 1, start);
        assert_eq!(pacer.allowance(0, start), Some(1));
        pacer.spend(1);
        assert_eq!(pacer.allowance(0, start), Some(0));
        assert_eq!(pacer.next(), start + Duration::from_secs(10));
    }

    #[test]
    fn beyond_the_replay_there_is_no_limit() {
        let start = Instant::now();
        let mut pacer = Pacer::new(Pace { until: 10, per_second: 1.0 }, 1, start);
        assert_eq!(pacer.allowance(10, start), None);
    }
}
