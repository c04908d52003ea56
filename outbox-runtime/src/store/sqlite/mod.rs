//! The store on SQLite 3.42 and newer (sqlx brings its own).
//!
//! Any number of processes on one machine may share a file. SQLite lets one of them write at a
//! time; the others wait for as long as the `busy_timeout` of their connections says, and for at
//! least five seconds whatever it says, and then get
//! [`ErrorKind::Conflict`](crate::ErrorKind). Readers never wait (`migrate` switches the file to
//! a write-ahead log). Nothing here asks for the write lock where it could not wait for it:
//! everything that writes begins with `BEGIN IMMEDIATE`.

mod changed;
mod control;
mod deliveries;
mod fleet;
mod leases;
mod listen;
mod log;
mod progress;
mod report;
mod retention;
mod rows;
mod setup;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::connections::{Connections, Dialect};
use super::line::Line;
use super::loan::Transaction;
use super::retention::{Need, Range};
use super::{
    ChangeStatement, ChangedRow, Changes, Checkpoint, ConsumerStats, DeliveryFilter, DeliveryInfo,
    DeliveryRow, DueQuery, EventFilter, Fleet, Heartbeat, Namespace, NewEvent, Page, Place, Probed,
    Recorded, Registered, Registration, Sample, ShardId, ShardInfo, Signal, Slice, Store, Taken,
    WorkerInfo,
};
use crate::clock::Clock;
use crate::error::{During, Result};
use crate::event::{Emitted, Position, StoredEvent};
#[allow(unreachable_pub)]
pub use progress::LogProgress;

impl super::Backend for Sqlite {
    type Store = SqliteStore;
}

/// The store on SQLite.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: Connections<Sqlite>,
    sql: Arc<Statements>,
    namespace: Namespace,
    clock: Clock,
    /// Whether events of other processes are looked for more often than the worker probes.
    listens: bool,
}

crate::store::statements! {
    Statements:
    acquire_leases, amend, append, append_all, append_checkpoint, append_deduplicated,
    checkpoint_writer, claim_dedup, clear_deliveries, clear_paused_keys, count_handled,
    delete_deliveries, delete_delivery, delete_range, deliveries, discard, drop_leases, due,
    events, examine_range, fence, find_dedup, first_checkpoint, fleet, forget_deliveries,
    forget_worker, free_key, free_leases, free_parked, free_waiting, handled, has_deliveries,
    held_keys, history, insert_audit, insert_deliveries, lag, latest_checkpoints, ledgers,
    live_leases, lock_consumer, mark, needs, next_due, note_retention, orders,
    pause_key, paused_keys, place_of, position_since, probe, pulse, read, redrive, register,
    registered, release_keys, release_leases, renew_leases, resume_key, save_consumer, shards,
    stats, still_held, take_over, trim_audit, trim_checkpoints, trim_dedup,
    trim_workers, update_deliveries, worker_alive, workers
}

