//! The store on SQLite 3.42 and newer (sqlx brings its own).
//!
//! Any number of processes on one machine may share a file. SQLite lets one of them write at a
//! time; the others wait for as long as the `busy_timeout` of their connections says, and for at
//! least five seconds whatever it says, and then get
//! [`ErrorKind::Conflict`](crate::ErrorKind). Readers never wait (`migrate` switches the file to
//! a write-ahead log). Nothing here asks for the write lock where it could not wait for it:
//! everything that writes begins with `BEGIN IMMEDIATE`.

mod changed;
mod deliveries;
mod leases;
mod log;
mod progress;
mod report;
mod rows;
mod setup;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::connections::{Connections, Dialect};
use super::{
    ChangeStatement, ChangedRow, Changes, Checkpoint, ConsumerStats, DeliveryFilter, DeliveryInfo,
    DeliveryRow, DueQuery, EventFilter, Namespace, NewEvent, Page, Recorded, Registered,
    Registration, ShardId, Slice, Store, Taken,
};
use crate::clock::Clock;
use crate::error::{During, Result};
use crate::event::{Emitted, StoredEvent};
#[allow(unreachable_pub)]
pub use progress::LogProgress;

impl super::Backend for Sqlite {
    type Store = SqliteStore;
}

/// The store on SQLite.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    connections: Connections<Sqlite>,
    sql: Arc<Statements>,
    namespace: Namespace,
    clock: Clock,
}

crate::store::statements! {
    Statements: acquire_leases, append, append_all, append_checkpoint, append_deduplicated,
    checkpoint_writer, claim_dedup, delete_deliveries, deliveries, discard, due, events,
    find_dedup, first_checkpoint, forget_worker, free_leases, free_parked, free_waiting,
    has_deliveries, held_keys, insert_audit, insert_deliveries, lag, latest_checkpoints, mark,
    next_due, probe, read, redrive, register, registered, release_keys,
    release_leases, renew_leases, stats, still_held, take_over, trim_checkpoints, trim_dedup,
    update_deliveries, worker_alive
}

const DIALECT: Dialect = Dialect {
    ask: "",
    ask_writable: "",
    begin: "BEGIN IMMEDIATE",
    ask_and_begin: "BEGIN IMMEDIATE",
    // "cannot start a transaction within a transaction", among others.
    no: &["1"],
};

/// How long to wait for the write lock, whatever the `busy_timeout` of the connections: as long as
/// sqlx waits by default.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// What time columns hold for "never".
const NEVER: i64 = i64::MAX;

/// A time in microseconds and a span after it.
fn later(us: i64, span: Duration) -> i64 {
    us.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX))
}

impl SqliteStore {
    /// The time by the outbox's clock. SQLite has no server with a clock of its own: the
    /// machine's is everybody's.
    fn time(&self) -> DateTime<Utc> {
        self.clock.fixed().unwrap_or_else(Utc::now)
    }

    fn now_us(&self) -> i64 {
        self.time().timestamp_micros()
    }

    /// Begins with the write lock, and waits for it. A transaction that reads first and writes
    /// later cannot wait: if somebody else has written in between, SQLite refuses at once. So does
    /// a connection whose `busy_timeout` says so, and then the wait is here.
    async fn begin_writing(&self, operation: &'static str) -> Result<Transaction<'static, Sqlite>> {
        let give_up = Instant::now() + LOCK_WAIT;
        let mut tries = 0;
        loop {
            match self.connections.begin(operation).await {
                Err(error) if error.is_busy() && Instant::now() < give_up => {
                    tries = (tries + 1).min(5);
                    sleep(Duration::from_millis(1 << tries).mul_f64(0.5 + fastrand::f64())).await;
                }
                begun => return begun,
            }
        }
    }
}

impl Store for SqliteStore {
    type Db = Sqlite;
    type Progress = LogProgress;
    const DIALECT: &'static Dialect = &DIALECT;

    fn new(pool: SqlitePool, namespace: &Namespace, clock: Clock) -> Self {
        let sql = Arc::new(Statements::new(|sql| namespace.with_prefix(sql)));
        let connections = Connections::new(pool, &DIALECT);
        Self { connections, sql, namespace: namespace.clone(), clock }
    }

    fn connections(&self) -> &Connections<Sqlite> {
        &self.connections
    }

