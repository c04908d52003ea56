//! What retention asks a store: how far each shard has come, and what lies in a range of the log.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::event::Position;

/// Which events a shard still needs: those of its name and slice that lie beyond what it has
/// handled. Read from the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub(crate) consumer: String,
    pub(crate) event_name: String,
    pub(crate) shard: u32,
    pub(crate) shards: u32,
    /// It has handled every one of its events up to this position, as far as anybody can see.
    pub(crate) handled: Position,
    /// It takes no event from before.
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// Transactions whose events it has not handled beyond `late_after`, wherever that lies, and
    /// those of which it has handled none (on Postgres).
    pub(crate) late: Vec<String>,
    pub(crate) late_after: Position,
    pub(crate) late_in_window: Vec<String>,
}

/// A [`Need`] as the statements read it.
#[derive(Debug, Serialize)]
pub(crate) struct NeedValues<'n, T> {
    consumer: &'n str,
    name: &'n str,
    shard: u32,
    shards: u32,
    handled: Position,
    not_before: Option<T>,
    late: &'n [String],
    late_after: Position,
    late_in_window: &'n [String],
}

impl Need {
    pub(crate) fn values<T>(&self, time: impl Fn(DateTime<Utc>) -> T) -> NeedValues<'_, T> {
        NeedValues {
            consumer: &self.consumer,
            name: &self.event_name,
            shard: self.shard,
            shards: self.shards,
            handled: self.handled,
            not_before: self.not_before.map(time),
            late: &self.late,
            late_after: self.late_after,
            late_in_window: &self.late_in_window,
        }
    }
}

/// What lies in a range of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The first event, and the last position that was looked at; `None` where there is no event.
    pub(crate) bounds: Option<(Position, Position)>,
    /// The first event that is too young.
    pub(crate) young_from: Option<Position>,
    /// The last event that is old enough.
    pub(crate) old_up_to: Option<Position>,
    /// Events that are old enough and that nobody needs.
    pub(crate) deletable: u64,
    /// Events that are old enough and kept for a consumer.
    pub(crate) held: u64,
}

/// A row of `examine_range`: first, last, first young, last old, deletable, held.
pub(crate) type RangeRow =
    (Option<Position>, Option<Position>, Option<Position>, Option<Position>, i64, i64);

impl From<RangeRow> for Range {
    fn from((first, last, young_from, old_up_to, deletable, held): RangeRow) -> Self {
        Self {
            bounds: first.zip(last),
            young_from,
            old_up_to,
            deletable: deletable.unsigned_abs(),
            held: held.unsigned_abs(),
        }
    }
}
