//! Recording what happened, and finding the deliveries whose time has come.

use std::time::Duration;

use sqlx::types::Json;
use sqlx::{Row, SqliteConnection};

use super::progress::LogProgress;
use super::rows::{AuditValues, DeliveryValues, UpdateValues};
use super::{SqliteStore, rows};
use crate::error::{During, Error, ErrorKind, Result};
use crate::store::{
    AuditEntry, Changes, Checkpoint, DeliveryRow, DueQuery, NewDelivery, Recorded, UpdatedDelivery,
};

const RECORD: &str = "record progress";

impl SqliteStore {
    pub(super) async fn record_in(
        &self,
        connection: &mut SqliteConnection,
        checkpoint: &Checkpoint<LogProgress>,
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
            let delete = sqlx::query(self.sql.delete_deliveries.safe())
                .bind(consumer)
                .bind(Json(&changes.delete));
            delete.execute(&mut *connection).await.during(RECORD)?;
        }
        if !changes.audit.is_empty() {
            self.insert_audit(connection, consumer, &changes.audit).await?;
        }
        let mut still_held = Vec::new();
        if !changes.release.is_empty() {
            let release = sqlx::query(self.sql.release_keys.safe())
                .bind(consumer)
                .bind(Json(&changes.release))
                .bind(changes.dead_holds_key)
                .bind(self.now_us());
            release.execute(&mut *connection).await.during(RECORD)?;
            still_held = sqlx::query_scalar(self.sql.still_held.safe())
                .bind(consumer)
                .bind(Json(&changes.release))
                .bind(changes.dead_holds_key)
                .fetch_all(connection)
                .await
                .during(RECORD)?;
        }
        Ok(Recorded { still_held })
    }

    async fn append_checkpoint(
        &self,
        connection: &mut SqliteConnection,
        checkpoint: &Checkpoint<LogProgress>,
    ) -> Result<()> {
        let appended = sqlx::query(self.sql.append_checkpoint.safe())
            .bind(checkpoint.shard.consumer)
            .bind(checkpoint.shard.shard)
            .bind(checkpoint.seq)
            .bind(Json(&checkpoint.progress))
            .bind(Json(&checkpoint.completed))
            .bind(checkpoint.totals.handled)
            .bind(checkpoint.totals.retried)
            .bind(checkpoint.totals.dead)
            .bind(checkpoint.worker)
            .bind(self.now_us())
            .bind(checkpoint.drained)
            .execute(connection)
            .await;
        match appended {
            Ok(done) if done.rows_affected() > 0 => Ok(()),
            Err(sqlx::Error::Database(error)) if !error.is_unique_violation() => {
                Err(Error::database(RECORD, sqlx::Error::Database(error)))
            }
            Ok(_) | Err(sqlx::Error::Database(_)) => Err(Error::new(
                ErrorKind::LeaseLost,
                RECORD,
                format!("another worker has taken over shard {}", checkpoint.shard),
            )),
            Err(error) => Err(Error::database(RECORD, error)),
        }
    }

    pub(super) async fn insert_deliveries(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
        rows: &[NewDelivery],
    ) -> Result<u64> {
        let now_us = self.now_us();
        let values: Vec<_> = rows.iter().map(|row| DeliveryValues::new(row, now_us)).collect();
        let inserted = sqlx::query(self.sql.insert_deliveries.safe())
            .bind(consumer)
            .bind(Json(values))
            .bind(now_us)
            .execute(connection)
            .await
            .during(RECORD)?;
        Ok(inserted.rows_affected())
    }

    async fn update_deliveries(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
        rows: &[UpdatedDelivery],
    ) -> Result<()> {
        let now_us = self.now_us();
        let values: Vec<_> = rows.iter().map(|row| UpdateValues::new(row, now_us)).collect();
        sqlx::query(self.sql.update_deliveries.safe())
            .bind(consumer)
            .bind(Json(values))
            .bind(now_us)
            .execute(connection)
            .await
            .during(RECORD)?;
        Ok(())
    }

    async fn insert_audit(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
        rows: &[AuditEntry],
    ) -> Result<()> {
        sqlx::query(self.sql.insert_audit.safe())
            .bind(consumer)
            .bind(Json(rows.iter().map(AuditValues::from).collect::<Vec<_>>()))
            .bind(self.now_us())
            .execute(connection)
            .await
            .during(RECORD)?;
        Ok(())
    }

    pub(super) async fn due_deliveries(&self, query: &DueQuery) -> Result<Vec<DeliveryRow>> {
        const DUE: &str = "look for due deliveries";
        let found = sqlx::query(self.sql.due.safe())
            .bind(query.consumer)
            .bind(query.slice.shard)
            .bind(query.slice.shards)
            .bind(self.now_us())
            .bind(Json(&query.except))
            .bind(query.ordered)
            .bind(query.slice.dead_holds_key)
            .bind(query.limit)
            .fetch_all(&mut *self.pool.asked().await.during(DUE)?)
            .await
            .during(DUE)?;
        found
            .iter()
            .map(|row| {
                Ok(DeliveryRow {
                    event: rows::event(row)?,
                    attempts: row.try_get(8)?,
                    started: row.try_get(9)?,
                    crashed: row.try_get(10)?,
                })
            })
            .collect::<sqlx::Result<_>>()
            .during(DUE)
    }

    pub(super) async fn next_due_of(&self, consumers: &[&str]) -> Result<Vec<Option<Duration>>> {
        let waits: Vec<Option<i64>> = sqlx::query_scalar(self.sql.next_due.safe())
            .bind(Json(consumers))
            .bind(self.now_us())
            .fetch_all(&mut *self.pool.asked().await.during("look for the next due delivery")?)
            .await
            .during("look for the next due delivery")?;
        Ok(waits
            .into_iter()
            .map(|wait| wait.map(|us| Duration::from_micros(us.max(0).unsigned_abs())))
            .collect())
    }
}
