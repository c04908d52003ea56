//! Telling whoever watches what became of each delivery.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::decide::Next;
use super::queue::Item;
use crate::event::Position;
use crate::store::{AttemptError, DeliveryState, ShardId};

/// A change of a delivery's status, told after it has been recorded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Notice {
    /// The consumer.
    pub consumer: &'static str,
    /// The event's id.
    pub event_id: Uuid,
    /// The event's name.
    pub event_name: String,
    /// The event's position.
    pub position: Position,
    /// The event's key.
    pub key: Option<String>,
    /// Which attempt, from 1; 0 where none was made.
    pub attempt: u32,
    /// What happened.
    pub change: Change,
}

/// What happened to a delivery.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Handled.
    Delivered,
    /// Not wanted by the consumer's `when`, or skipped by its handler.
    Skipped,
    /// Snoozed for this long; the attempt does not count.
    Snoozed(Duration),
    /// Failed, and due again after this time.
    Retrying(Duration, AttemptError),
    /// A dead letter.
    Dead(AttemptError),
    /// Delayed by the consumer's `delay`.
    Delayed,
    /// Behind an earlier delivery of its key.
    Parked,
    /// For a worker that knows the event's version.
    Waiting,
}

impl From<&Next> for Change {
    fn from(next: &Next) -> Self {
        match next {
            Next::Done { outcome: "done", .. } => Self::Delivered,
            Next::Done { .. } => Self::Skipped,
            Next::Later { wait } => Self::Snoozed(*wait),
            Next::Retry { wait, error } => Self::Retrying(*wait, error.clone()),
            Next::Dead { error } => Self::Dead(error.clone()),
        }
    }
}

impl From<DeliveryState> for Change {
    /// Of the states that an event gets on reading.
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Delayed => Self::Delayed,
            DeliveryState::Waiting => Self::Waiting,
            DeliveryState::Parked | DeliveryState::Retrying | DeliveryState::Dead => Self::Parked,
        }
    }
}

impl Change {
    /// Says in the log what somebody may have to look at.
    pub(super) fn log(&self, shard: &ShardId, item: &Item) {
        let (event, id, attempt) = (&item.event.name, item.event.id, item.attempt());
        match self {
            Self::Retrying(wait, error) => tracing::info!(
                %shard, event, %id, attempt, error = error.message, retry_in = ?wait,
                "a delivery failed and will be tried again"
            ),
            Self::Dead(error) => tracing::warn!(
                %shard, event, %id, attempt, kind = error.kind, error = error.message,
                "a delivery is a dead letter: redrive or discard it"
            ),
            _ => {}
        }
    }
}

impl Notice {
    pub(super) fn new(consumer: &'static str, item: &Item, change: Change) -> Self {
        let attempt = match change {
            Change::Delayed | Change::Parked | Change::Waiting => item.attempts,
            _ => item.attempt(),
        };
        Self {
            consumer,
            event_id: item.event.id,
            event_name: item.event.name.clone(),
            position: item.event.position,
            key: item.event.key.clone(),
            attempt,
            change,
        }
    }
}

/// The callback, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Option<Arc<Callback>>);

type Callback = dyn Fn(&Notice) + Send + Sync;

impl Hooks {
    pub(crate) fn new(callback: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(callback)))
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn publish(&self, notice: &Notice) {
        if let Some(callback) = &self.0 {
            // A panic in it is its own affair, and has been reported by the panic hook.
            let _ = catch_unwind(AssertUnwindSafe(|| callback(notice)));
        }
    }
}
