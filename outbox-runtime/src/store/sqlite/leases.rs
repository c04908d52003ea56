//! Who runs which shard, and the checkpoint that makes taking over final.

use std::time::Duration;

use chrono::Utc;
use sqlx::SqliteConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::progress::LogProgress;
use super::rows::ShardValues;
use super::{SqliteStore, later};
use crate::error::{During, Error, ErrorKind, Result};
use crate::event::Position;
use crate::store::types::{FleetRow, Totals};
use crate::store::{Fleet, Heartbeat, Pulse, ShardId, Slice, Taken};

impl SqliteStore {
    pub(super) async fn feel_pulse(&self, consumers: &[&str]) -> Result<Pulse> {
        let (revision, free, workers): (i64, i64, Json<Vec<Uuid>>) =
            sqlx::query_as(self.sql.pulse.safe())
                .bind(Json(consumers))
                .bind(lease_now_us())
                .fetch_one(&mut *self.pool.asked().await.during("look for changes")?)
                .await
                .during("look for changes")?;
        Ok(Pulse { revision, free, workers: workers.0 })
    }

    pub(super) async fn living_fleet(&self) -> Result<Fleet> {
        const FLEET: &str = "look at the fleet";
        let rows: Vec<FleetRow<Json<Vec<String>>, u32>> = sqlx::query_as(self.sql.fleet.safe())
            .bind(lease_now_us())
            .fetch_all(&mut *self.pool.asked().await.during(FLEET)?)
            .await
            .during(FLEET)?;
        Ok(Fleet::of(rows, |Json(consumers)| consumers, |count| count))
    }

    pub(super) async fn free_shards(&self, consumers: &[&str]) -> Result<Vec<(String, u32)>> {
        sqlx::query_as(self.sql.free_leases.safe())
            .bind(Json(consumers))
            .bind(lease_now_us())
            .fetch_all(&mut *self.pool.asked().await.during("look for free leases")?)
            .await
            .during("look for free leases")
    }

    pub(super) async fn acquire_leases(
        &self,
        worker: Uuid,
        shards: &[ShardId],
        ttl: Duration,
    ) -> Result<Vec<(ShardId, bool)>> {
        const ACQUIRE: &str = "acquire leases";
        let mut tx = self.begin_writing(ACQUIRE).await?;
        // After the wait for the write lock: leases count from here.
        let now_us = lease_now_us();
        let taken: Vec<(String, u32, bool)> = sqlx::query_as(self.sql.acquire_leases.safe())
            .bind(Json(values(shards)))
            .bind(worker)
            .bind(now_us)
            .bind(later(now_us, ttl))
            .fetch_all(&mut *tx)
            .await
            .during(ACQUIRE)?;
        tx.commit().await.during(ACQUIRE)?;
        Ok(shards
            .iter()
            .filter_map(|id| {
                let row = taken.iter().find(|(consumer, shard, _)| same(id, consumer, *shard))?;
                Some((id.clone(), row.2))
            })
            .collect())
    }

    pub(super) async fn renew_leases(
        &self,
        heartbeat: &Heartbeat<'_>,
        held: &[(ShardId, u32)],
    ) -> Result<Vec<ShardId>> {
        const RENEW: &str = "renew leases";
        let mut tx = self.begin_writing(RENEW).await?;
        // After the wait for the write lock: leases count from here.
        let now_us = lease_now_us();
        sqlx::query(self.sql.worker_alive.safe())
            .bind(heartbeat.worker)
            .bind(crate::worker::host_name())
            .bind(std::process::id())
            .bind(env!("CARGO_PKG_VERSION"))
            .bind(Json(heartbeat.consumers))
            .bind(heartbeat.leaving)
            .bind(now_us)
            .bind(later(now_us, heartbeat.ttl))
            .execute(&mut *tx)
            .await
            .during(RENEW)?;
        let leases: Vec<_> = held.iter().map(|(id, count)| ShardValues::new(id, *count)).collect();
        let kept: Vec<(String, u32)> = sqlx::query_as(self.sql.renew_leases.safe())
            .bind(heartbeat.worker)
            .bind(Json(leases))
            .bind(later(now_us, heartbeat.ttl))
            .fetch_all(&mut *tx)
            .await
            .during(RENEW)?;
        tx.commit().await.during(RENEW)?;
        Ok(held
            .iter()
            .filter(|(id, _)| kept.iter().any(|(consumer, shard)| same(id, consumer, *shard)))
            .map(|(id, _)| id.clone())
            .collect())
    }

