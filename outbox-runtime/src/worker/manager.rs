//! Which shards this worker runs, and keeping them.
//!
//! A tick (three in the length of a lease, and soon after one that failed) renews what is held. When the
//! pulse (see `wake`) tells that a shard was handed back, that a worker came or went, or that a consumer was
//! changed by an operation, the manager looks around: free shards are taken up to the worker's fair share,
//! and what is more than that is given back, so that a newcomer gets its part. It does so at every third
//! tick as well, whatever the pulse says, and at the next one after a failure or where it did not get its
//! share: of shards that nobody has ever had the pulse says nothing.

mod drain;
mod looks;
mod post;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::crew::{Crew, Tally};
use super::outage::over;
use super::share::shares;
use super::{retention, wake};
use crate::consumer::Bound;
use crate::error::Result;
use crate::store::{Fleet, Heartbeat, Registered, Registration, ShardId, Store};
use looks::Looks;
use post::{Left, Post};

const RENEW: &str = "renew leases";
const OPERATIONS: &str = "look for operations";
const FLEET: &str = "look at the fleet";
const ACQUIRE: &str = "acquire leases";
const RELEASE: &str = "hand leases back";

const TICKS_IN_A_LEASE: u32 = 3;

/// How often what has expired is deleted.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

pub(super) struct Manager<S: Store> {
    crew: Arc<Crew<S>>,
    consumers: Vec<Known<S>>,
    /// The shards that this worker runs.
    posts: HashMap<ShardId, Post>,
    tally: Tally,
    looks: Looks,
    /// Whether it is about to stop: it takes no more shards.
    leaving: bool,
    last_housekeeping: Instant,
    housekeeping: Option<JoinHandle<()>>,
}

/// The database failed, and the log says so.
struct NoAnswer;

