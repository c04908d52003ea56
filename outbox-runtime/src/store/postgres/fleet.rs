//! Who works on what, and how fast.

use std::time::Duration;

use sqlx::Row;
use sqlx::types::Json;

use super::PostgresStore;
use super::session::{Statement, query, query_as};
use crate::error::{During, Result};
use crate::store::{Sample, ShardInfo, WorkerInfo};

impl PostgresStore {
    pub(super) async fn list_workers(&self) -> Result<Vec<WorkerInfo>> {
        const LIST: &str = "list workers";
        let rows = query(&self.sql.workers).all(&self.pool).await.during(LIST)?;
        let workers = rows.iter().map(|row| {
            Ok(WorkerInfo {
                id: row.try_get(0)?,
                host: row.try_get(1)?,
                pid: row.try_get::<i32, _>(2)? as u32,
                version: row.try_get(3)?,
                consumers: row.try_get(4)?,
                started_at: row.try_get(5)?,
                heartbeat_at: row.try_get(6)?,
                alive: row.try_get(7)?,
                leaving: row.try_get(8)?,
                shards: row.try_get::<i64, _>(9)? as u32,
            })
        });
        workers.collect::<sqlx::Result<_>>().during(LIST)
    }

    pub(super) async fn list_shards(&self, consumer: Option<&str>) -> Result<Vec<ShardInfo>> {
        const LIST: &str = "list shards";
        let rows = query(&self.sql.shards).bind(consumer).all(&self.pool).await.during(LIST)?;
        let shards = rows.iter().map(|row| {
            Ok(ShardInfo {
                consumer: row.try_get(0)?,
                shard: row.try_get::<i32, _>(1)? as u32,
                worker: row.try_get(2)?,
                expires_at: row.try_get(3)?,
                expired: row.try_get(4)?,
                epoch: row.try_get::<i64, _>(5)?.unsigned_abs(),
                in_flight: row.try_get::<i32, _>(6)? as u32,
                seq: row.try_get(7)?,
                progress: row.try_get::<Json<_>, _>(8)?.0,
                handled: row.try_get::<i64, _>(9)?.unsigned_abs(),
                retried: row.try_get::<i64, _>(10)?.unsigned_abs(),
                dead: row.try_get::<i64, _>(11)?.unsigned_abs(),
                drained: row.try_get(12)?,
                recorded_at: row.try_get(13)?,
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
        let rows: Vec<(i32, i64, i64, i64, i64)> = query_as(&self.sql.history)
            .bind(consumer)
            .bind(back.as_secs_f64())
            .bind(step.as_secs_f64())
            .all(&self.pool)
            .await
            .during(READ)?;
        let samples = rows.into_iter().map(|(shard, slot, handled, retried, dead)| Sample {
            shard: shard as u32,
            slot,
            handled,
            retried,
            dead,
        });
        Ok(samples.collect())
    }
}