    pub(super) async fn release_leases(
        &self,
        worker: Uuid,
        shards: &[ShardId],
        clean: bool,
    ) -> Result<()> {
        let statement = sqlx::query(self.sql.release_leases.safe())
            .bind(worker)
            .bind(Json(values(shards)))
            .bind(lease_now_us())
            .bind(clean);
        self.write("hand leases back", statement).await.map(drop)
    }

    /// One transaction: the write lock is taken once, and what is found belongs to the checkpoint.
    pub(super) async fn take_shard_over(
        &self,
        shard: &ShardId,
        slice: &Slice,
        worker: Uuid,
    ) -> Result<Taken<LogProgress>> {
        const TAKE_OVER: &str = "take over a shard";
        let mut tx = self.begin_writing(TAKE_OVER).await?;
        let (seq, progress, completed, totals) = self.next_epoch(&mut tx, shard, worker).await?;
        let orders = self.orders_of(&mut tx, shard.consumer).await?;
        let slice = &Slice { shards: orders.shards, ..slice.clone() };
        sqlx::query(self.sql.free_waiting.safe())
            .bind(shard.consumer)
            .bind(slice.shard)
            .bind(slice.shards)
            .bind(slice.event_version)
            .bind(self.now_us())
            .execute(&mut *tx)
            .await
            .during("free waiting deliveries")?;
        self.free_parked_in(&mut tx, shard, slice).await?;
        let held_keys = sqlx::query_scalar(self.sql.held_keys.safe())
            .bind(shard.consumer)
            .bind(slice.shard)
            .bind(slice.shards)
            .bind(slice.dead_holds_key)
            .fetch_all(&mut *tx)
            .await
            .during("read held keys")?;
        let has_deliveries = sqlx::query_scalar(self.sql.has_deliveries.safe())
            .bind(shard.consumer)
            .bind(slice.shard)
            .bind(slice.shards)
            .fetch_one(&mut *tx)
            .await
            .during("look for deliveries")?;
        let paused_keys = sqlx::query_scalar(self.sql.paused_keys.safe())
            .bind(shard.consumer)
            .fetch_all(&mut *tx)
            .await
            .during("read paused keys")?;
        tx.commit().await.during(TAKE_OVER)?;
        Ok(Taken {
            seq,
            progress,
            completed,
            totals,
            held_keys,
            has_deliveries,
            paused_keys,
            orders,
        })
    }

    async fn free_parked_in(
        &self,
        connection: &mut SqliteConnection,
        shard: &ShardId,
        slice: &Slice,
    ) -> Result<()> {
        sqlx::query(self.sql.free_parked.safe())
            .bind(shard.consumer)
            .bind(slice.shard)
            .bind(slice.shards)
            .bind(slice.dead_holds_key)
            .bind(self.now_us())
            .bind(slice.ordered)
            .execute(connection)
            .await
            .during("free parked deliveries")?;
        Ok(())
    }

    async fn next_epoch(
        &self,
        connection: &mut SqliteConnection,
        shard: &ShardId,
        worker: Uuid,
    ) -> Result<(i64, LogProgress, Vec<Position>, Totals)> {
        const TAKE_OVER: &str = "take over a shard";
        type Epoch = (i64, Json<LogProgress>, Json<Vec<Position>>, i64, i64, i64);
        let row: Option<Epoch> = sqlx::query_as(self.sql.take_over.safe())
            .bind(shard.consumer)
            .bind(shard.shard)
            .bind(worker)
            .bind(self.now_us())
            .fetch_optional(connection)
            .await
            .during(TAKE_OVER)?;
        let (seq, progress, completed, handled, retried, dead) = row.ok_or_else(|| {
            let message = format!("this worker does not have the lease of shard {shard}");
            Error::new(ErrorKind::LeaseLost, TAKE_OVER, message)
        })?;
        Ok((seq, progress.0, completed.0, Totals { handled, retried, dead }))
    }
}

/// The time that leases go by: the machine's, whatever clock a test has.
fn lease_now_us() -> i64 {
    Utc::now().timestamp_micros()
}

fn values(shards: &[ShardId]) -> Vec<ShardValues> {
    shards.iter().map(|id| ShardValues::new(id, 0)).collect()
}

fn same(id: &ShardId, consumer: &str, shard: u32) -> bool {
    id.consumer == consumer && id.shard == shard
}
