//! What follows from an attempt: a pure decision, and the changes that it makes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use chrono::Utc;

use super::queue::{Item, Source};
use crate::consumer::{ConsumerError, ConsumerOptions, Failure, OnDead, Outcome};
use crate::event::DecodeError;
use crate::key::key_hash;
use crate::retry::{Retry, RetryPolicy};
use crate::store::{
    AttemptError, AuditEntry, Changes, DeliveryState, Due, NewDelivery, UpdatedDelivery,
};

/// Longest time that a delivery is put off: a century, which both databases can add to now.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Longest message of an error that is stored.
const MAX_MESSAGE_BYTES: usize = 8 * 1024;

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Outcome(Outcome),
    Error(ConsumerError),
    Undecodable(DecodeError),
    Panicked(String),
    TimedOut(Duration),
    /// The worker that made the attempt died.
    Crashed,
}

impl Ended {
    /// The same end for each event of a batch.
    pub(crate) fn for_each(self, len: usize) -> Vec<Self> {
        let each = |_| match &self {
            Self::TimedOut(after) => Self::TimedOut(*after),
            Self::Crashed => Self::Crashed,
            Self::Panicked(message) => Self::Panicked(message.clone()),
            Self::Undecodable(error) => Self::Undecodable(error.clone()),
            Self::Outcome(outcome) => Self::Outcome(outcome.clone()),
            Self::Error(error) => Self::Error(error.to_string().into()),
        };
        (0..len).map(each).collect()
    }
}

impl From<Result<Outcome, Failure>> for Ended {
    fn from(verdict: Result<Outcome, Failure>) -> Self {
        match verdict {
            Ok(outcome) => Self::Outcome(outcome),
            Err(Failure::Error(error)) => Self::Error(error),
            Err(Failure::Undecodable(error)) => Self::Undecodable(error),
        }
    }
}

/// What happens to a delivery.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    /// Delivered; what the audit says of it.
    Done { outcome: &'static str, note: Option<String> },
    /// Snoozed: the attempt does not count.
    Later { wait: Duration },
    /// Failed, and tried again.
    Retry { wait: Duration, error: AttemptError },
    /// A dead letter.
    Dead { error: AttemptError },
}

impl Next {
    /// Decides. `jitter` is uniform in 0 to 1.
    pub(crate) fn after(
        ended: Ended,
        attempt: u32,
        options: &ConsumerOptions,
        jitter: f64,
    ) -> Self {
        let (kind, error) = match ended {
            Ended::Outcome(Outcome::Done(note)) => return Self::Done { outcome: "done", note },
            Ended::Outcome(Outcome::Skipped(reason)) => {
                return Self::Done { outcome: "skipped", note: Some(reason) };
            }
            Ended::Outcome(Outcome::Snoozed(wait)) => {
                return Self::Later { wait: wait.min(LONGEST_WAIT) };
            }
            Ended::Undecodable(error) => {
                let error = describe("undecodable", attempt, &ConsumerError::from(error));
                return Self::Dead { error };
            }
            Ended::Error(error) => ("error", error),
            Ended::Panicked(message) => {
                ("panic", ConsumerError::from(format!("panicked: {message}")))
            }
            Ended::TimedOut(after) => {
                ("timeout", ConsumerError::from(format!("timed out after {after:?}")))
            }
            Ended::Crashed => ("crash", ConsumerError::from("the worker died during this attempt")),
        };
        // The texts and the policy may be the user's code.
        let decide = || {
            let described = describe(kind, attempt, &error);
            (described, options.retry.after(attempt, &error, jitter))
        };
        let (error, retry) = catch_unwind(AssertUnwindSafe(decide)).unwrap_or_else(|_panic| {
            let RetryPolicy { min, max, .. } = RetryPolicy::DEFAULT;
            let policy = RetryPolicy::exponential(options.retry.max_attempts, min, max);
            let error =
                ConsumerError::from("the error, or the function that decides on it, panicked");
            (describe("panic", attempt, &error), policy.after(attempt, &error, jitter))
        });
        match retry {
            Retry::After(wait) => Self::Retry { wait: wait.min(LONGEST_WAIT), error },
            Retry::Dead => Self::Dead { error },
        }
    }

    /// Whether later events of the same key must wait, where the consumer is ordered.
    pub(crate) fn holds_key(&self, options: &ConsumerOptions) -> bool {
        match self {
            Self::Done { .. } => false,
            Self::Later { .. } | Self::Retry { .. } => true,
            Self::Dead { .. } => options.on_dead == OnDead::Hold,
        }
    }

