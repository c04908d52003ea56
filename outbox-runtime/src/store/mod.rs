//! The seam between the engine and a database: what is stored, in the engine's words.
//!
//! A store does exactly what it is told, in one transaction where the caller passes one. Decisions
//! (retry, order, what to read next) are made above it; how a log is read without losing an event
//! is its own business, hidden in its [`Progress`].

mod connections;
pub(crate) mod control;
pub(crate) mod fleet;
#[cfg(test)]
#[cfg(feature = "postgres")]
mod idle_pool;
pub(crate) mod line;
pub(crate) mod loan;
pub(crate) mod migrate;
mod namespace;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod query;
pub(crate) mod relay;
pub(crate) mod retention;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
pub(crate) mod types;

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Pool;
use uuid::Uuid;

use crate::clock::Clock;
use crate::error::Result;
use crate::event::{Emitted, Position, StoredEvent};

pub use connections::tidy_pool;
#[allow(unreachable_pub)]
pub use connections::{Connections, Dialect};
pub(crate) use control::{ConsumerRow, Control, Ledger, Resharding, Span};
pub(crate) use fleet::Sample;
pub use fleet::{Rate, ShardInfo, WorkerInfo};
use line::Line;
use loan::Transaction;
pub(crate) use migrate::TABLES_ARE_MISSING;
pub(crate) use namespace::{Namespace, Sql};
pub use query::{
    AttemptError, ConsumerStats, DeliveryFilter, DeliveryInfo, DeliveryState, EventFilter,
};
pub(crate) use types::{
    AuditEntry, ChangeStatement, ChangedRow, Changes, Checkpoint, DeliveryRow, Due, DueQuery, FEW,
    Fleet, Heartbeat, Member, NewDelivery, NewEvent, Orders, Pace, Page, Place, Probed, Pulse,
    Recorded, Registered, Registration, ShardId, Signal, Slice, Stop, Taken, UpdatedDelivery,
};

/// Declares the statements of a store: one field and one file for each.
macro_rules! statements {
    ($name:ident: $($statement:ident),+ $(,)?) => {
        #[derive(Debug)]
        struct $name {
            $($statement: $crate::store::Sql),+
        }

        impl $name {
            fn new(render: impl Fn(&'static str) -> $crate::store::Sql) -> Self {
                Self {
                    $($statement: render(include_str!(concat!(
                        "sql/", stringify!($statement), ".sql"
                    )))),+
                }
            }

            fn all(&self) -> Vec<(&'static str, String)> {
                vec![$((stringify!($statement), self.$statement.text().to_owned())),+]
            }
        }
    };
}
pub(crate) use statements;

/// A database that an outbox can live in: `sqlx::Postgres` or `sqlx::Sqlite`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a database that an outbox can live in",
    note = "use `outbox_runtime::Postgres` or `outbox_runtime::Sqlite`, and enable the feature of that name"
)]
pub trait Backend: sqlx::Database {
    /// What talks to the database.
    #[doc(hidden)]
    type Store: Store<Db = Self>;
}

/// Runs something to its end even if nobody waits for it any more.
#[cfg(feature = "postgres")]
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    use crate::error::{Error, ErrorKind};
    tokio::spawn(work).await.unwrap_or_else(|error| {
        let message = format!("the task that does it ended: {error}");
        Err(Error::new(ErrorKind::Unavailable, "use the database", message))
    })
}

/// How far a reader has come in the log.
pub trait Progress:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Whether a reader that comes from here would be given what one that comes from there is, and be
    /// able to record it.
    fn is_same(&self, other: &Self) -> bool;

    /// Whether a reader that read a page on its way from here to `end` may go on from `other_end`, to which
    /// another one came from `other` and was given the same events.
    fn joins(&self, _end: &Self, _other: &Self, _other_end: &Self) -> bool {
        false
    }

    /// The progress of a reader that has handled everything up to this position of the page that
    /// it was read with.
    #[must_use]
    fn at(&self, position: Position) -> Self;

    /// A measure that grows while the reader moves on, to tell how much there is to record.
    fn mark(&self) -> Position;

    /// Where the reader stands once it has read what it has begun to read.
    #[must_use]
    fn end(&self) -> Self;

    /// The progress of a reader that has everything from this position on before it, and what it
    /// had before it already.
    #[must_use]
    fn rewound(&self, to: Position) -> Self;

    /// The progress of a reader that has nothing before it that lies before this position and was
    /// committed by `now`.
    #[must_use]
    fn skipped(&self, to: Position, now: &Self) -> Self;
}

#[doc(hidden)]
pub trait Store: Control {
    /// How to ask a connection what it is in.
    const DIALECT: &'static Dialect;

    fn new(pool: Pool<Self::Db>, namespace: &Namespace, clock: Clock) -> Self;

    /// The same store without anything that lives longer than a transaction on the server: it
    /// signals nothing, hears nothing, and leaves no statement behind.
    #[must_use]
    fn poll_only(self) -> Self;

