//! What happens after an attempt: a pure decision.

use std::time::Duration;

use crate::consumer::ConsumerError;

/// How often and how soon a consumer tries again.
///
/// The default is ten attempts, with exponential backoff from 1 s to 15 min and full jitter
/// (Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015): before attempt
/// n + 1 the wait is uniform between `min` and `min * 2^n`, capped at `max`.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) min: Duration,
    pub(crate) max: Duration,
    pub(crate) custom: Option<RetryFn>,
}

/// Full control over retries: decides after each failed attempt.
pub type RetryFn = fn(&Attempt, &ConsumerError) -> Retry;

/// The attempt that just failed.
// Not `Copy`: clippy would ask for it by value in functions that are a `RetryFn`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// Which attempt it was, from 1.
    pub number: u32,
    /// The consumer's limit.
    pub max: u32,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Try again after this time.
    After(Duration),
    /// Give up: the delivery becomes a dead letter.
    Dead,
}

impl RetryPolicy {
    /// Ten attempts, 1 s to 15 min.
    pub const DEFAULT: Self =
        Self::exponential(10, Duration::from_secs(1), Duration::from_secs(900));

    /// One attempt: the first failure is final.
    pub const NONE: Self = Self::exponential(1, Duration::ZERO, Duration::ZERO);

    /// Exponential backoff with full jitter between `min` and `max`.
    #[must_use]
    pub const fn exponential(max_attempts: u32, min: Duration, max: Duration) -> Self {
        Self { max_attempts, min, max, custom: None }
    }

    /// A function decides, at most `max_attempts` times.
    #[must_use]
    pub const fn custom(max_attempts: u32, decide: RetryFn) -> Self {
        Self {
            custom: Some(decide),
            ..Self::exponential(max_attempts, Duration::ZERO, Duration::ZERO)
        }
    }

    /// How many attempts a delivery has.
    #[must_use]
    pub const fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The least and the greatest wait between attempts, before jitter; none where a function
    /// decides, or there is no second attempt.
    #[must_use]
    pub const fn backoff_range(&self) -> Option<(Duration, Duration)> {
        if self.custom.is_some() || self.max_attempts <= 1 {
            return None;
        }
        Some((self.min, self.max))
    }

    /// Whether a function decides.
    #[must_use]
    pub const fn is_custom(&self) -> bool {
        self.custom.is_some()
    }

    /// Decides after attempt `number` (from 1) failed; `jitter` is uniform in 0 to 1.
    pub(crate) fn after(&self, number: u32, error: &ConsumerError, jitter: f64) -> Retry {
        if error.is_permanent() || number >= self.max_attempts {
            return Retry::Dead;
        }
        if let Some(wait) = error.wait() {
            return Retry::After(wait);
        }
        if let Some(decide) = self.custom {
            return decide(&Attempt { number, max: self.max_attempts }, error);
        }
        Retry::After(self.backoff(number, jitter))
    }

    pub(crate) fn backoff(&self, number: u32, jitter: f64) -> Duration {
        let doublings = number.min(30);
        let ceiling = self.min.saturating_mul(1 << doublings).min(self.max);
        let spread = ceiling.saturating_sub(self.min);
        self.min.min(self.max) + spread.mul_f64(jitter.clamp(0.0, 1.0))
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy =
        RetryPolicy::exponential(3, Duration::from_secs(1), Duration::from_secs(5));

    #[test]
    fn backoff_doubles_up_to_the_maximum_and_never_below_the_minimum() {
        assert_eq!(POLICY.backoff(1, 0.0), Duration::from_secs(1));
        assert_eq!(POLICY.backoff(1, 1.0), Duration::from_secs(2));
        assert_eq!(POLICY.backoff(2, 1.0), Duration::from_secs(4));
        assert_eq!(POLICY.backoff(3, 1.0), Duration::from_secs(5));
        assert_eq!(POLICY.backoff(4_000_000, 1.0), Duration::from_secs(5));
    }

    #[test]
    fn the_last_attempt_and_permanent_errors_are_dead() {
        let error = ConsumerError::from("no");
        assert!(matches!(POLICY.after(2, &error, 0.0), Retry::After(_)));
        assert_eq!(POLICY.after(3, &error, 0.0), Retry::Dead);
        assert_eq!(POLICY.after(1, &ConsumerError::permanent("no"), 0.0), Retry::Dead);
    }

    #[test]
    fn a_policy_says_how_it_waits() {
        let seconds = Duration::from_secs;
        assert_eq!(POLICY.backoff_range(), Some((seconds(1), seconds(5))));
        assert_eq!(RetryPolicy::NONE.backoff_range(), None);
        let custom = RetryPolicy::custom(3, |_, _| Retry::Dead);
        assert!(custom.is_custom() && custom.backoff_range().is_none());
    }

    #[test]
    fn an_error_may_name_its_own_wait() {
        let error = ConsumerError::retry_after(Duration::from_secs(77), "later");
        assert_eq!(POLICY.after(1, &error, 0.0), Retry::After(Duration::from_secs(77)));
        assert_eq!(POLICY.after(3, &error, 0.0), Retry::Dead);
    }
}