type Answered = std::result::Result<(), NoAnswer>;

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
            looks: Looks::good_for(TICKS_IN_A_LEASE),
            leaving: false,
            last_housekeeping: Instant::now(),
            housekeeping: None,
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
        let period = self.crew.options.lease / TICKS_IN_A_LEASE;
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pauses = self.crew.outage.pauses();
        let mut pause = None;
        loop {
            let done = tokio::select! {
                _ = ticks.tick() => self.tick(&mut tasks, &stop).await,
                () = over(&mut pause) => {
                    ticks.reset();
                    self.tick(&mut tasks, &stop).await
                }
                // After a failure a tick comes first, which renews the leases: looking may fail again
                // and again, and each time take as long as the database may take to answer.
                Ok(()) = pulse.changed(), if pause.is_none() => self.look_around(&mut tasks, &stop).await,
                Some(left) = tasks.join_next(), if !tasks.is_empty() => {
                    self.left(left).await;
                    continue;
                }
                () = stop.cancelled() => break,
            };
            let failed_before = pause.take().is_some();
            match done {
                Ok(()) if failed_before => {
                    pauses.reset();
                    self.crew.outage.rally();
                }
                Ok(()) => {}
                Err(NoAnswer) => pause = Some(pauses.next()),
            }
        }
        // The others may reckon without this worker from now on. Leases are renewed while handlers
        // finish.
        self.leaving = true;
        // Where it fails, the log says so, and the next tick tries again.
        drop(self.renew().await);
        loop {
            tokio::select! {
                left = tasks.join_next() => match left {
                    Some(left) => self.left(left).await,
                    None => break,
                },
                _ = ticks.tick() => drop(self.renew().await),
            }
        }
        let forgetting = self.crew.store.forget_worker(self.crew.worker);
        if let Err(error) = self.crew.answered(RELEASE, forgetting).await {
            tracing::debug!(%error, "could not sign the worker off; it will be forgotten");
        }
        // They have been told to stop; a panic in them has been reported by then.
        let _ = tokio::join!(prober, retention);
        self.tally
    }

    /// Ends at the first failure: what follows would have to wait for an answer as well, and the tick
    /// comes again soon.
    async fn tick(&mut self, tasks: &mut JoinSet<Left>, stop: &CancellationToken) -> Answered {
        let renewed = self.renew().await;
        let looks = self.looks.renewed(renewed.is_ok());
        renewed?;
        if looks || !self.has_frequent_pulse() {
            self.look_around(tasks, stop).await?;
        }
        self.keep_house();
        Ok(())
    }

    /// Whether the pulse tells of something sooner than the next tick does.
    fn has_frequent_pulse(&self) -> bool {
        let options = &self.crew.options;
        options.poll_idle <= options.lease / TICKS_IN_A_LEASE
    }

    async fn look_around(
        &mut self,
        tasks: &mut JoinSet<Left>,
        stop: &CancellationToken,
    ) -> Answered {
        let looked = match self.look_for_operations().await {
            Ok(()) => self.balance(tasks, stop).await,
            Err(no_answer) => Err(no_answer),
        };
        self.looks.looked(matches!(looked, Ok(true)));
        looked.map(drop)
    }

    /// Something that the database did, told of if it did not.
    async fn promptly<T>(
        &self,
        doing: &str,
        operation: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T, NoAnswer> {
        self.crew.promptly(operation, work).await.map_err(|error| {
            self.crew.outage.note(doing, &error);
            NoAnswer
        })
    }

    /// Says that this worker lives, and renews what it holds. What another worker took is stopped.
    /// While no renewal succeeds for the length of a lease, the shards stand still (see
    /// [`Crew::has_lease`]).
    async fn renew(&mut self) -> Answered {
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
        let renewing = self.crew.store.renew(&heartbeat, &held);
        let kept = self.promptly("renewing leases", RENEW, renewing).await?;
        self.crew.keep_leases(&kept, asked);
        let lost = self.posts.iter().filter(|(id, _)| !kept.contains(id));
        lost.for_each(|(_, post)| post.lose());
        Ok(())
    }

    fn is_member_of(&self, fleet: &Fleet) -> bool {
        fleet.members.iter().any(|member| member.id == self.crew.worker)
    }

    async fn fleet(&self) -> Result<Fleet, NoAnswer> {
        self.promptly("looking at the fleet", FLEET, self.crew.store.fleet()).await
    }

    /// Takes free shards up to this worker's share, and gives back what is more than that. Tells whether it
    /// has its share.
    async fn balance(
        &mut self,
        tasks: &mut JoinSet<Left>,
        stop: &CancellationToken,
    ) -> Result<bool, NoAnswer> {
        let mut fleet = self.fleet().await?;
        if !self.is_member_of(&fleet) {
            // The database was away for longer than a lease.
            self.renew().await?;
            fleet = self.fleet().await?;
            if !self.is_member_of(&fleet) {
                // Again. Without a share it would give all back.
                return Ok(false);
            }
        }
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
        let missing: usize = wanted.values().sum();
        let taken = self.take(wanted).await.map_err(|error| {
            self.crew.outage.note("looking for free leases", &error);
            NoAnswer
        })?;
        let has_share = taken.len() == missing;
        for (id, unclean) in taken {
            self.spawn(tasks, id, unclean, stop);
        }
        Ok(has_share)
    }

    /// Takes up to so many shards of each consumer; returns them and whether each was left unclean.
    async fn take(&self, mut wanted: HashMap<&'static str, usize>) -> Result<Vec<(ShardId, bool)>> {
        let names: Vec<&str> = wanted.keys().copied().collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let crew = &self.crew;
        let mut free = crew.promptly(ACQUIRE, crew.store.free_leases(&names)).await?;
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
        let acquiring = crew.store.acquire(crew.worker, &chosen, crew.options.lease);
        let taken = crew.promptly(ACQUIRE, acquiring).await?;
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
        let (post, task) = post::man(&self.crew, &known.consumer, id.clone(), stop.clone());
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
        let ids = std::slice::from_ref(&left.id);
        let released = self.crew.store.release(self.crew.worker, ids, left.clean);
        if let Err(error) = self.crew.promptly(RELEASE, released).await {
            // It will expire.
            return self.crew.outage.note("handing a lease back", &error);
        }
        self.crew.bell.announce();
    }

    /// What operations have changed: shards of a consumer that is paused or retired stop, those of a
    /// consumer that was changed otherwise start anew with their new orders.
    async fn look_for_operations(&mut self) -> Answered {
        let names = self.names();
        let looking = self.crew.store.registered(&names);
        let now = self.promptly("looking for operations", OPERATIONS, looking).await?;
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
        Ok(())
    }

    /// On a task of its own: it may have to wait, and leases must not.
    fn keep_house(&mut self) {
        let is_done = self.housekeeping.as_ref().is_none_or(JoinHandle::is_finished);
        if !is_done || self.last_housekeeping.elapsed() < HOUSEKEEPING {
            return;
        }
        self.last_housekeeping = Instant::now();
        let crew = Arc::clone(&self.crew);
        self.housekeeping = Some(tokio::spawn(async move {
            for trimmed in [
                crew.answered("trim dedup keys", crew.store.trim_dedup()).await,
                crew.answered("trim workers", crew.store.trim_workers()).await,
            ] {
                if let Err(error) = trimmed {
                    tracing::debug!(%error, "could not delete what has expired");
                }
            }
        }));
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