    /// Tells the workers of other processes: soon where it is `urgent`, and otherwise a little
    /// later. Waits for nothing and cannot fail: a signal that is lost costs latency, because workers
    /// poll as well.
    fn signal(&self, signal: Signal<'_>, urgent: bool);

    /// Calls `heard` whenever another process has signalled, or may have, until it is dropped. Ends at
    /// once where there are no signals.
    fn listen(&self, heard: impl Fn(Signal<'_>) + Send + Sync) -> impl Future<Output = ()> + Send;

    fn connections(&self) -> &Connections<Self::Db>;
    fn connections_mut(&mut self) -> &mut Connections<Self::Db>;
    fn clock(&self) -> &Clock;

    fn pool(&self) -> &Pool<Self::Db> {
        self.connections().pool()
    }

    /// Every statement of the store with its name, for the test that prepares them all.
    fn statements(&self) -> Vec<(&'static str, String)>;

    /// Applies the migrations that are missing, in one transaction, one process at a time.
    fn migrate(&self) -> impl Future<Output = Result<()>> + Send;

    /// Checks that the tables are there and of the format that this code knows.
    fn check_format(&self) -> impl Future<Output = Result<()>> + Send;

    /// Begins a transaction that is going to write, on a task of its own: a `Pool::begin` that is
    /// dropped half-way can leave a connection with an open transaction in sqlx's pool.
    fn begin(&self) -> impl Future<Output = Result<Transaction<Self::Db>>> + Send;

    /// Has the database end this transaction when nothing comes from this process for so long: the
    /// locks of a worker that is frozen or gone must not hold up its successor.
    fn limit_idle(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        longest: Duration,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Appends events to the log in the caller's transaction: one statement for those without
    /// a dedup key, one for those with.
    fn append(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        events: Vec<NewEvent>,
        dedup_ttl: Duration,
    ) -> impl Future<Output = Result<Vec<Emitted>>> + Send;

    /// Runs a statement of the user's that changes rows, and appends one event for each row that
    /// it returns.
    fn append_changed(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        statement: ChangeStatement,
        arguments: <Self::Db as sqlx::Database>::Arguments,
    ) -> impl Future<Output = Result<Vec<ChangedRow>>> + Send;

    /// Reads the next page of the log: at most `limit` events of the slice after `progress`, and
    /// nothing beyond `barrier`. Writes nothing; takes a transaction id only where there is
    /// something to move past.
    fn read(
        &self,
        line: &Line<Self::Db>,
        progress: &Self::Progress,
        barrier: Option<&Self::Progress>,
        slice: &Slice,
        limit: u32,
    ) -> impl Future<Output = Result<Page<Self::Progress>>> + Send;

    /// One cheap look at what was committed since `progress`, which is moved past that, and at what
    /// else a worker that knows these consumers reacts to.
    fn probe(
        &self,
        progress: &mut Self::Progress,
        consumers: &[&str],
    ) -> impl Future<Output = Result<Probed>> + Send;

    /// A reader that sees what is committed from now on.
    fn progress_now(&self) -> impl Future<Output = Result<Self::Progress>> + Send;

    /// Makes consumers known; a new one gets its first checkpoints according to its start.
    /// Returns what is known of each, in the same order.
    fn register(
        &self,
        consumers: &[Registration],
    ) -> impl Future<Output = Result<Vec<Registered>>> + Send;

    /// What is known of these consumers.
    fn registered(
        &self,
        consumers: &[&str],
    ) -> impl Future<Output = Result<Vec<Registered>>> + Send;

    /// The workers that live and are not about to leave, and the consumers that are run.
    fn fleet(&self) -> impl Future<Output = Result<Fleet>> + Send;

    /// Which shards of these consumers nobody has.
    fn free_leases(
        &self,
        consumers: &[&str],
    ) -> impl Future<Output = Result<Vec<(String, u32)>>> + Send;

    /// Takes those of these leases that are free or expired; says of each whether the worker before
    /// had not handed it back.
    fn acquire(
        &self,
        worker: Uuid,
        shards: &[ShardId],
        ttl: Duration,
    ) -> impl Future<Output = Result<Vec<(ShardId, bool)>>> + Send;

    /// Says that a worker lives, and renews the leases that it still has; returns them.
    fn renew(
        &self,
        heartbeat: &Heartbeat<'_>,
        held: &[(ShardId, u32)],
    ) -> impl Future<Output = Result<Vec<ShardId>>> + Send;

    /// Hands leases back, so that another worker can take them at once. Not `clean` says that it has
    /// to look for what may have killed the worker before.
    fn release(
        &self,
        worker: Uuid,
        shards: &[ShardId],
        clean: bool,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Removes a worker that has handed back its leases from the list of those that live.
    fn forget_worker(&self, worker: Uuid) -> impl Future<Output = Result<()>> + Send;

    /// Appends the checkpoint of a new epoch with the progress of the last one: from here on
    /// the worker before cannot record anything. Frees deliveries that wait for what this
    /// worker knows, and those whose predecessor is gone. Fails with
    /// [`ErrorKind::LeaseLost`](crate::ErrorKind) unless the worker has the lease.
    fn take_over(
        &self,
        shard: &ShardId,
        slice: &Slice,
        worker: Uuid,
    ) -> impl Future<Output = Result<Taken<Self::Progress>>> + Send;

    /// Appends a checkpoint and makes the changes that belong to it, in the caller's
    /// transaction. Fails with [`ErrorKind::LeaseLost`](crate::ErrorKind) when another worker
    /// wrote that checkpoint.
    fn record(
        &self,
        connection: &mut <Self::Db as sqlx::Database>::Connection,
        checkpoint: &Checkpoint<Self::Progress>,
        changes: &Changes,
    ) -> impl Future<Output = Result<Recorded>> + Send;

    /// The same in a transaction of its own, which the database ends when nothing comes from this
    /// process for so long.
    fn record_alone(
        &self,
        line: &Line<Self::Db>,
        checkpoint: &Checkpoint<Self::Progress>,
        changes: &Changes,
        longest: Duration,
    ) -> impl Future<Output = Result<Recorded>> + Send;

    /// Frees parked deliveries of these keys with nothing before them, which somebody removed
    /// while they were being parked; returns how many.
    fn free_parked(
        &self,
        shard: &ShardId,
        slice: &Slice,
        keys: &[String],
    ) -> impl Future<Output = Result<u64>> + Send;

    /// Which worker wrote this checkpoint, if anyone did.
    fn checkpoint_writer(
        &self,
        shard: &ShardId,
        seq: i64,
    ) -> impl Future<Output = Result<Option<Uuid>>> + Send;

    /// Deliveries whose time has come, heads of their keys only where the consumer is ordered.
    fn due(&self, query: &DueQuery) -> impl Future<Output = Result<Vec<DeliveryRow>>> + Send;

    /// How long until the next delivery of each of these consumers is due, `None` for never.
    fn next_due(
        &self,
        consumers: &[&str],
    ) -> impl Future<Output = Result<Vec<Option<Duration>>>> + Send;

    /// Deletes old checkpoints of a shard, up to and including `seq`.
    fn trim_checkpoints(
        &self,
        shard: &ShardId,
        seq: i64,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Deletes workers that died long ago.
    fn trim_workers(&self) -> impl Future<Output = Result<()>> + Send;

    /// Deletes expired dedup keys.
    fn trim_dedup(&self) -> impl Future<Output = Result<()>> + Send;

    /// How far each shard has come that is read, for retention.
    fn needs(&self) -> impl Future<Output = Result<Vec<retention::Need>>> + Send;

    /// Looks at the first range of so many positions after `after` in which there is an event, and
    /// no further than `until`. Writes nothing.
    fn examine_range(
        &self,
        needs: &[retention::Need],
        after: Position,
        until: Option<Position>,
        positions: u32,
        age: Duration,
    ) -> impl Future<Output = Result<retention::Range>> + Send;

    /// Deletes the events of a range that are older than `age` and that no shard needs by now;
    /// returns how many. `None` where another worker is deleting.
    fn delete_range(
        &self,
        first: Position,
        last: Position,
        age: Duration,
    ) -> impl Future<Output = Result<Option<u64>>> + Send;

    /// Deletes rows of `audit` that are older than `age`, 10,000 at most; returns how many.
    fn trim_audit(&self, age: Duration) -> impl Future<Output = Result<u64>> + Send;

    /// Notes how long events are kept, for `stats`.
    fn note_retention(&self, age: Option<Duration>) -> impl Future<Output = Result<()>> + Send;

    /// Figures of every registered consumer.
    fn stats(&self) -> impl Future<Output = Result<Vec<ConsumerStats>>> + Send;

    /// The workers that the database knows.
    fn workers(&self) -> impl Future<Output = Result<Vec<WorkerInfo>>> + Send;

    /// The shards of one consumer, or of all.
    fn shards(&self, consumer: Option<&str>)
    -> impl Future<Output = Result<Vec<ShardInfo>>> + Send;

    /// For each shard of a consumer and each `step` of the time since `back`: what it had done by the
    /// end of it. In the order of shards and time.
    fn history(
        &self,
        consumer: &str,
        back: Duration,
        step: Duration,
    ) -> impl Future<Output = Result<Vec<Sample>>> + Send;

    /// Events of the log, in its order.
    fn events(&self, filter: &EventFilter)
    -> impl Future<Output = Result<Vec<StoredEvent>>> + Send;

    /// Deliveries that have a row, in the order of the log.
    fn deliveries(
        &self,
        filter: &DeliveryFilter,
    ) -> impl Future<Output = Result<Vec<DeliveryInfo>>> + Send;

    /// Gives dead letters another chance: the first that match after a place.
    fn redrive(
        &self,
        filter: &DeliveryFilter,
        after: Option<&Place>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Place>>> + Send;

    /// Deletes dead letters: the first that match after a place.
    fn discard(
        &self,
        filter: &DeliveryFilter,
        after: Option<&Place>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Place>>> + Send;

    /// The database's time, or the manual clock's.
    fn now(&self) -> impl Future<Output = Result<DateTime<Utc>>> + Send;
}
