//! Running everything that is due, once.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Known, Manager, RELEASE, RENEW};
use crate::error::{ErrorKind, Result};
use crate::store::{Heartbeat, ShardId, Store};
use crate::worker::crew::Tally;
use crate::worker::retention;
use crate::worker::shard::{Shard, Until};

impl<S: Store> Manager<S> {
    /// Runs all shards that are free until none has anything to do. Takes whatever is free, since it
    /// soon hands it back, and so counts among those that are about to leave.
    pub(in crate::worker) async fn drain(mut self) -> Result<Tally> {
        self.leaving = true;
        let wanted = self.names().into_iter().map(|name| (name, usize::MAX)).collect();
        let taken = self.take(wanted).await?;
        let ids: Vec<ShardId> = taken.iter().map(|(id, _)| id.clone()).collect();
        let kept = CancellationToken::new();
        let keeping = self.keep_leases(ids.clone(), kept.clone());
        let drained = self.drain_shards(&taken).await;
        kept.cancel();
        // A panic in it has been reported by then.
        let _ = keeping.await;
        if !ids.is_empty() {
            let crew = &self.crew;
            crew.answered(RELEASE, crew.store.release(crew.worker, &ids)).await?;
            crew.answered(RELEASE, crew.store.forget_worker(crew.worker)).await?;
        }
        retention::once(&self.crew).await;
        drained
    }

    /// The shards, and whatever still runs in them, are gone when this returns.
    async fn drain_shards(&self, taken: &[(ShardId, bool)]) -> Result<Tally> {
        let token = CancellationToken::new();
        let mut shards = Vec::with_capacity(taken.len());
        for (id, unclean) in taken {
            let known = self.consumers.iter().find(|known| known.name() == id.consumer);
            let Some(Known { consumer, .. }) = known else { continue };
            let (crew, consumer) = (Arc::clone(&self.crew), Arc::clone(consumer));
            let token = token.child_token();
            match Shard::take_over(crew, consumer, id.shard, *unclean, token).await {
                Ok(shard) => shards.push(shard),
                // Somebody changed the consumer meanwhile.
                Err(error) if error.kind() == ErrorKind::LeaseLost => {}
                Err(error) => return Err(error),
            }
        }
        drain_all(&mut shards).await?;
        Ok(shards.iter().fold(Tally::default(), |mut sum, shard| {
            sum += shard.tally;
            sum
        }))
    }

    /// Renews the leases while a drain goes on: on a task of its own, because a renewal may have to
    /// wait for a transaction of the shards, which then have to be able to go on. A shard that was
    /// lost finds out when it records.
    fn keep_leases(&self, held: Vec<ShardId>, stop: CancellationToken) -> JoinHandle<()> {
        let (crew, names) = (Arc::clone(&self.crew), self.names());
        tokio::spawn(async move {
            let (worker, ttl) = (crew.worker, crew.options.lease);
            let heartbeat = Heartbeat { worker, consumers: &names, leaving: true, ttl };
            let mut ticks = interval(ttl / 3);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !held.is_empty() {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = stop.cancelled() => return,
                }
                let held: Vec<_> = held.iter().map(|id| (id.clone(), crew.in_flight(id))).collect();
                let asked = Instant::now();
                match crew.answered(RENEW, crew.store.renew(&heartbeat, &held)).await {
                    Ok(kept) => crew.keep_leases(&kept, asked),
                    Err(error) => crew.outage.note("renewing leases", &error),
                }
            }
        })
    }
}

/// Pass after pass, since what one consumer emits may be what another waits for.
async fn drain_all<S: Store>(shards: &mut [Shard<S>]) -> Result<()> {
    loop {
        let before: u64 = shards.iter().map(|shard| shard.tally.sum()).sum();
        let pass = shards.iter_mut().map(|shard| shard.run(Until::Drained));
        futures_util::future::try_join_all(pass).await?;
        let after: u64 = shards.iter().map(|shard| shard.tally.sum()).sum();
        if after == before {
            return Ok(());
        }
        for shard in shards.iter_mut() {
            shard.look_again();
        }
    }
}