const DIALECT: Dialect = Dialect {
    ask: "",
    ask_writable: "",
    begin: "BEGIN IMMEDIATE",
    ask_and_begin: "BEGIN IMMEDIATE",
    // It waits for the write lock.
    begun_within: None,
    busy: &["5", "261", "517", "773"],
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
    async fn begin_writing(&self, operation: &'static str) -> Result<Transaction<Sqlite>> {
        let give_up = Instant::now() + LOCK_WAIT;
        let mut tries = 0;
        loop {
            match self.pool.begin().await.during(operation) {
                Err(error) if error.is_busy() && Instant::now() < give_up => {
                    tries = (tries + 1).min(5);
                    sleep(Duration::from_millis(1 << tries).mul_f64(0.5 + fastrand::f64())).await;
                }
                begun => return begun,
            }
        }
    }

    /// A single statement that writes; returns how many rows it changed.
    async fn write(
        &self,
        operation: &'static str,
        statement: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<u64> {
        let mut tx = self.begin_writing(operation).await?;
        let done = statement.execute(&mut *tx).await.during(operation)?;
        tx.commit().await.during(operation)?;
        Ok(done.rows_affected())
    }
}

impl Store for SqliteStore {
    const DIALECT: &'static Dialect = &DIALECT;

    fn new(pool: SqlitePool, namespace: &Namespace, clock: Clock) -> Self {
        let sql = Arc::new(Statements::new(|sql| namespace.with_prefix(sql)));
        let pool = Connections::new(pool, &DIALECT);
        Self { pool, sql, namespace: namespace.clone(), clock, listens: true }
    }

    fn poll_only(self) -> Self {
        Self { listens: false, ..self }
    }

    /// Whoever listens looks by itself: a file has nobody who could tell.
    fn signal(&self, _signal: Signal<'_>, _urgent: bool) {}

    async fn listen(&self, heard: impl Fn(Signal<'_>) + Send + Sync) {
        if self.listens {
            self.look_out(heard).await;
        }
    }

    fn connections(&self) -> &Connections<Sqlite> {
        &self.pool
    }

    fn connections_mut(&mut self) -> &mut Connections<Sqlite> {
        &mut self.pool
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
        super::migrate::check(self.read_format().await?, super::migrate::SQLITE)?;
        // A migration file runs in a transaction, in which the mode cannot be changed.
        self.use_write_ahead_log().await
    }

    async fn begin(&self) -> Result<Transaction<Sqlite>> {
        self.begin_writing("begin").await
    }

    /// The lock of a process that is frozen cannot be taken from it, and that of one that is gone is
    /// gone as well.
    async fn limit_idle(&self, _: &mut SqliteConnection, _: Duration) -> Result<()> {
        Ok(())
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
        line: &Line<Sqlite>,
        progress: &LogProgress,
        barrier: Option<&LogProgress>,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<LogProgress>> {
        self.read_page(line, progress, barrier, slice, limit).await
    }

    async fn probe(&self, progress: &mut LogProgress, consumers: &[&str]) -> Result<Probed> {
        let pulse = self.feel_pulse(consumers).await?;
        Ok(Probed { pulse, names: self.probe_log(progress).await? })
    }

    async fn progress_now(&self) -> Result<LogProgress> {
        const MARK: &str = "mark a place in the log";
        let mut connection = self.pool.asked().await.during(MARK)?;
        self.mark(&mut connection).await
    }

    async fn register(&self, consumers: &[Registration]) -> Result<Vec<Registered>> {
        self.register_consumers(consumers).await
    }

    async fn registered(&self, consumers: &[&str]) -> Result<Vec<Registered>> {
        self.known_consumers(consumers).await
    }

    async fn fleet(&self) -> Result<Fleet> {
        self.living_fleet().await
    }

    async fn free_leases(&self, consumers: &[&str]) -> Result<Vec<(String, u32)>> {
        self.free_shards(consumers).await
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
        heartbeat: &Heartbeat<'_>,
        held: &[(ShardId, u32)],
    ) -> Result<Vec<ShardId>> {
        self.renew_leases(heartbeat, held).await
    }

    async fn release(&self, worker: Uuid, shards: &[ShardId], clean: bool) -> Result<()> {
        self.release_leases(worker, shards, clean).await
    }

    async fn forget_worker(&self, worker: Uuid) -> Result<()> {
        let statement = sqlx::query(self.sql.forget_worker.safe()).bind(worker);
        self.write("sign a worker off", statement).await.map(drop)
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
    /// Not by the line: it begins a transaction, as all that is written here.
    async fn record_alone(
        &self,
        _line: &Line<Sqlite>,
        checkpoint: &Checkpoint<LogProgress>,
        changes: &Changes,
        _longest: Duration,
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
            .fetch_optional(&mut *self.pool.asked().await.during("look at a checkpoint")?)
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
        let statement = sqlx::query(self.sql.trim_checkpoints.safe())
            .bind(shard.consumer)
            .bind(shard.shard)
            .bind(seq)
            .bind(self.now_us());
        self.write("trim checkpoints", statement).await.map(drop)
    }

    async fn trim_workers(&self) -> Result<()> {
        let now_us = Utc::now().timestamp_micros();
        let statement = sqlx::query(self.sql.trim_workers.safe()).bind(now_us);
        self.write("trim workers", statement).await.map(drop)
    }

    async fn trim_dedup(&self) -> Result<()> {
        let statement = sqlx::query(self.sql.trim_dedup.safe()).bind(self.now_us());
        self.write("trim dedup keys", statement).await.map(drop)
    }

    async fn needs(&self) -> Result<Vec<Need>> {
        self.shard_needs().await
    }

    async fn examine_range(
        &self,
        needs: &[Need],
        after: Position,
        until: Option<Position>,
        positions: u32,
        age: Duration,
    ) -> Result<Range> {
        self.examine(needs, after, until, positions, age).await
    }

    async fn delete_range(
        &self,
        first: Position,
        last: Position,
        age: Duration,
    ) -> Result<Option<u64>> {
        self.delete_old(first, last, age).await
    }

    async fn trim_audit(&self, age: Duration) -> Result<u64> {
        self.trim_old_audit(age).await
    }

    async fn note_retention(&self, age: Option<Duration>) -> Result<()> {
        self.note_age(age).await
    }

    async fn stats(&self) -> Result<Vec<ConsumerStats>> {
        self.consumer_stats().await
    }

    async fn workers(&self) -> Result<Vec<WorkerInfo>> {
        self.list_workers().await
    }

    async fn shards(&self, consumer: Option<&str>) -> Result<Vec<ShardInfo>> {
        self.list_shards(consumer).await
    }

    async fn history(&self, consumer: &str, back: Duration, step: Duration) -> Result<Vec<Sample>> {
        self.ledger_history(consumer, back, step).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>> {
        self.list_events(filter).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryInfo>> {
        self.list_deliveries(filter).await
    }

    async fn redrive(
        &self,
        filter: &DeliveryFilter,
        after: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<Place>> {
        self.redrive_dead(filter, after, limit).await
    }

    async fn discard(
        &self,
        filter: &DeliveryFilter,
        after: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<Place>> {
        self.discard_dead(filter, after, limit).await
    }

    async fn now(&self) -> Result<DateTime<Utc>> {
        Ok(self.time())
    }
}
