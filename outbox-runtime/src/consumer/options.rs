//! How a consumer is run: everything that `#[consumer(...)]` can say, as a constant.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::retry::RetryPolicy;

/// The options of a consumer, built in const context.
///
/// ```
/// use std::time::Duration;
/// use outbox_runtime::ConsumerOptions;
///
/// const OPTIONS: ConsumerOptions =
///     ConsumerOptions::new("email.receipt").timeout(Duration::from_secs(20)).concurrency(64);
/// assert_eq!(OPTIONS.name, "email.receipt");
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConsumerOptions {
    /// The permanent name: it owns the consumer's progress and deliveries.
    pub name: &'static str,
    /// How the consumer's effects relate to its progress.
    pub mode: DeliveryMode,
    /// Whether events of one key are handled one after another.
    pub ordered: bool,
    /// How many handlers of one shard run at once.
    pub concurrency: u32,
    /// Into how many slices of keys the consumer is divided.
    pub shards: u32,
    /// What happens after a failed attempt.
    pub retry: RetryPolicy,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How events are gathered for a batch handler.
    pub batch: Option<BatchOptions>,
    /// Where a consumer that was never seen before begins.
    pub start: Start,
    /// What a dead letter of an ordered consumer does to its key.
    pub on_dead: OnDead,
    /// Whether every delivery's outcome and note are kept.
    pub audit: bool,
}

/// How a consumer's effects relate to its progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryMode {
    /// Effects outside: an attempt that was not recorded is repeated.
    AtLeastOnce,
    /// Effects in the database, in the transaction that records the progress: exactly once.
    Tx,
}

/// Where a consumer that was never seen before begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Events committed after the consumer's first registration.
    Now,
    /// Every event in the log.
    Beginning,
    /// Events appended at or after this time.
    At(DateTime<Utc>),
}

/// What a dead letter of an ordered consumer does to the later events of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDead {
    /// They wait until the dead letter is redriven or discarded.
    Hold,
    /// They go on without it.
    Continue,
}

/// How events are gathered for a batch handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// At most this many events.
    pub max: u32,
    /// At most this long after the first one arrived.
    pub wait: Duration,
}

impl ConsumerOptions {
    /// At least once, unordered, 16 at a time, one shard, [`RetryPolicy::DEFAULT`], a timeout of
    /// 60 s, from now on, dead letters of ordered keys hold the key.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            mode: DeliveryMode::AtLeastOnce,
            ordered: false,
            concurrency: 16,
            shards: 1,
            retry: RetryPolicy::DEFAULT,
            timeout: Duration::from_secs(60),
            batch: None,
            start: Start::Now,
            on_dead: OnDead::Hold,
            audit: false,
        }
    }

    /// Effects in the database, exactly once.
    #[must_use]
    pub const fn tx(mut self) -> Self {
        self.mode = DeliveryMode::Tx;
        self
    }

    /// Events of one key one after another.
    #[must_use]
    pub const fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// Handlers of one shard at once; at least 1.
    #[must_use]
    pub const fn concurrency(mut self, handlers: u32) -> Self {
        self.concurrency = if handlers == 0 { 1 } else { handlers };
        self
    }

    /// Slices of keys; at least 1.
    #[must_use]
    pub const fn shards(mut self, shards: u32) -> Self {
        self.shards = if shards == 0 { 1 } else { shards };
        self
    }

    /// What happens after a failed attempt.
    #[must_use]
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How long one attempt may take.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The handler takes up to `max` events at a time, at most `wait` after the first arrived.
    #[must_use]
    pub const fn batch(mut self, max: u32, wait: Duration) -> Self {
        self.batch = Some(BatchOptions { max: if max == 0 { 1 } else { max }, wait });
        self
    }

    /// Where a consumer that was never seen before begins.
    #[must_use]
    pub const fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// What a dead letter of an ordered consumer does to its key.
    #[must_use]
    pub const fn on_dead(mut self, on_dead: OnDead) -> Self {
        self.on_dead = on_dead;
        self
    }

    /// Keep every delivery's outcome and note.
    #[must_use]
    pub const fn audit(mut self) -> Self {
        self.audit = true;
        self
    }
}
