//! Which shards this worker runs, and keeping them.
//!
//! A tick (three in the length of a lease) renews what is held and balances: free shards are taken up
//! to the worker's fair share, and what is more than that is given back, so that a newcomer gets its
//! part. The pulse (see `wake`) tells between ticks that a shard was handed back, that a worker came
//! or went, or that a consumer was changed by an operation.

mod drain;
mod post;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::crew::{Crew, Tally};
use super::share::shares;
use super::{retention, wake};
use crate::consumer::Bound;
use crate::error::Result;
use crate::store::{Heartbeat, Registered, Registration, ShardId, Store};
use post::{Left, Post};

/// How often what has expired is deleted.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

pub(super) struct Manager<S: Store> {
    crew: Arc<Crew<S>>,
    consumers: Vec<Known<S>>,
    /// The shards that this worker runs.
    posts: HashMap<ShardId, Post>,
    tally: Tally,
    /// Whether it is about to stop: it takes no more shards.
    leaving: bool,
    last_housekeeping: Instant,
}

/// A consumer of the registry, and what the database says of it.
struct Known<S: Store> {
    consumer: Arc<Bound<S::Db>>,
    registered: Registered,
}

impl<S: Store> Known<S> {
    fn name(&self) -> &'static str {
        self.consumer.options.name
    }
}

impl<S: Store> Manager<S> {
    pub(super) async fn start(crew: Arc<Crew<S>>, consumers: Vec<Bound<S::Db>>) -> Result<Self> {
        crew.store.check_format().await?;
        let registrations: Vec<Registration> = consumers.iter().map(registration).collect();
        let registered = crew.store.register(&registrations).await?;
        let known = consumers.into_iter().zip(registered);
        let consumers = known
            .map(|(consumer, registered)| Known { consumer: Arc::new(consumer), registered })
            .collect();
        Ok(Self {
            crew,
            consumers,
            posts: HashMap::new(),
            tally: Tally::default(),
            leaving: false,
            last_housekeeping: Instant::now(),
        })
    }