    /// Adds the changes to what is recorded with the next checkpoint.
    pub(crate) fn change(&self, item: &Item, options: &ConsumerOptions, changes: &mut Changes) {
        let (state, attempts, due, error) = match self {
            Self::Done { outcome, note } => {
                if item.has_row() {
                    changes.delete.push(item.position());
                }
                if options.audit {
                    changes.audit.push(audit(item, outcome, note.clone()));
                }
                free_key(item, options, changes);
                return;
            }
            Self::Later { wait } => {
                (DeliveryState::Delayed, item.attempt() - 1, Due::In(*wait), None)
            }
            Self::Retry { wait, error } => {
                (DeliveryState::Retrying, item.attempt(), Due::In(*wait), Some(error))
            }
            Self::Dead { error } => {
                if options.audit {
                    changes.audit.push(audit(item, "dead", Some(error.message.clone())));
                }
                if options.on_dead == OnDead::Continue {
                    free_key(item, options, changes);
                }
                (DeliveryState::Dead, item.attempt(), Due::Never, Some(error))
            }
        };
        if item.has_row() {
            changes.update.push(UpdatedDelivery {
                position: item.position(),
                state,
                attempts,
                due,
                started: false,
                error: error.cloned(),
            });
        } else {
            changes.insert.push(new_delivery(item, state, attempts, due, error.cloned()));
        }
    }
}

/// A row for an item that has none.
pub(crate) fn new_delivery(
    item: &Item,
    state: DeliveryState,
    attempts: u32,
    due: Due,
    error: Option<AttemptError>,
) -> NewDelivery {
    NewDelivery {
        event: std::sync::Arc::clone(&item.event),
        key_hash: key_hash(item.key(), item.event.id),
        state,
        attempts,
        due,
        started: false,
        error,
    }
}

/// Records an attempt before it begins; the item has a row from then on.
pub(crate) fn begin_recorded(item: &Item, changes: &mut Changes) -> Item {
    let attempts = item.attempts + 1;
    match item.source {
        Source::Log => {
            let row = new_delivery(
                item,
                DeliveryState::Retrying,
                attempts,
                Due::In(Duration::ZERO),
                None,
            );
            changes.insert.push(NewDelivery { started: true, ..row });
        }
        Source::Row { .. } | Source::Begun => changes.update.push(UpdatedDelivery {
            position: item.position(),
            state: DeliveryState::Retrying,
            attempts,
            due: Due::In(Duration::ZERO),
            started: true,
            error: None,
        }),
    }
    Item { attempts, source: Source::Begun, ..item.clone() }
}

fn free_key(item: &Item, options: &ConsumerOptions, changes: &mut Changes) {
    if options.ordered
        && item.has_row()
        && let Some(key) = item.key()
        && !changes.release.iter().any(|other| other == key)
    {
        changes.release.push(key.to_owned());
    }
}

fn audit(item: &Item, outcome: &'static str, note: Option<String>) -> AuditEntry {
    AuditEntry {
        position: item.position(),
        event_id: item.event.id,
        outcome,
        note: note.map(|note| storable(&note)),
        attempt: item.attempt(),
    }
}

fn describe(kind: &str, attempt: u32, error: &ConsumerError) -> AttemptError {
    AttemptError {
        attempt,
        at: Utc::now(),
        kind: kind.to_owned(),
        message: storable(&error.to_string()),
        chain: error.chain().iter().map(|message| storable(message)).collect(),
    }
}

/// Text that both databases can store: without NUL characters, of bounded length.
fn storable(text: &str) -> String {
    let mut end = text.len().min(MAX_MESSAGE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retry::RetryPolicy;

    const OPTIONS: ConsumerOptions = ConsumerOptions::new("c").retry(RetryPolicy::exponential(
        2,
        Duration::ZERO,
        Duration::ZERO,
    ));

    fn after(ended: Ended, attempt: u32) -> Next {
        Next::after(ended, attempt, &OPTIONS, 0.5)
    }

    #[test]
    fn every_failure_is_retried_until_the_attempts_are_used_up() {
        for (ended, kind) in [
            (Ended::Error("no".into()), "error"),
            (Ended::Panicked("no".to_owned()), "panic"),
            (Ended::TimedOut(Duration::from_secs(1)), "timeout"),
            (Ended::Crashed, "crash"),
        ] {
            match after(ended, 1) {
                Next::Retry { error, .. } => assert_eq!(error.kind, kind),
                other => panic!("{kind}: {other:?}"),
            }
        }
        assert!(matches!(after(Ended::Crashed, 2), Next::Dead { .. }));
    }

    #[test]
    fn an_undecodable_payload_is_dead_at_once() {
        assert!(matches!(after(Ended::Undecodable(DecodeError::new("x")), 1), Next::Dead { .. }));
    }

    #[test]
    fn messages_are_storable() {
        assert_eq!(storable("a\0b"), "a\u{fffd}b");
        assert_eq!(storable(&"é".repeat(10_000)).len(), MAX_MESSAGE_BYTES);
    }
}
