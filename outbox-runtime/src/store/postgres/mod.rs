//! The store on Postgres 15 and newer.

mod changed;
mod control;
mod deliveries;
mod fleet;
mod leases;
mod listen;
mod log;
#[cfg(test)]
mod model;
mod moves;
mod notify;
mod report;
mod restore;
mod retention;
mod rows;
#[cfg(test)]
mod sabotage;
#[cfg(test)]
mod schedule;
mod session;
mod setup;
#[cfg(test)]
mod strays;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, Postgres};
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
use notify::Notifier;
use session::{Sessions, Statement, query, query_scalar};
#[allow(unreachable_pub)]
pub use window::WindowProgress;

impl super::Backend for Postgres {
    type Store = PostgresStore;
}

/// The store on Postgres.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: Sessions,
    sql: Arc<Statements>,
    namespace: Namespace,
    clock: Clock,
    /// None where other processes are left to polling.
    notifier: Option<Notifier>,
    #[cfg(test)]
    sabotage: Option<sabotage::Sabotage>,
}

crate::store::statements! {
    Statements:
    acquire_leases, amend, append, append_all, append_changed, append_checkpoint,
    append_deduplicated, await_retention, checkpoint_writer, clear_deliveries,
    clear_paused_keys, cluster, continue_window, count_handled, delete_deliveries,
    delete_delivery, delete_range, deliveries, discard, drop_leases, due, emitting, events,
    examine_range, fence, find_dedup, first_checkpoint, fleet, forget_deliveries, forget_worker,
    free_key, free_leases, free_parked, free_waiting, handled, has_deliveries, held_keys,
    history, insert_audit, insert_deliveries, lag, last_position, late_floor,
    latest_checkpoints, ledger_heads, ledgers, limit_idle, live_leases, lock_cluster,
    lock_consumer, mark, move_sequence, needs, next_due, note_retention, notify, now,
    open_window, open_window_few, open_window_none_late, orders, pause_key, paused_keys, place_of,
    position_since, probe, redrive, register, registered, release_keys, release_leases,
    renew_leases, resume_key, save_consumer, set_cluster, shards, stats, still_held, take_over,
    translate_barriers, translate_shard, translate_unread, trim_audit, trim_checkpoints,
    trim_dedup, trim_workers, try_retention, update_deliveries, workers
}

/// A time span as Postgres' interval arithmetic takes it here.
fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

impl Store for PostgresStore {
    const DIALECT: &'static Dialect = &session::DIALECT;

    fn new(pool: PgPool, namespace: &Namespace, clock: Clock) -> Self {
        let sql = Arc::new(Statements::new(|sql| namespace.in_schema(sql)));
        let notifier = Notifier::new(pool.clone(), sql.notify.clone());
        Self {
            pool: Sessions::new(pool),
            sql,
            namespace: namespace.clone(),
            clock,
            notifier: Some(notifier),
            #[cfg(test)]
            sabotage: None,
        }
    }

    fn poll_only(self) -> Self {
        let namespace = &self.namespace;
        let sql = Arc::new(Statements::new(|sql| namespace.in_schema(sql).unnamed()));
        Self { pool: self.pool.pooled(), sql, notifier: None, ..self }
    }

    fn signal(&self, signal: Signal<'_>, urgent: bool) {
        if let Some(notifier) = &self.notifier {
            notifier.notify(signal, urgent);
        }
    }