    /// Runs the shards until told to stop.
    pub(super) async fn run(&mut self, stop: CancellationToken) -> Tally {
        let consumers =
            self.consumers.iter().map(|known| (known.name(), known.consumer.event_name)).collect();
        let (beat, mut pulse) = watch::channel(());
        let prober = wake::probe(Arc::clone(&self.crew), consumers, beat, stop.clone());
        let prober = tokio::spawn(prober);
        let retention = tokio::spawn(retention::run(Arc::clone(&self.crew), stop.clone()));
        let mut tasks = JoinSet::new();
        let mut ticks = interval(self.crew.options.lease / 3);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    self.renew().await;
                    self.balance(&mut tasks, &stop).await;
                    self.keep_house().await;
                }
                Ok(()) = pulse.changed() => {
                    self.look_for_operations().await;
                    self.balance(&mut tasks, &stop).await;
                }
                Some(left) = tasks.join_next(), if !tasks.is_empty() => self.left(left).await,
                () = stop.cancelled() => break,
            }
        }
        // The others may reckon without this worker from now on. Leases are renewed while handlers
        // finish.
        self.leaving = true;
        self.renew().await;
        loop {
            tokio::select! {
                left = tasks.join_next() => match left {
                    Some(left) => self.left(left).await,
                    None => break,
                },
                _ = ticks.tick() => self.renew().await,
            }
        }
        let forget = self.crew.store.forget_worker(self.crew.worker);
        if let Err(error) = self.crew.answered("sign off", forget).await {
            tracing::debug!(%error, "could not sign the worker off; it will be forgotten");
        }
        // They have been told to stop; a panic in them has been reported by then.
        let _ = tokio::join!(prober, retention);
        self.tally
    }

    /// Says that this worker lives, and renews what it holds. What another worker took is stopped.
    /// While no renewal succeeds for the length of a lease, the shards stand still (see
    /// [`Crew::has_lease`]).
    async fn renew(&mut self) {
        let held: Vec<(ShardId, u32)> =
            self.posts.keys().map(|id| (id.clone(), self.crew.in_flight(id))).collect();
        let names = self.names();
        let heartbeat = Heartbeat {
            worker: self.crew.worker,
            consumers: &names,
            leaving: self.leaving,
            ttl: self.crew.options.lease,
        };
        let asked = Instant::now();
        let renewal = self.crew.store.renew(&heartbeat, &held);
        match self.crew.answered("renew leases", renewal).await {
            Ok(kept) => {
                self.crew.keep_leases(&kept, asked);
                let lost = self.posts.iter().filter(|(id, _)| !kept.contains(id));
                lost.for_each(|(_, post)| post.lose());
            }
            Err(error) => tracing::warn!(%error, "could not renew leases"),
        }
    }

    /// Takes free shards up to this worker's share, and gives back what is more than that.
    async fn balance(&mut self, tasks: &mut JoinSet<Left>, stop: &CancellationToken) {
        let fleet = self.crew.answered("look at the fleet", self.crew.store.fleet());
        let fleet = match fleet.await {
            Ok(fleet) => fleet,
            Err(error) => return tracing::warn!(%error, "could not look at the fleet"),
        };
        let shares = shares(&fleet, self.crew.worker);
        let mut wanted = HashMap::new();
        for known in &self.consumers {
            let share = shares.get(known.name()).copied().unwrap_or(0) as usize;
            let mut staying: Vec<_> = self
                .posts
                .iter()
                .filter(|(id, post)| id.consumer == known.name() && !post.is_leaving())
                .collect();
            staying.sort_unstable_by_key(|(id, _)| id.shard);
            staying.iter().skip(share).for_each(|(_, post)| post.leave());
            if staying.len() < share {
                wanted.insert(known.name(), share - staying.len());
            }
        }
        match self.crew.answered("acquire leases", self.take(wanted)).await {
            Ok(taken) => {
                for (id, unclean) in taken {
                    self.spawn(tasks, id, unclean, stop);
                }
            }
            Err(error) => tracing::warn!(%error, "could not look for free leases"),
        }
    }

    /// Takes up to so many shards of each consumer; returns them and whether each was left unclean.
    async fn take(&self, mut wanted: HashMap<&'static str, usize>) -> Result<Vec<(ShardId, bool)>> {
        let names: Vec<&str> = wanted.keys().copied().collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let crew = &self.crew;
        let mut free = crew.store.free_leases(&names).await?;
        // Not all workers after the same one.
        fastrand::shuffle(&mut free);
        let chosen: Vec<ShardId> = free
            .into_iter()
            .filter_map(|(name, shard)| {
                let (&consumer, left) = wanted.get_key_value(name.as_str())?;
                let left = left.checked_sub(1)?;
                wanted.insert(consumer, left);
                let id = ShardId { consumer, shard };
                (!self.posts.contains_key(&id)).then_some(id)
            })
            .collect();
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        let asked = Instant::now();
        let taken = crew.store.acquire(crew.worker, &chosen, crew.options.lease).await?;
        let ids: Vec<ShardId> = taken.iter().map(|(id, _)| id.clone()).collect();
        crew.keep_leases(&ids, asked);
        Ok(taken)
    }

    fn spawn(
        &mut self,
        tasks: &mut JoinSet<Left>,
        id: ShardId,
        unclean: bool,
        stop: &CancellationToken,
    ) {
        let known = self.consumers.iter().find(|known| known.name() == id.consumer);
        let Some(known) = known else { return };
        let (post, task) = post::man(&self.crew, &known.consumer, id.clone(), stop.child_token());
        self.posts.insert(id, post);
        tasks.spawn(task.run(unclean));
    }

    /// A shard's task has ended: its lease is handed back, unless another worker has it.
    async fn left(&mut self, left: Result<Left, JoinError>) {
        let Ok(left) = left else {
            // Panics are caught inside the task, so this is the runtime shutting down.
            tracing::error!("a shard's task was ended from outside; its lease will expire");
            return;
        };
        self.tally += left.tally;
        self.crew.note_in_flight(&left.id, 0);
        self.posts.remove(&left.id);
        let released = self.crew.store.release(self.crew.worker, std::slice::from_ref(&left.id));
        if let Err(error) = self.crew.answered("hand leases back", released).await {
            return tracing::warn!(
                shard = %left.id, %error, "could not hand a lease back; it will expire"
            );
        }
        self.crew.bell.announce();
    }

    /// What operations have changed: shards of a consumer that is paused or retired stop, those of a
    /// consumer that was changed otherwise start anew with their new orders.
    async fn look_for_operations(&mut self) {
        let names = self.names();
        let registered = self.crew.store.registered(&names);
        let now = match self.crew.answered("look for operations", registered).await {
            Ok(now) => now,
            Err(error) => return tracing::warn!(%error, "could not look for operations"),
        };
        for now in now {
            let known = self.consumers.iter_mut().find(|known| known.name() == now.name);
            let Some(known) = known else { continue };
            if known.registered.revision == now.revision {
                continue;
            }
            let (paused, retired, shards) = (now.paused, now.retired, now.shards);
            tracing::info!(
                consumer = known.name(),
                paused,
                retired,
                shards,
                "a consumer was changed"
            );
            for (id, post) in self.posts.iter().filter(|(id, _)| id.consumer == known.name()) {
                if paused || retired || id.shard >= shards {
                    post.leave();
                } else {
                    post.reload();
                }
            }
            known.registered = now;
        }
    }

    async fn keep_house(&mut self) {
        if self.last_housekeeping.elapsed() < HOUSEKEEPING {
            return;
        }
        self.last_housekeeping = Instant::now();
        let (crew, store) = (&self.crew, &self.crew.store);
        for trimmed in [
            crew.answered("trim dedup keys", store.trim_dedup()).await,
            crew.answered("trim workers", store.trim_workers()).await,
        ] {
            if let Err(error) = trimmed {
                tracing::debug!(%error, "could not delete what has expired");
            }
        }
    }

    fn names(&self) -> Vec<&'static str> {
        self.consumers.iter().map(Known::name).collect()
    }
}

fn registration<DB: crate::store::Backend>(consumer: &Bound<DB>) -> Registration {
    Registration {
        name: consumer.options.name,
        event_name: consumer.event_name,
        event_version: consumer.event_version,
        ordered: consumer.options.ordered,
        shards: consumer.options.shards,
        start: consumer.options.start,
    }
}
