//! Running everything that is due, once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{Manager, RELEASE, RENEW};
use crate::consumer::Bound;
use crate::error::{ErrorKind, Result};
use crate::store::{Heartbeat, ShardId, Store};
use crate::worker::crew::{Crew, Tally};
use crate::worker::retention;
use crate::worker::shard::{Shard, Until};

/// The leases of a drain, each with what tells its shard that it was lost.
type Leases = Arc<Mutex<Vec<(ShardId, CancellationToken)>>>;

/// A shard that is drained: taken over again and again while operations change its consumer.
struct Draining<S: Store> {
    crew: Arc<Crew<S>>,
    consumer: Arc<Bound<S::Db>>,
    id: ShardId,
    unclean: bool,
    lost: CancellationToken,
    shard: Option<Shard<S>>,
    /// Of the lives before.
    tally: Tally,
}

impl<S: Store> Manager<S> {
    /// Runs all shards that are free until none has anything to do. Takes whatever is free, since it
    /// soon hands it back, and so counts among those that are about to leave.
    pub(in crate::worker) async fn drain(mut self) -> Result<Tally> {
        self.leaving = true;
        let leases = Leases::default();
        let kept = CancellationToken::new();
        let keeping = self.keep_leases(Arc::clone(&leases), kept.clone());
        let mut shards = Vec::new();
        let drained = self.drain_shards(&mut shards, &leases).await;
        let (mut tally, mut clean, mut unclean) = (Tally::default(), Vec::new(), Vec::new());
        for shard in &mut shards {
            tally += shard.end().await;
            if shard.unclean { &mut unclean } else { &mut clean }.push(shard.id.clone());
        }
        kept.cancel();
        // A panic in it has been reported by then.
        let _ = keeping.await;
        let crew = &self.crew;
        for (ids, clean) in [(clean, true), (unclean, false)] {
            if !ids.is_empty() {
                crew.answered(RELEASE, crew.store.release(crew.worker, &ids, clean)).await?;
            }
        }
        crew.answered(RELEASE, crew.store.forget_worker(crew.worker)).await?;
        retention::once(crew).await;
        drained.map(|()| tally)
    }

    /// Pass after pass, since what one consumer emits may be what another waits for, and shards may be
    /// divided anew.
    async fn drain_shards(
        &self,
        shards: &mut Vec<Draining<S>>,
        leases: &Mutex<Vec<(ShardId, CancellationToken)>>,
    ) -> Result<()> {
        loop {
            // A pass finds what was committed before it, rung for or not.
            self.crew.shelf.clear();
            let taken = self.take_all(shards, leases).await?;
            // Who begins long after the others reads for itself what they have shared.
            futures_util::future::join_all(shards.iter_mut().map(Draining::begin)).await;
            let before: u64 = shards.iter().map(Draining::count).sum();
            let passes = shards.iter_mut().map(|shard| Box::pin(shard.pass()));
            // Each comes to its end, whatever becomes of the others.
            let anew = futures_util::future::join_all(passes).await;
            let anew = anew.into_iter().collect::<Result<Vec<bool>>>()?.contains(&true);
            let after: u64 = shards.iter().map(Draining::count).sum();
            if after == before && !anew && !taken {
                return Ok(());
            }
            for shard in shards.iter_mut() {
                shard.look_again(anew);
            }
        }
    }

    /// Takes what is free; tells whether there was anything.
    async fn take_all(
        &self,
        shards: &mut Vec<Draining<S>>,
        leases: &Mutex<Vec<(ShardId, CancellationToken)>>,
    ) -> Result<bool> {
        let wanted = self.names().into_iter().map(|name| (name, usize::MAX)).collect();
        let taken = self.take(wanted).await?;
        let is_any = !taken.is_empty();
        for (id, unclean) in taken {
            let known = self.consumers.iter().find(|known| known.name() == id.consumer);
            let Some(known) = known else { continue };
            let lost = CancellationToken::new();
            let mut leases = leases.lock().unwrap_or_else(PoisonError::into_inner);
            leases.retain(|(other, _)| *other != id);
            leases.push((id.clone(), lost.clone()));
            shards.retain(|other| other.id != id);
            shards.push(Draining {
                crew: Arc::clone(&self.crew),
                consumer: Arc::clone(&known.consumer),
                id,
                unclean,
                lost,
                shard: None,
                tally: Tally::default(),
            });
        }
        Ok(is_any)
    }

