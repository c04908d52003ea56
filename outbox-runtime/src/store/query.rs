//! What people ask a store, and what it answers: deliveries, events, figures.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::{Position, StoredEvent};

/// The state of a delivery that has a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DeliveryState {
    /// Not due yet.
    Delayed,
    /// Failed, and due again later.
    Retrying,
    /// Behind an earlier delivery of the same key.
    Parked,
    /// For a worker that knows the event's version.
    Waiting,
    /// Given up: a dead letter.
    Dead,
}

impl DeliveryState {
    /// The word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delayed => "delayed",
            Self::Retrying => "retrying",
            Self::Parked => "parked",
            Self::Waiting => "waiting",
            Self::Dead => "dead",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Delayed, Self::Retrying, Self::Parked, Self::Waiting, Self::Dead]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

impl std::fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error that an attempt met, as stored with its delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AttemptError {
    /// Which attempt, from 1; 0 where the event could not even be decoded.
    pub attempt: u32,
    /// When, by the clock of the worker.
    pub at: DateTime<Utc>,
    /// What kind of failure: `error`, `panic`, `timeout`, `crash`, `undecodable`.
    pub kind: String,
    /// The error's message.
    pub message: String,
    /// The messages of its causes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
}

/// A delivery that has a row, as a report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeliveryInfo {
    /// The consumer.
    pub consumer: String,
    /// The event.
    pub event: StoredEvent,
    /// The state.
    pub state: DeliveryState,
    /// Attempts made.
    pub attempts: u32,
    /// When it runs by itself; `None` for never.
    pub due_at: Option<DateTime<Utc>>,
    /// Every error met so far.
    pub errors: Vec<AttemptError>,
    /// When the first attempt failed.
    pub first_failed_at: Option<DateTime<Utc>>,
}

/// Which deliveries: all conditions that are set must hold.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    pub(crate) consumer: Option<String>,
    pub(crate) state: Option<DeliveryState>,
    pub(crate) event_id: Option<Uuid>,
    pub(crate) key: Option<String>,
    pub(crate) limit: Option<u32>,
}

impl DeliveryFilter {
    /// Every delivery.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Of this consumer.
    #[must_use]
    pub fn consumer(mut self, name: impl Into<String>) -> Self {
        self.consumer = Some(name.into());
        self
    }

    /// In this state.
    #[must_use]
    pub fn state(mut self, state: DeliveryState) -> Self {
        self.state = Some(state);
        self
    }

    /// Of this event.
    #[must_use]
    pub fn event(mut self, id: Uuid) -> Self {
        self.event_id = Some(id);
        self
    }

    /// Of events with this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// At most this many (default: 1,000 in lists, no limit in changes).
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// Which events: all conditions that are set must hold.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    pub(crate) id: Option<Uuid>,
    pub(crate) name: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) caused_by: Option<Uuid>,
    pub(crate) after: Option<Position>,
    pub(crate) limit: Option<u32>,
}

impl EventFilter {
    /// Every event.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The event with this id.
    #[must_use]
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    /// Events of this name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Events with this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Events that were emitted while this one was handled.
    #[must_use]
    pub fn caused_by(mut self, id: Uuid) -> Self {
        self.caused_by = Some(id);
        self
    }

    /// Events after this position.
    #[must_use]
    pub fn after(mut self, position: Position) -> Self {
        self.after = Some(position);
        self
    }

    /// At most this many (default: 1,000).
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = Some(limit);
        self
    }
}

/// The figures of one consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumerStats {
    /// The consumer.
    pub consumer: String,
    /// The event that it takes.
    pub event_name: String,
    /// Into how many shards it is divided.
    pub shards: u32,
    /// Whether somebody has paused it.
    pub paused: bool,
    /// Committed events that are not yet handled nor have a delivery row.
    pub lag_events: u64,
    /// The age of the oldest of them; `None` when there is none.
    pub lag: Option<Duration>,
    /// Events being handled, as of the workers' last lease renewals.
    pub in_flight: u64,
    /// Deliveries not due yet.
    pub delayed: u64,
    /// Deliveries that failed and will be tried again.
    pub retrying: u64,
    /// Deliveries behind an earlier one of their key.
    pub parked: u64,
    /// Deliveries for a worker that knows the event's version.
    pub waiting: u64,
    /// Dead letters.
    pub dead: u64,
    /// The age of the oldest event that is not delivered, dead letters not counted.
    pub oldest_undelivered: Option<Duration>,
    /// By how much the oldest event that it has not handled is older than events are kept: it keeps
    /// its events from being deleted. `None` while it does not.
    pub holds_retention: Option<Duration>,
    /// Events handled since the consumer began.
    pub handled: u64,
    /// Failed attempts that were retried since the consumer began.
    pub retried: u64,
    /// Deliveries that became dead letters since the consumer began.
    pub dead_total: u64,
}

/// The earlier of two times that may not be there.
pub(crate) fn earliest(
    one: Option<DateTime<Utc>>,
    other: Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// How long ago something was; nothing where clocks disagree.
pub(crate) fn age(now: DateTime<Utc>, then: DateTime<Utc>) -> Duration {
    (now - then).to_std().unwrap_or_default()
}

/// By how much an age exceeds how long events are kept, in microseconds.
pub(crate) fn beyond(age: Option<Duration>, retain_us: Option<i64>) -> Option<Duration> {
    let retain = Duration::from_micros(retain_us?.unsigned_abs());
    age?.checked_sub(retain).filter(|beyond| !beyond.is_zero())
}
