//! Who works on what, and how fast: workers, shards, rates.

// The signatures of `Store` name `Sample`, and `Store` is named by the public `Backend`.
#![allow(unreachable_pub)]

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A worker, as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// Its id, new for each start.
    pub id: Uuid,
    /// The name of its machine.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// The version of this crate that it was built with.
    pub version: String,
    /// The consumers that it knows.
    pub consumers: Vec<String>,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it last said that it lives.
    pub heartbeat_at: DateTime<Utc>,
    /// Whether that was within the length of its lease.
    pub alive: bool,
    /// Whether it was told to stop, and waits for its handlers.
    pub leaving: bool,
    /// How many shards it has.
    pub shards: u32,
}

/// A shard of a consumer: who has it, and its newest checkpoint.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ShardInfo {
    /// The consumer.
    pub consumer: String,
    /// The shard's number, from 0.
    pub shard: u32,
    /// The worker that has the lease; `None` where nobody has.
    pub worker: Option<Uuid>,
    /// Until when the lease lasts without renewal.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it has expired: its worker is dead, and the next one has not come yet.
    pub expired: bool,
    /// How often the lease changed hands.
    pub epoch: u64,
    /// Events being handled, as of the last renewal.
    pub in_flight: u32,
    /// The number of the checkpoint.
    pub seq: i64,
    /// The progress that it says, in the form that the store keeps.
    pub progress: serde_json::Value,
    /// When it was appended.
    pub recorded_at: DateTime<Utc>,
    /// Events handled since the consumer began.
    pub handled: u64,
    /// Failed attempts that were retried.
    pub retried: u64,
    /// Deliveries that became dead letters.
    pub dead: u64,
    /// Whether it has stopped for the other shards, because their number is changing.
    pub drained: bool,
}

/// What a consumer did in a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// When the span began.
    pub from: DateTime<Utc>,
    /// How long it was.
    pub span: Duration,
    /// Events handled in it.
    pub handled: u64,
    /// Failed attempts that were retried.
    pub retried: u64,
    /// Deliveries that became dead letters.
    pub dead: u64,
}

impl Rate {
    /// Events handled a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.handled as f64 / self.span.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// What a shard had done by the end of a span of time: cumulative.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Sample {
    pub(crate) shard: u32,
    /// The number of the span, from 1970 on.
    pub(crate) slot: i64,
    pub(crate) handled: i64,
    pub(crate) retried: i64,
    pub(crate) dead: i64,
}

/// The rates between samples, which are in the order of shards and time: those of all shards
/// together. A shard's first sample only says where it began.
pub(crate) fn rates(samples: &[Sample], step: Duration) -> Vec<Rate> {
    let mut slots = BTreeMap::<i64, [i64; 3]>::new();
    for pair in samples.windows(2) {
        let [before, after] = [pair[0], pair[1]];
        if before.shard != after.shard {
            continue;
        }
        let sums = slots.entry(after.slot).or_default();
        // A consumer that began anew after it was retired counts from zero.
        sums[0] += (after.handled - before.handled).max(0);
        sums[1] += (after.retried - before.retried).max(0);
        sums[2] += (after.dead - before.dead).max(0);
    }
    let step_us = i64::try_from(step.as_micros()).unwrap_or(i64::MAX);
    let rates = slots.into_iter().filter_map(|(slot, [handled, retried, dead])| {
        Some(Rate {
            from: DateTime::from_timestamp_micros(slot.checked_mul(step_us)?)?,
            span: step,
            handled: handled.unsigned_abs(),
            retried: retried.unsigned_abs(),
            dead: dead.unsigned_abs(),
        })
    });
    rates.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_what_was_done_between_checkpoints() {
        let sample = |shard, slot, handled| Sample { shard, slot, handled, retried: 0, dead: 1 };
        let samples = [
            sample(0, 5, 100),
            sample(0, 6, 160),
            sample(0, 8, 170),
            sample(1, 5, 7),
            sample(1, 6, 9),
        ];
        let seen: Vec<_> = rates(&samples, Duration::from_secs(10))
            .iter()
            .map(|rate| (rate.from.timestamp(), rate.handled, rate.per_second()))
            .collect();
        assert_eq!(seen, [(60, 62, 6.2), (80, 10, 1.0)]);
    }
}