    /// Renews the leases while a drain goes on: on a task of its own, because a renewal may have to
    /// wait for a transaction of the shards, which then have to be able to go on.
    fn keep_leases(&self, leases: Leases, stop: CancellationToken) -> JoinHandle<()> {
        let (crew, names) = (Arc::clone(&self.crew), self.names());
        tokio::spawn(async move {
            let (worker, ttl) = (crew.worker, crew.options.lease);
            let heartbeat = Heartbeat { worker, consumers: &names, leaving: true, ttl };
            let mut ticks = interval(ttl / 3);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = stop.cancelled() => return,
                }
                let held = leases.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let counts: Vec<_> =
                    held.iter().map(|(id, _)| (id.clone(), crew.in_flight(id))).collect();
                if counts.is_empty() {
                    continue;
                }
                let asked = Instant::now();
                match crew.promptly(RENEW, crew.store.renew(&heartbeat, &counts)).await {
                    Ok(kept) => {
                        crew.keep_leases(&kept, asked);
                        let lost = held.iter().filter(|(id, _)| !kept.contains(id));
                        lost.for_each(|(_, lost)| lost.cancel());
                    }
                    Err(error) => crew.outage.note("renewing leases", &error),
                }
            }
        })
    }
}

impl<S: Store> Draining<S> {
    /// Runs the shard until nothing is due. Tells whether its consumer was changed meanwhile, so that
    /// there may be more to do.
    async fn pass(&mut self) -> Result<bool> {
        let mut anew = false;
        while !self.lost.is_cancelled() {
            let Some(mut shard) = self.take_over().await? else { return Ok(anew) };
            let ended = tokio::select! {
                ended = shard.run(Until::Drained) => Some(ended),
                () = self.lost.cancelled() => None,
            };
            match ended {
                Some(Ok(())) if !shard.is_over() => {
                    self.shard = Some(shard);
                    return Ok(anew);
                }
                Some(Err(error)) if error.kind() != ErrorKind::LeaseLost => {
                    self.bury(shard).await;
                    return Err(error);
                }
                // An operation has changed the consumer, or another worker has the lease.
                _ => {
                    self.bury(shard).await;
                    anew = true;
                }
            }
        }
        Ok(anew)
    }

    /// Takes the shard over. Where that fails, the pass meets it again.
    async fn begin(&mut self) {
        if let Ok(Some(shard)) = self.take_over().await {
            self.shard = Some(shard);
        }
    }

    /// The shard, taken over anew if it has to be; `None` when the lease is another worker's.
    async fn take_over(&mut self) -> Result<Option<Shard<S>>> {
        if let Some(shard) = self.shard.take() {
            return Ok(Some(shard));
        }
        let (crew, consumer) = (Arc::clone(&self.crew), Arc::clone(&self.consumer));
        let (token, ending) = (CancellationToken::new(), CancellationToken::new());
        let taken =
            Shard::take_over(crew, consumer, self.id.shard, self.unclean, token, ending).await;
        match taken {
            Ok(shard) => Ok(Some(shard)),
            Err(error) if error.kind() == ErrorKind::LeaseLost => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn bury(&mut self, mut shard: Shard<S>) {
        shard.abandon().await;
        self.unclean &= shard.has_suspects();
        self.tally += shard.tally;
    }

    /// Whatever still ran is gone after this.
    async fn end(&mut self) -> Tally {
        if let Some(shard) = self.shard.take() {
            self.bury(shard).await;
        }
        self.tally
    }

    fn count(&self) -> u64 {
        self.tally.sum() + self.shard.as_ref().map_or(0, |shard| shard.tally.sum())
    }

    /// `anew` says that a consumer was changed: a shard that stands still for others learns then
    /// whether it may go on.
    fn look_again(&mut self, anew: bool) {
        let Some(shard) = &mut self.shard else { return };
        shard.look_again();
        if anew && shard.has_stopped() {
            self.tally += shard.tally;
            self.unclean &= shard.has_suspects();
            self.shard = None;
        }
    }
}