    async fn listen(&self, heard: impl Fn(Signal<'_>) + Send + Sync) {
        if let Some(notifier) = &self.notifier {
            listen::listen(self.pool(), &self.namespace.channel(), notifier, heard).await;
        }
    }

    fn connections(&self) -> &Connections<Postgres> {
        self.pool.connections()
    }

    fn connections_mut(&mut self) -> &mut Connections<Postgres> {
        self.pool.connections_mut()
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
        super::migrate::check(self.read_format().await?, super::migrate::POSTGRES)
    }

    async fn begin(&self) -> Result<Transaction<Postgres>> {
        self.pool.begin().await.during("begin")
    }

    async fn limit_idle(&self, connection: &mut PgConnection, longest: Duration) -> Result<()> {
        // Postgres refuses more than 24 days.
        let longest_ms = longest.as_millis().clamp(1, i32::MAX as u128);
        query(&self.sql.limit_idle)
            .bind(longest_ms.to_string())
            .execute(connection)
            .await
            .during("limit how long a transaction idles")?;
        Ok(())
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
        line: &Line<Postgres>,
        progress: &WindowProgress,
        barrier: Option<&WindowProgress>,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<WindowProgress>> {
        const READ: &str = "read the log";
        // Nothing else is in its transaction: a window is not opened in one that has an id.
        let mut session = self.pool.session_on(line).await.during(READ)?;
        #[cfg(test)]
        if let Some(sabotage) = self.sabotage {
            return self.read_wrongly(sabotage, &mut session, progress, slice, limit).await;
        }
        let page = match barrier {
            None => self.read_on(&mut session, progress, slice, limit).await,
            Some(barrier) => match moves::towards(progress, barrier) {
                Some(progress) => self.read_on(&mut session, &progress, slice, limit).await,
                None => Ok(Page::nothing(progress.clone(), self.read_time(Utc::now()))),
            },
        };
        self.pool.end_unless_stray(session, page, READ).await
    }

    async fn probe(&self, progress: &mut WindowProgress, consumers: &[&str]) -> Result<Probed> {
        self.probe_log(progress, consumers).await
    }

    async fn progress_now(&self) -> Result<WindowProgress> {
        self.mark().await
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
        query(&self.sql.forget_worker)
            .bind(worker)
            .run(self.pool.writing())
            .await
            .during("sign a worker off")?;
        Ok(())
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
        line: &Line<Postgres>,
        checkpoint: &Checkpoint<WindowProgress>,
        changes: &Changes,
        longest: Duration,
    ) -> Result<Recorded> {
        const RECORD: &str = "record progress";
        if changes.is_empty() {
            let mut session = self.pool.own_session_on(line).await.during(RECORD)?;
            let recorded = self.record_in(&mut session, checkpoint, changes).await?;
            session.end().await.during(RECORD)?;
            return Ok(recorded);
        }
        let mut tx = self.pool.begin().await.during(RECORD)?;
        self.limit_idle(&mut tx, longest).await?;
        let recorded = self.record_in(&mut tx, checkpoint, changes).await?;
        tx.commit().await.during(RECORD)?;
        Ok(recorded)
    }

    async fn free_parked(&self, shard: &ShardId, slice: &Slice, keys: &[String]) -> Result<u64> {
        let freed = query(&self.sql.release_keys)
            .bind(shard.consumer)
            .bind(keys)
            .bind(slice.dead_holds_key)
            .bind(self.clock.fixed())
            .run(self.pool.writing())
            .await
            .during("free parked deliveries")?;
        Ok(freed.rows_affected())
    }

    async fn checkpoint_writer(&self, shard: &ShardId, seq: i64) -> Result<Option<Uuid>> {
        query_scalar(&self.sql.checkpoint_writer)
            .bind(shard.consumer)
            .bind(shard.shard as i32)
            .bind(seq)
            .optional(&self.pool)
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
        query(&self.sql.trim_checkpoints)
            .bind(shard.consumer)
            .bind(shard.shard as i32)
            .bind(seq)
            .run(self.pool.writing())
            .await
            .during("trim checkpoints")?;
        Ok(())
    }

    async fn trim_workers(&self) -> Result<()> {
        query(&self.sql.trim_workers).run(self.pool.writing()).await.during("trim workers")?;
        Ok(())
    }

    async fn trim_dedup(&self) -> Result<()> {
        query(&self.sql.trim_dedup)
            .bind(self.clock.fixed())
            .run(self.pool.writing())
            .await
            .during("trim dedup keys")?;
        Ok(())
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
        match self.clock.fixed() {
            Some(now) => Ok(now),
            None => query_scalar(&self.sql.now).one(&self.pool).await.during("ask the time"),
        }
    }
}
