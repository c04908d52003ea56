//! Who runs which shard, and the checkpoint that makes taking over final.

use std::time::Duration;

use sqlx::types::Json;
use uuid::Uuid;

use super::window::WindowProgress;
use super::{PostgresStore, micros};
use crate::error::{During, Error, ErrorKind, Result};
use crate::event::Position;
use crate::store::types::Totals;
use crate::store::{ShardId, Slice, Taken};

/// How often a take-over is tried again when the worker before is still appending checkpoints.
const TAKE_OVER_TRIES: u32 = 10;

impl PostgresStore {
    pub(super) async fn acquire_leases(
        &self,
        worker: Uuid,
        shards: &[ShardId],
        ttl: Duration,
    ) -> Result<Vec<(ShardId, bool)>> {
        const ACQUIRE: &str = "acquire leases";
        let (consumers, numbers) = columns(shards);
        let free: Vec<(String, i32)> = sqlx::query_as(self.sql.free_leases.safe())
            .bind(&consumers)
            .bind(&numbers)
            .fetch_all(&mut *self.connections.get(ACQUIRE).await?)
            .await
            .during(ACQUIRE)?;
        if free.is_empty() {
            return Ok(Vec::new());
        }
        let (consumers, numbers): (Vec<String>, Vec<i32>) = free.into_iter().unzip();
        let taken: Vec<(String, i32, bool)> = sqlx::query_as(self.sql.acquire_leases.safe())
            .bind(consumers)
            .bind(numbers)
            .bind(worker)
            .bind(micros(ttl))
            .fetch_all(&mut *self.connections.get(ACQUIRE).await?)
            .await
            .during(ACQUIRE)?;
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
        worker: Uuid,
        held: &[(ShardId, u32)],
        ttl: Duration,
    ) -> Result<Vec<ShardId>> {
        let (shards, in_flight): (Vec<ShardId>, Vec<i32>) =
            held.iter().map(|(id, count)| (id.clone(), *count as i32)).unzip();
        let (consumers, numbers) = columns(&shards);
        let kept: Vec<(String, i32)> = sqlx::query_as(self.sql.renew_leases.safe())
            .bind(worker)
            .bind(consumers)
            .bind(numbers)
            .bind(in_flight)
            .bind(micros(ttl))
            .bind(crate::worker::host_name())
            .bind(std::process::id() as i32)
            .bind(env!("CARGO_PKG_VERSION"))
            .fetch_all(&mut *self.connections.get("renew leases").await?)
            .await
            .during("renew leases")?;
        Ok(shards
            .into_iter()
            .filter(|id| kept.iter().any(|(consumer, shard)| same(id, consumer, *shard)))
            .collect())
    }

    pub(super) async fn release_leases(&self, worker: Uuid, shards: &[ShardId]) -> Result<()> {
        let (consumers, numbers) = columns(shards);
        sqlx::query(self.sql.release_leases.safe())
            .bind(worker)
            .bind(consumers)
            .bind(numbers)
            .execute(&mut *self.connections.get("hand leases back").await?)
            .await
            .during("hand leases back")?;
        Ok(())
    }

    pub(super) async fn take_shard_over(
        &self,
        shard: &ShardId,
        slice: &Slice,
        worker: Uuid,
    ) -> Result<Taken<WindowProgress>> {
        let (seq, progress, completed, totals) = self.next_epoch(shard, worker).await?;
        let waiting = sqlx::query(self.sql.free_waiting.safe())
            .bind(shard.consumer)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .bind(slice.event_version as i32)
            .bind(self.clock.fixed());
        waiting
            .execute(&mut *self.connections.get("free waiting deliveries").await?)
            .await
            .during("free waiting deliveries")?;
        self.free_parked_of(shard, slice).await?;
        let held_keys = sqlx::query_scalar(self.sql.held_keys.safe())
            .bind(shard.consumer)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .bind(slice.dead_holds_key)
            .fetch_all(&mut *self.connections.get("read held keys").await?)
            .await
            .during("read held keys")?;
        let has_deliveries = sqlx::query_scalar(self.sql.has_deliveries.safe())
            .bind(shard.consumer)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .fetch_one(&mut *self.connections.get("look for deliveries").await?)
            .await
            .during("look for deliveries")?;
        Ok(Taken { seq, progress, completed, totals, held_keys, has_deliveries })
    }

    pub(super) async fn free_parked_of(&self, shard: &ShardId, slice: &Slice) -> Result<u64> {
        let freed = sqlx::query(self.sql.free_parked.safe())
            .bind(shard.consumer)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .bind(slice.dead_holds_key)
            .bind(self.clock.fixed())
            .execute(&mut *self.connections.get("free parked deliveries").await?)
            .await
            .during("free parked deliveries")?;
        Ok(freed.rows_affected())
    }

    async fn next_epoch(
        &self,
        shard: &ShardId,
        worker: Uuid,
    ) -> Result<(i64, WindowProgress, Vec<Position>, Totals)> {
        const TAKE_OVER: &str = "take over a shard";
        type Epoch = (i64, Json<WindowProgress>, Vec<Position>, i64, i64, i64);
        for _ in 0..TAKE_OVER_TRIES {
            let row: sqlx::Result<Option<Epoch>> = sqlx::query_as(self.sql.take_over.safe())
                .bind(shard.consumer)
                .bind(shard.shard as i32)
                .bind(worker)
                .fetch_optional(&mut *self.connections.get(TAKE_OVER).await?)
                .await;
            match row {
                Ok(Some((seq, progress, completed, handled, retried, dead))) => {
                    let totals = Totals { handled, retried, dead };
                    return Ok((seq, progress.0, completed, totals));
                }
                Ok(None) => {
                    let message =
                        format!("shard {shard} has no checkpoint: it was never registered");
                    return Err(Error::new(ErrorKind::NotFound, TAKE_OVER, message));
                }
                Err(error) if is_unique_violation(&error) => {}
                Err(error) => return Err(Error::database(TAKE_OVER, error)),
            }
        }
        let message = format!("another worker keeps recording progress of shard {shard}");
        Err(Error::new(ErrorKind::LeaseLost, TAKE_OVER, message))
    }
}

fn columns(shards: &[ShardId]) -> (Vec<String>, Vec<i32>) {
    shards.iter().map(|id| (id.consumer.to_owned(), id.shard as i32)).unzip()
}

fn same(id: &ShardId, consumer: &str, shard: i32) -> bool {
    id.consumer == consumer && id.shard as i32 == shard
}

pub(super) fn is_unique_violation(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(database) if database.is_unique_violation())
}
