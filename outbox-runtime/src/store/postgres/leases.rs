//! Who runs which shard, and the checkpoint that makes taking over final.

use std::time::Duration;

use sqlx::types::Json;
use uuid::Uuid;

use super::session::{Statement, query, query_as, query_scalar};
use super::window::{Server, WindowProgress};
use super::{PostgresStore, micros};
use crate::error::{During, Error, ErrorKind, Result};
use crate::event::Position;
use crate::store::types::{FleetRow, Totals};
use crate::store::{Fleet, Heartbeat, ShardId, Slice, Taken};

/// How often a take-over is tried again when the worker before is still appending checkpoints.
const TAKE_OVER_TRIES: u32 = 10;

const TAKE_OVER: &str = "take over a shard";

impl PostgresStore {
    pub(super) async fn living_fleet(&self) -> Result<Fleet> {
        let rows: Vec<FleetRow<Vec<String>, i32>> =
            query_as(&self.sql.fleet).all(&self.pool).await.during("look at the fleet")?;
        Ok(Fleet::of(rows, |consumers| consumers, |count| count as u32))
    }

    pub(super) async fn free_shards(&self, consumers: &[&str]) -> Result<Vec<(String, u32)>> {
        let free: Vec<(String, i32)> = query_as(&self.sql.free_leases)
            .bind(consumers)
            .all(&self.pool)
            .await
            .during("look for free leases")?;
        Ok(free.into_iter().map(|(consumer, shard)| (consumer, shard as u32)).collect())
    }

    pub(super) async fn acquire_leases(
        &self,
        worker: Uuid,
        shards: &[ShardId],
        ttl: Duration,
    ) -> Result<Vec<(ShardId, bool)>> {
        let (consumers, numbers) = columns(shards);
        let taken: Vec<(String, i32, bool)> = query_as(&self.sql.acquire_leases)
            .bind(consumers)
            .bind(numbers)
            .bind(worker)
            .bind(micros(ttl))
            .all(self.pool.writing())
            .await
            .during("acquire leases")?;
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
        let (shards, in_flight): (Vec<ShardId>, Vec<i32>) =
            held.iter().map(|(id, count)| (id.clone(), *count as i32)).unzip();
        let (consumers, numbers) = columns(&shards);
        let kept: Vec<(String, i32)> = query_as(&self.sql.renew_leases)
            .bind(heartbeat.worker)
            .bind(consumers)
            .bind(numbers)
            .bind(in_flight)
            .bind(micros(heartbeat.ttl))
            .bind(crate::worker::host_name())
            .bind(std::process::id() as i32)
            .bind(env!("CARGO_PKG_VERSION"))
            .bind(heartbeat.consumers)
            .bind(heartbeat.leaving)
            .all(self.pool.writing())
            .await
            .during("renew leases")?;
        Ok(shards
            .into_iter()
            .filter(|id| kept.iter().any(|(consumer, shard)| same(id, consumer, *shard)))
            .collect())
    }

    pub(super) async fn release_leases(
        &self,
        worker: Uuid,
        shards: &[ShardId],
        clean: bool,
    ) -> Result<()> {
        let (consumers, numbers) = columns(shards);
        query(&self.sql.release_leases)
            .bind(worker)
            .bind(consumers)
            .bind(numbers)
            .bind(clean)
            .run(self.pool.writing())
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
        let mut session = self.pool.session().await.during(TAKE_OVER)?;
        let orders = self.orders_of(&mut session, shard.consumer).await?;
        session.end().await.during(TAKE_OVER)?;
        let slice = &Slice { shards: orders.shards, ..slice.clone() };
        let waiting = query(&self.sql.free_waiting)
            .bind(shard.consumer)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .bind(slice.event_version as i32)
            .bind(self.clock.fixed());
        waiting.run(self.pool.writing()).await.during("free waiting deliveries")?;
        self.free_parked_of(shard, slice).await?;
        let held_keys = query_scalar(&self.sql.held_keys)
            .bind(shard.consumer)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .bind(slice.dead_holds_key)
            .all(&self.pool)
            .await
            .during("read held keys")?;
        let has_deliveries = query_scalar(&self.sql.has_deliveries)
            .bind(shard.consumer)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .one(&self.pool)
            .await
            .during("look for deliveries")?;
        let paused_keys = query_scalar(&self.sql.paused_keys)
            .bind(shard.consumer)
            .all(&self.pool)
            .await
            .during("read paused keys")?;
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

    pub(super) async fn free_parked_of(&self, shard: &ShardId, slice: &Slice) -> Result<u64> {
        let freed = query(&self.sql.free_parked)
            .bind(shard.consumer)
            .bind(slice.shard as i32)
            .bind(slice.shards as i32)
            .bind(slice.dead_holds_key)
            .bind(self.clock.fixed())
            .bind(slice.ordered)
            .run(self.pool.writing())
            .await
            .during("free parked deliveries")?;
        Ok(freed.rows_affected())
    }

    async fn next_epoch(
        &self,
        shard: &ShardId,
        worker: Uuid,
    ) -> Result<(i64, WindowProgress, Vec<Position>, Totals)> {
        type Epoch = (i64, Json<WindowProgress>, Vec<Position>, i64, i64, i64, Server);
        for _ in 0..TAKE_OVER_TRIES {
            let row: sqlx::Result<Option<Epoch>> = query_as(&self.sql.take_over)
                .bind(shard.consumer)
                .bind(shard.shard as i32)
                .bind(worker)
                .optional(self.pool.writing())
                .await;
            match row {
                Ok(Some((seq, progress, completed, handled, retried, dead, server))) => {
                    let totals = Totals { handled, retried, dead };
                    return Ok((seq, progress.0.on(server), completed, totals));
                }
                Ok(None) if self.translate_if_restored().await? => {}
                Ok(None) => {
                    let message = format!("this worker does not have the lease of shard {shard}");
                    return Err(Error::new(ErrorKind::LeaseLost, TAKE_OVER, message));
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