    fn connections_mut(&mut self) -> &mut Connections<Sqlite> {
        &mut self.connections
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn statements(&self) -> Vec<(&'static str, String)> {
        self.sql.all()
    }

    async fn migrate(&self) -> Result<()> {
        self.apply_migrations().await
    }

    async fn check_format(&self) -> Result<()> {
        self.read_format().await.and_then(super::migrate::check)
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        self.begin_writing("begin").await
    }

    async fn append(
        &self,
        connection: &mut SqliteConnection,
        events: Vec<NewEvent>,
        dedup_ttl: Duration,
    ) -> Result<Vec<Emitted>> {
        self.append_events(connection, events, dedup_ttl).await
    }

    async fn append_changed(
        &self,
        connection: &mut SqliteConnection,
        statement: ChangeStatement,
        arguments: sqlx::sqlite::SqliteArguments,
    ) -> Result<Vec<ChangedRow>> {
        self.append_changed_rows(connection, statement, arguments).await
    }

    async fn read(
        &self,
        progress: &LogProgress,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<LogProgress>> {
        self.read_page(progress, slice, limit).await
    }

    async fn probe(&self, progress: &mut LogProgress) -> Result<Option<Vec<String>>> {
        self.probe_log(progress).await
    }

    async fn progress_now(&self) -> Result<LogProgress> {
        const MARK: &str = "mark a place in the log";
        let mut connection = self.connections.get(MARK).await?;
        self.mark(&mut connection).await
    }

    async fn register(&self, consumers: &[Registration]) -> Result<Vec<Registered>> {
        self.register_consumers(consumers).await
    }

    async fn acquire(
        &self,
        worker: Uuid,
        shards: &[ShardId],
        ttl: Duration,
    ) -> Result<Vec<(ShardId, bool)>> {
        self.acquire_leases(worker, shards, ttl).await
    }

    async fn renew(
        &self,
        worker: Uuid,
        held: &[(ShardId, u32)],
        ttl: Duration,
    ) -> Result<Vec<ShardId>> {
        self.renew_leases(worker, held, ttl).await
    }

    async fn release(&self, worker: Uuid, shards: &[ShardId]) -> Result<()> {
        self.release_leases(worker, shards).await
    }

    async fn take_over(
        &self,
        shard: &ShardId,
        slice: &Slice,
        worker: Uuid,
    ) -> Result<Taken<LogProgress>> {
        self.take_shard_over(shard, slice, worker).await
    }

    async fn record(
        &self,
        connection: &mut SqliteConnection,
        checkpoint: &Checkpoint<LogProgress>,
        changes: &Changes,
    ) -> Result<Recorded> {
        self.record_in(connection, checkpoint, changes).await
    }

    /// Always a transaction, as that is what waits for the write lock.
    async fn record_alone(
        &self,
        checkpoint: &Checkpoint<LogProgress>,
        changes: &Changes,
    ) -> Result<Recorded> {
        const RECORD: &str = "record progress";
        let mut tx = self.begin_writing(RECORD).await?;
        let recorded = self.record_in(&mut tx, checkpoint, changes).await?;
        tx.commit().await.during(RECORD)?;
        Ok(recorded)
    }

    /// There are none: of a transaction that removes a head and one that parks behind it, whichever
    /// comes second sees the first and frees the delivery. So no shard asks for the write lock
    /// again and again for nothing; taking over looks nevertheless.
    async fn free_parked(&self, _shard: &ShardId, _slice: &Slice, _keys: &[String]) -> Result<u64> {
        Ok(0)
    }

    async fn checkpoint_writer(&self, shard: &ShardId, seq: i64) -> Result<Option<Uuid>> {
        // The first checkpoint of a shard has no worker.
        let writer: Option<Option<Uuid>> = sqlx::query_scalar(self.sql.checkpoint_writer.safe())
            .bind(shard.consumer)
            .bind(shard.shard)
            .bind(seq)
            .fetch_optional(&mut *self.connections.get("look at a checkpoint").await?)
            .await
            .during("look at a checkpoint")?;
        Ok(writer.flatten())
    }

    async fn due(&self, query: &DueQuery) -> Result<Vec<DeliveryRow>> {
        self.due_deliveries(query).await
    }

    async fn next_due(&self, consumers: &[&str]) -> Result<Vec<Option<Duration>>> {
        self.next_due_of(consumers).await
    }

    async fn trim_checkpoints(&self, shard: &ShardId, seq: i64) -> Result<()> {
        const TRIM: &str = "trim checkpoints";
        let mut tx = self.begin_writing(TRIM).await?;
        sqlx::query(self.sql.trim_checkpoints.safe())
            .bind(shard.consumer)
            .bind(shard.shard)
            .bind(seq)
            .execute(&mut *tx)
            .await
            .during(TRIM)?;
        tx.commit().await.during(TRIM)
    }

    async fn trim_dedup(&self) -> Result<()> {
        const TRIM: &str = "trim dedup keys";
        let mut tx = self.begin_writing(TRIM).await?;
        sqlx::query(self.sql.trim_dedup.safe())
            .bind(self.now_us())
            .execute(&mut *tx)
            .await
            .during(TRIM)?;
        tx.commit().await.during(TRIM)
    }

    async fn stats(&self) -> Result<Vec<ConsumerStats>> {
        self.consumer_stats().await
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>> {
        self.list_events(filter).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryInfo>> {
        self.list_deliveries(filter).await
    }

    async fn redrive(&self, filter: &DeliveryFilter) -> Result<u64> {
        self.redrive_dead(filter).await
    }

    async fn discard(&self, filter: &DeliveryFilter) -> Result<u64> {
        self.discard_dead(filter).await
    }

    async fn now(&self) -> Result<DateTime<Utc>> {
        Ok(self.time())
    }
}
