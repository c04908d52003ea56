//! Changing a consumer while workers run it.
//!
//! A change is one transaction: the consumer's row is locked, a checkpoint is appended to every
//! ledger that is concerned (the fence: what a worker is about to record collides with it), and the
//! row is saved under a new revision, which workers notice. A worker learns its orders when it takes
//! a shard over, after it has appended a checkpoint of its own: so no worker acts on orders that a
//! later change has made obsolete, and whatever dies half-way has changed nothing.

// The signatures of `Store` name these types, and `Store` is named by the public `Backend`; the
// module itself is private.
#![allow(unreachable_pub)]

use std::future::Future;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::loan::Transaction;
use super::types::{NewDelivery, Pace, Totals};
use super::{Backend, Progress};
use crate::error::Result;
use crate::event::{Position, StoredEvent};

/// The statements that changes of a consumer are made of.
#[doc(hidden)]
pub trait Control: Clone + Send + Sync + 'static {
    type Db: Backend;
    type Progress: Progress;

    /// Whether statements and their answers travel over a network, which may lose them without a
    /// word.
    const IS_REMOTE: bool;

    /// Begins a transaction in which a consumer is changed: each statement sees what was committed
    /// before it.
    fn begin_control(&self) -> impl Future<Output = Result<Transaction<Self::Db>>> + Send;

    /// Locks a consumer: nobody else changes it until the transaction ends.
    fn lock_consumer(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
    ) -> impl Future<Output = Result<Option<ConsumerRow<Self::Progress>>>> + Send;

    /// Saves what was changed of a consumer, under a new revision.
    fn save_consumer(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &ConsumerRow<Self::Progress>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// The newest checkpoint of each shard that the consumer ever had.
    fn ledgers(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
    ) -> impl Future<Output = Result<Vec<Ledger<Self::Progress>>>> + Send;

    /// Appends a checkpoint that says what the last one did, and returns it: what a worker is about
    /// to record collides. `None` for a shard that never was.
    fn fence(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
        shard: u32,
    ) -> impl Future<Output = Result<Option<Ledger<Self::Progress>>>> + Send;

    /// Changes the checkpoint that [`fence`](Self::fence) has appended in this transaction.
    fn amend(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
        ledger: &Ledger<Self::Progress>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// The first checkpoint of a shard that never was.
    fn open_ledger(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
        shard: u32,
        progress: &Self::Progress,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Deletes the leases of a consumer's shards from this one on.
    fn drop_leases(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
        from: u32,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Deletes the row of a consumer's deliveries from this position on, where the event is in the log.
    fn forget_deliveries(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
        from: Position,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Deletes the row of one delivery, and lets what was parked behind it go on; returns whether
    /// there was one.
    fn delete_delivery(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
        event: Uuid,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// Deletes everything that a consumer has besides its row and its ledgers; returns how many
    /// deliveries.
    fn clear_consumer(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// How many shards of a consumer a worker has.
    fn live_leases(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// Pauses or resumes a key; what was parked for it may run then. Returns whether that changed
    /// anything.
    fn set_key_paused(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &ConsumerRow<Self::Progress>,
        key: &str,
        paused: bool,
    ) -> impl Future<Output = Result<bool>> + Send;

    /// How many events a shard has not handled.
    fn count_unhandled(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &ConsumerRow<Self::Progress>,
        ledger: &Ledger<Self::Progress>,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// How many events of a span a shard has handled.
    fn count_handled(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &ConsumerRow<Self::Progress>,
        ledger: &Ledger<Self::Progress>,
        span: &Span,
    ) -> impl Future<Output = Result<u64>> + Send;

    /// The first events of a span that a shard has handled.
    fn handled(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &ConsumerRow<Self::Progress>,
        ledger: &Ledger<Self::Progress>,
        span: &Span,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<StoredEvent>>> + Send;

    /// Gives deliveries rows; returns how many had none.
    fn insert_rows(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        consumer: &str,
        rows: &[NewDelivery],
    ) -> impl Future<Output = Result<u64>> + Send;

    /// The first position at or after this time.
    fn position_since(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        time: DateTime<Utc>,
    ) -> impl Future<Output = Result<Option<Position>>> + Send;

    /// Where an event is in the log: its position, the hash of its key, its name.
    fn place_of(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        event: Uuid,
    ) -> impl Future<Output = Result<Option<(Position, i32, String)>>> + Send;
}

/// The row of a consumer, locked.
#[derive(Clone, Debug)]
pub struct ConsumerRow<P> {
    pub(crate) name: String,
    pub(crate) event_name: String,
    pub(crate) shards: u32,
    pub(crate) ordered: bool,
    pub(crate) paused: bool,
    pub(crate) retired: bool,
    pub(crate) not_before: Option<DateTime<Utc>>,
    /// The number of shards that is wanted, and where the present ones stop for it.
    pub(crate) resharding: Option<Resharding<P>>,
    pub(crate) pace: Option<Pace>,
}

/// A change of the number of shards that is going on.
#[derive(Clone, Debug)]
pub struct Resharding<P> {
    pub(crate) target: u32,
    /// Where the shards meet; `None` until all of them stand still.
    pub(crate) barrier: Option<P>,
}

/// The newest checkpoint of a shard.
#[derive(Clone, Debug)]
pub struct Ledger<P> {
    pub(crate) shard: u32,
    pub(crate) seq: i64,
    pub(crate) progress: P,
    pub(crate) completed: Vec<Position>,
    pub(crate) totals: Totals,
    pub(crate) drained: bool,
}

impl<P: Progress> Ledger<P> {
    /// The checkpoint of a consumer that begins anew after it was retired.
    pub(crate) fn anew(&self, progress: P) -> Self {
        let (completed, totals) = (Vec::new(), Totals::default());
        Self { shard: self.shard, seq: self.seq, progress, completed, totals, drained: false }
    }

    /// Moves back: everything from this position on is unhandled, and what was unhandled before it
    /// still is.
    pub(crate) fn rewind(&mut self, to: Position) {
        self.progress = self.progress.rewound(to);
        self.completed.retain(|position| *position < to);
    }

    /// Moves on: what is committed by `now` and lies before this position is done with. What was
    /// handled beyond its progress may be beyond `now` as well, so the list stays.
    pub(crate) fn skip(&mut self, to: Position, now: &P) {
        self.progress = self.progress.skipped(to, now);
    }
}

/// Which events of a consumer are to be delivered again.
#[derive(Clone, Debug, Default)]
pub struct Span {
    pub(crate) from: Position,
    pub(crate) until: Option<Position>,
    pub(crate) since: Option<DateTime<Utc>>,
    pub(crate) before: Option<DateTime<Utc>>,
    pub(crate) key: Option<String>,
    pub(crate) ids: Option<Vec<Uuid>>,
}
