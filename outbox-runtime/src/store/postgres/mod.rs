//! The store on Postgres 15 and newer.

mod changed;
mod deliveries;
mod leases;
mod log;
mod report;
mod rows;
#[cfg(test)]
mod sabotage;
#[cfg(test)]
mod schedule;
mod setup;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
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
pub use window::WindowProgress;

impl super::Backend for Postgres {
    type Store = PostgresStore;
}

/// The store on Postgres.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    connections: Connections<Postgres>,
    sql: Arc<Statements>,
    namespace: Namespace,
    clock: Clock,
    #[cfg(test)]
    sabotage: Option<sabotage::Sabotage>,
}

crate::store::statements! {
    Statements: acquire_leases, append, append_all, append_changed, append_checkpoint,
    append_deduplicated, checkpoint_writer, continue_window, deliveries, delete_deliveries, discard, due, events,
    find_dedup, first_checkpoint, free_leases, free_parked, free_waiting, has_deliveries,
    held_keys, insert_audit, insert_deliveries, lag, latest_checkpoints, mark, next_due, now,
    open_window, probe, redrive, register, registered, release_keys, release_leases, renew_leases,
    stats, still_held, take_over, trim_checkpoints, trim_dedup, update_deliveries
}

const DIALECT: Dialect = Dialect {
    ask: "select",
    ask_writable: "select 1 / (not (pg_is_in_recovery() or current_setting('transaction_read_only')::bool))::int \
                   -- outbox: an error here means that the server is read-only",
    begin: "begin",
    // In one message the two times are the same, unless the transaction began before.
    ask_and_begin: "select 1 / (now() = statement_timestamp())::int \
                    /* outbox: an error here means that the transaction is somebody else's */; begin",
    no: &["22012"],
};

/// A time span as Postgres' interval arithmetic takes it here.
fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

impl Store for PostgresStore {
    type Db = Postgres;
    type Progress = WindowProgress;
    const DIALECT: &'static Dialect = &DIALECT;

    fn new(pool: PgPool, namespace: &Namespace, clock: Clock) -> Self {
        let sql = Arc::new(Statements::new(|sql| namespace.in_schema(sql)));
        Self {
            connections: Connections::new(pool, &DIALECT),
            sql,
            namespace: namespace.clone(),
            clock,
            #[cfg(test)]
            sabotage: None,
        }
    }

    fn connections(&self) -> &Connections<Postgres> {
        &self.connections
    }

    fn connections_mut(&mut self) -> &mut Connections<Postgres> {
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

    async fn begin(&self) -> Result<Transaction<'static, Postgres>> {
        self.connections.begin("begin").await
    }

    async fn append(
        &self,
        connection: &mut PgConnection,
        events: Vec<NewEvent>,
        dedup_ttl: Duration,
    ) -> Result<Vec<Emitted>> {
        self.append_events(connection, events, dedup_ttl).await
    }

    async fn append_changed(
        &self,
        connection: &mut PgConnection,
        statement: ChangeStatement,
        arguments: sqlx::postgres::PgArguments,
    ) -> Result<Vec<ChangedRow>> {
        self.append_changed_rows(connection, statement, arguments).await
    }

    async fn read(
        &self,
        progress: &WindowProgress,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<WindowProgress>> {
        let mut connection = self.connections.get("read the log").await?;
        #[cfg(test)]
        if let Some(sabotage) = self.sabotage {
            return self.read_wrongly(sabotage, &mut connection, progress, slice, limit).await;
        }
        match &progress.window {
            None => self.open_window(&mut connection, progress, slice, limit).await,
            Some(window) => {
                self.continue_window(&mut connection, progress, window, slice, limit).await
            }
        }
    }

    async fn probe(&self, progress: &mut WindowProgress) -> Result<Option<Vec<String>>> {
        self.probe_log(progress).await
    }

    async fn progress_now(&self) -> Result<WindowProgress> {
        self.mark().await
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
    ) -> Result<Taken<WindowProgress>> {
        self.take_shard_over(shard, slice, worker).await
    }

    async fn record(
        &self,
        connection: &mut PgConnection,
        checkpoint: &Checkpoint<WindowProgress>,
        changes: &Changes,
    ) -> Result<Recorded> {
        self.record_in(connection, checkpoint, changes).await
    }

    /// One statement where there is only the checkpoint.
    async fn record_alone(
        &self,
        checkpoint: &Checkpoint<WindowProgress>,
        changes: &Changes,
    ) -> Result<Recorded> {
        const RECORD: &str = "record progress";
        if changes.is_empty() {
            let mut connection = self.connections.get(RECORD).await?;
            return self.record_in(&mut connection, checkpoint, changes).await;
        }
        let mut tx = self.connections.begin(RECORD).await?;
        let recorded = self.record_in(&mut tx, checkpoint, changes).await?;
        tx.commit().await.during(RECORD)?;
        Ok(recorded)
    }

    async fn free_parked(&self, shard: &ShardId, slice: &Slice, keys: &[String]) -> Result<u64> {
        let freed = sqlx::query(self.sql.release_keys.safe())
            .bind(shard.consumer)
            .bind(keys)
            .bind(slice.dead_holds_key)
            .bind(self.clock.fixed())
            .execute(&mut *self.connections.get("free parked deliveries").await?)
            .await
            .during("free parked deliveries")?;
        Ok(freed.rows_affected())
    }

    async fn checkpoint_writer(&self, shard: &ShardId, seq: i64) -> Result<Option<Uuid>> {
        sqlx::query_scalar(self.sql.checkpoint_writer.safe())
            .bind(shard.consumer)
            .bind(shard.shard as i32)
            .bind(seq)
            .fetch_optional(&mut *self.connections.get("look at a checkpoint").await?)
            .await
            .during("look at a checkpoint")
    }

    async fn due(&self, query: &DueQuery) -> Result<Vec<DeliveryRow>> {
        self.due_deliveries(query).await
    }

    async fn next_due(&self, consumers: &[&str]) -> Result<Vec<Option<Duration>>> {
        self.next_due_of(consumers).await
    }

    async fn trim_checkpoints(&self, shard: &ShardId, seq: i64) -> Result<()> {
        sqlx::query(self.sql.trim_checkpoints.safe())
            .bind(shard.consumer)
            .bind(shard.shard as i32)
            .bind(seq)
            .execute(&mut *self.connections.get("trim checkpoints").await?)
            .await
            .during("trim checkpoints")?;
        Ok(())
    }

    async fn trim_dedup(&self) -> Result<()> {
        sqlx::query(self.sql.trim_dedup.safe())
            .bind(self.clock.fixed())
            .execute(&mut *self.connections.get("trim dedup keys").await?)
            .await
            .during("trim dedup keys")?;
        Ok(())
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
        match self.clock.fixed() {
            Some(now) => Ok(now),
            None => sqlx::query_scalar(self.sql.now.safe())
                .fetch_one(&mut *self.connections.get("ask the time").await?)
                .await
                .during("ask the time"),
        }
    }
}
