//! Recording what happened, and finding the deliveries whose time has come.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use super::leases::is_unique_violation;
use super::session::{self, Statement, query, query_scalar};
use super::window::WindowProgress;
use super::{PostgresStore, micros, rows};
use crate::error::{During, Error, ErrorKind, Result};
use crate::store::{
    AuditEntry, Changes, Checkpoint, DeliveryRow, Due, DueQuery, NewDelivery, Recorded,
    UpdatedDelivery,
};

const RECORD: &str = "record progress";

impl PostgresStore {
    pub(super) async fn record_in(
        &self,
        connection: &mut PgConnection,
        checkpoint: &Checkpoint<WindowProgress>,
        changes: &Changes,
    ) -> Result<Recorded> {
        // First, so that a worker that lost its lease stops here.
        self.append_checkpoint(connection, checkpoint).await?;
        let consumer = checkpoint.shard.consumer;
        if !changes.insert.is_empty() {
            self.insert_deliveries(connection, consumer, &changes.insert).await?;
        }
        if !changes.update.is_empty() {
            self.update_deliveries(connection, consumer, &changes.update).await?;
        }
        if !changes.delete.is_empty() {
            let delete = query(&self.sql.delete_deliveries).bind(consumer).bind(&changes.delete);
            delete.execute(&mut *connection).await.during(RECORD)?;
        }
        if !changes.audit.is_empty() {
            self.insert_audit(connection, consumer, &changes.audit).await?;
        }
        let mut still_held = Vec::new();
        if !changes.release.is_empty() {
            let release = query(&self.sql.release_keys)
                .bind(consumer)
                .bind(&changes.release)
                .bind(changes.dead_holds_key)
                .bind(self.clock.fixed());
            release.execute(&mut *connection).await.during(RECORD)?;
            still_held = query_scalar(&self.sql.still_held)
                .bind(consumer)
                .bind(&changes.release)
                .bind(changes.dead_holds_key)
                .fetch_all(connection)
                .await
                .during(RECORD)?;
        }
        Ok(Recorded { still_held })
    }

    async fn append_checkpoint(
        &self,
        connection: &mut PgConnection,
        checkpoint: &Checkpoint<WindowProgress>,
    ) -> Result<()> {
        let appended = query(&self.sql.append_checkpoint)
            .bind(checkpoint.shard.consumer)
            .bind(checkpoint.shard.shard as i32)
            .bind(checkpoint.seq)
            .bind(Json(&checkpoint.progress))
            .bind(&checkpoint.completed)
            .bind(checkpoint.totals.handled)
            .bind(checkpoint.totals.retried)
            .bind(checkpoint.totals.dead)
            .bind(checkpoint.worker)
            .bind(checkpoint.drained)
            .bind(checkpoint.progress.server)
            .execute(connection)
            .await;
        match appended {
            Ok(appended) if appended.rows_affected() > 0 => Ok(()),
            Err(error) if !is_unique_violation(&error) => Err(Error::database(RECORD, error)),
            _ => Err(Error::new(
                ErrorKind::LeaseLost,
                RECORD,
                format!(
                    "another worker has taken over shard {}, or the server was restarted",
                    checkpoint.shard
                ),
            )),
        }
    }

    pub(super) async fn insert_deliveries(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
        rows: &[NewDelivery],
    ) -> Result<u64> {
        let column = |of: fn(&NewDelivery) -> &str| rows.iter().map(of).collect::<Vec<_>>();
        let inserted = query(&self.sql.insert_deliveries)
            .bind(consumer)
            .bind(self.clock.fixed())
            .bind(rows.iter().map(|row| row.event.position).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.event.id).collect::<Vec<_>>())
            .bind(column(|row| &row.event.name))
            .bind(rows.iter().map(|row| row.event.version as i32).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.event.key.as_deref()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.key_hash).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| Json(&*row.event.payload)).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| Json(&row.event.headers)).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.event.created_at).collect::<Vec<_>>())
            .bind(column(|row| row.state.as_str()))
            .bind(rows.iter().map(|row| row.attempts as i32).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| due_at(row.due)).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| due_in(row.due)).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.started).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.error.as_ref().map(Json)).collect::<Vec<_>>())
            .execute(connection)
            .await
            .during(RECORD)?;
        Ok(inserted.rows_affected())
    }

    async fn update_deliveries(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
        rows: &[UpdatedDelivery],
    ) -> Result<()> {
        query(&self.sql.update_deliveries)
            .bind(consumer)
            .bind(self.clock.fixed())
            .bind(rows.iter().map(|row| row.position).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.state.as_str()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.attempts as i32).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| due_at(row.due)).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| due_in(row.due)).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.started).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.error.as_ref().map(Json)).collect::<Vec<_>>())
            .execute(connection)
            .await
            .during(RECORD)?;
        Ok(())
    }

    async fn insert_audit(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
        rows: &[AuditEntry],
    ) -> Result<()> {
        query(&self.sql.insert_audit)
            .bind(consumer)
            .bind(rows.iter().map(|row| row.position).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.event_id).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.outcome).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.note.as_deref()).collect::<Vec<_>>())
            .bind(rows.iter().map(|row| row.attempt as i32).collect::<Vec<_>>())
            .execute(connection)
            .await
            .during(RECORD)?;
        Ok(())
    }

    pub(super) async fn due_deliveries(&self, query: &DueQuery) -> Result<Vec<DeliveryRow>> {
        const DUE: &str = "look for due deliveries";
        let found = session::query(&self.sql.due)
            .bind(query.consumer)
            .bind(query.slice.shard as i32)
            .bind(query.slice.shards as i32)
            .bind(self.clock.fixed())
            .bind(&query.except)
            .bind(query.ordered)
            .bind(query.slice.dead_holds_key)
            .bind(i64::from(query.limit))
            .all(&self.pool)
            .await
            .during(DUE)?;
        found
            .iter()
            .map(|row| {
                Ok(DeliveryRow {
                    event: rows::event(row)?,
                    attempts: row.try_get::<i32, _>(8)? as u32,
                    started: row.try_get(9)?,
                    crashed: row.try_get(10)?,
                })
            })
            .collect::<sqlx::Result<_>>()
            .during(DUE)
    }

    pub(super) async fn next_due_of(&self, consumers: &[&str]) -> Result<Vec<Option<Duration>>> {
        let waits: Vec<Option<i64>> = query_scalar(&self.sql.next_due)
            .bind(consumers)
            .bind(self.clock.fixed())
            .all(&self.pool)
            .await
            .during("look for the next due delivery")?;
        Ok(waits
            .into_iter()
            .map(|wait| wait.map(|us| Duration::from_micros(us.max(0).unsigned_abs())))
            .collect())
    }
}

fn due_at(due: Due) -> Option<DateTime<Utc>> {
    match due {
        Due::At(at) => Some(at),
        Due::In(_) | Due::Never => None,
    }
}

fn due_in(due: Due) -> Option<i64> {
    match due {
        Due::In(wait) => Some(micros(wait)),
        Due::At(_) | Due::Never => None,
    }
}
