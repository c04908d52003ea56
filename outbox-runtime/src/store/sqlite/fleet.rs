//! Who works on what, and how fast.

use std::time::Duration;

use chrono::Utc;
use sqlx::Row;
use sqlx::types::Json;

use super::{SqliteStore, rows};
use crate::error::{During, Result};
use crate::store::{Sample, ShardInfo, WorkerInfo};

impl SqliteStore {
    pub(super) async fn list_workers(&self) -> Result<Vec<WorkerInfo>> {
        const LIST: &str = "list workers";
        let found = sqlx::query(self.sql.workers.safe())
            .bind(Utc::now().timestamp_micros())
            .fetch_all(&mut *self.pool.asked().await.during(LIST)?)
            .await
            .during(LIST)?;
        let workers = found.iter().map(|row| {
            Ok(WorkerInfo {
                id: row.try_get(0)?,
                host: row.try_get(1)?,
                pid: row.try_get(2)?,
                version: row.try_get(3)?,
                consumers: row.try_get::<Json<_>, _>(4)?.0,
                started_at: rows::time(row.try_get(5)?)?,
                heartbeat_at: rows::time(row.try_get(6)?)?,
                alive: row.try_get(7)?,
                leaving: row.try_get(8)?,
                shards: row.try_get(9)?,
            })
        });
        workers.collect::<sqlx::Result<_>>().during(LIST)
    }

    pub(super) async fn list_shards(&self, consumer: Option<&str>) -> Result<Vec<ShardInfo>> {
        const LIST: &str = "list shards";
        let found = sqlx::query(self.sql.shards.safe())
            .bind(consumer)
            .bind(Utc::now().timestamp_micros())
            .fetch_all(&mut *self.pool.asked().await.during(LIST)?)
            .await
            .during(LIST)?;
        let shards = found.iter().map(|row| {
            Ok(ShardInfo {
                consumer: row.try_get(0)?,
                shard: row.try_get(1)?,
                worker: row.try_get(2)?,
                expires_at: rows::time_or_none(row.try_get(3)?)?,
                expired: row.try_get(4)?,
                epoch: row.try_get::<i64, _>(5)?.unsigned_abs(),
                in_flight: row.try_get(6)?,
                seq: row.try_get(7)?,
                progress: row.try_get::<Json<_>, _>(8)?.0,
                handled: row.try_get::<i64, _>(9)?.unsigned_abs(),
                retried: row.try_get::<i64, _>(10)?.unsigned_abs(),
                dead: row.try_get::<i64, _>(11)?.unsigned_abs(),
                drained: row.try_get(12)?,
                recorded_at: rows::time(row.try_get(13)?)?,
            })
        });
        shards.collect::<sqlx::Result<_>>().during(LIST)
    }

    pub(super) async fn ledger_history(
        &self,
        consumer: &str,
        back: Duration,
        step: Duration,
    ) -> Result<Vec<Sample>> {
        const READ: &str = "read the ledger";
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        let rows: Vec<(u32, i64, i64, i64, i64)> = sqlx::query_as(self.sql.history.safe())
            .bind(consumer)
            .bind(self.now_us().saturating_sub(micros(back)))
            .bind(micros(step).max(1))
            .fetch_all(&mut *self.pool.asked().await.during(READ)?)
            .await
            .during(READ)?;
        let samples = rows.into_iter().map(|(shard, slot, handled, retried, dead)| Sample {
            shard,
            slot,
            handled,
            retried,
            dead,
        });
        Ok(samples.collect())
    }
}
