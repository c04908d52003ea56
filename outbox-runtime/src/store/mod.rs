//! The seam between the engine and a database: what is stored, in the engine's words.
//!
//! A store does exactly what it is told, in one transaction where the caller passes one. Decisions
//! (retry, order, what to read next) are made above it; how a log is read without losing an event
//! is its own business, hidden in its [`Progress`].

mod connections;
mod migrate;
mod namespace;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod query;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
pub(crate) mod types;

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{Pool, Transaction};
use uuid::Uuid;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Emitted, Position, StoredEvent};

pub use connections::tidy_pool;
#[allow(unreachable_pub)]
pub use connections::{Connections, Dialect};
pub(crate) use namespace::{Namespace, Sql};
pub use query::{
    AttemptError, ConsumerStats, DeliveryFilter, DeliveryInfo, DeliveryState, EventFilter,
};
pub(crate) use types::{
    AuditEntry, ChangeStatement, ChangedRow, Changes, Checkpoint, DeliveryRow, Due, DueQuery,
    NewDelivery, NewEvent, Page, Recorded, Registered, Registration, ShardId, Slice, Taken,
    UpdatedDelivery,
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
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work).await.unwrap_or_else(|error| {
        let message = format!("the task that does it ended: {error}");
        Err(Error::new(ErrorKind::Unavailable, "use the database", message))
    })
}

/// How far a reader has come in the log.
pub trait Progress:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The progress of a reader that has handled everything up to this position of the page that
    /// it was read with.
    #[must_use]
    fn at(&self, position: Position) -> Self;

    /// A measure that grows while the reader moves on, to tell how much there is to record.
    fn mark(&self) -> Position;
}

#[doc(hidden)]
pub trait Store: Clone + Send + Sync + 'static {
    type Db: Backend<Store = Self>;
    type Progress: Progress;

    /// How to ask a connection what it is in.
    const DIALECT: &'static Dialect;

    fn new(pool: Pool<Self::Db>, namespace: &Namespace, clock: Clock) -> Self;
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
    fn begin(&self) -> impl Future<Output = Result<Transaction<'static, Self::Db>>> + Send;

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

    /// Reads the next page of the log: at most `limit` events of the slice after `progress`.
    /// Writes nothing; takes a transaction id only where there is something to move past.
    fn read(
        &self,
        progress: &Self::Progress,
        slice: &Slice,
        limit: u32,
    ) -> impl Future<Output = Result<Page<Self::Progress>>> + Send;

    /// Which event names were committed since `progress`, which is moved past them. `None`
    /// stands for "many".
    fn probe(
        &self,
        progress: &mut Self::Progress,
    ) -> impl Future<Output = Result<Option<Vec<String>>>> + Send;

    /// A reader that sees what is committed from now on.
    fn progress_now(&self) -> impl Future<Output = Result<Self::Progress>> + Send;

    /// Makes consumers known; a new one gets its first checkpoints according to its start.
    /// Returns what is known of each, in the same order.
    fn register(
        &self,
        consumers: &[Registration],
    ) -> impl Future<Output = Result<Vec<Registered>>> + Send;

    /// Takes the leases of these shards that are free or expired.
    fn acquire(
        &self,
        worker: Uuid,
        shards: &[ShardId],
        ttl: Duration,
    ) -> impl Future<Output = Result<Vec<(ShardId, bool)>>> + Send;

    /// Renews the leases that this worker still has; returns them.
    fn renew(
        &self,
        worker: Uuid,
        held: &[(ShardId, u32)],
        ttl: Duration,
    ) -> impl Future<Output = Result<Vec<ShardId>>> + Send;

    /// Hands leases back, so that another worker can take them at once.
    fn release(&self, worker: Uuid, shards: &[ShardId]) -> impl Future<Output = Result<()>> + Send;

    /// Appends the checkpoint of a new epoch with the progress of the last one: from here on
    /// the worker before cannot record anything. Frees deliveries that wait for what this
    /// worker knows, and those whose predecessor is gone.
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

    /// The same in a transaction of its own.
    fn record_alone(
        &self,
        checkpoint: &Checkpoint<Self::Progress>,
        changes: &Changes,
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

    /// Deletes expired dedup keys.
    fn trim_dedup(&self) -> impl Future<Output = Result<()>> + Send;

    /// Figures of every registered consumer.
    fn stats(&self) -> impl Future<Output = Result<Vec<ConsumerStats>>> + Send;

    /// Events of the log, in its order.
    fn events(&self, filter: &EventFilter)
    -> impl Future<Output = Result<Vec<StoredEvent>>> + Send;

    /// Deliveries that have a row, in the order of the log.
    fn deliveries(
        &self,
        filter: &DeliveryFilter,
    ) -> impl Future<Output = Result<Vec<DeliveryInfo>>> + Send;

    /// Gives dead letters another chance; returns how many.
    fn redrive(&self, filter: &DeliveryFilter) -> impl Future<Output = Result<u64>> + Send;

    /// Deletes dead letters; returns how many.
    fn discard(&self, filter: &DeliveryFilter) -> impl Future<Output = Result<u64>> + Send;

    /// The database's time, or the manual clock's.
    fn now(&self) -> impl Future<Output = Result<DateTime<Utc>>> + Send;
}
