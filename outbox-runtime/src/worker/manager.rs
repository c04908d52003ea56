//! Leases: which shards this worker runs, and keeping them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::crew::{Crew, Tally};
use super::outage::Watch;
use super::shard::{Shard, Until};
use super::wake;
use crate::consumer::{Bound, OnDead};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Registered, Registration, ShardId, Slice, Store};

/// How often dedup keys that have expired are deleted.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

pub(super) struct Manager<S: Store> {
    crew: Arc<Crew<S>>,
    posts: Vec<Post<S>>,
    tally: Tally,
    last_housekeeping: Instant,
}

/// A shard that this worker could run.
struct Post<S: Store> {
    id: ShardId,
    slice: Slice,
    consumer: Arc<Bound<S::Db>>,
    /// Fires when the lease is lost; `None` while another worker has it.
    held: Option<CancellationToken>,
}

/// What a shard's task brings back.
struct Left {
    id: ShardId,
    tally: Tally,
}

impl<S: Store> Manager<S> {
    pub(super) async fn start(crew: Arc<Crew<S>>, consumers: Vec<Bound<S::Db>>) -> Result<Self> {
        crew.store.check_format().await?;
        let registrations: Vec<Registration> = consumers.iter().map(registration).collect();
        let known = crew.store.register(&registrations).await?;
        let mut posts = Vec::new();
        for (consumer, known) in consumers.into_iter().zip(known) {
            let consumer = Arc::new(consumer);
            posts.extend((0..known.shards).map(|shard| Post::new(&consumer, shard, &known)));
        }
        Ok(Self { crew, posts, tally: Tally::default(), last_housekeeping: Instant::now() })
    }

    /// Runs the shards until told to stop.
    pub(super) async fn run(&mut self, stop: CancellationToken) -> Tally {
        let consumers = self.posts.iter().filter(|post| post.id.shard == 0);
        let consumers =
            consumers.map(|post| (post.id.consumer, post.consumer.event_name)).collect();
        let prober = tokio::spawn(wake::probe(Arc::clone(&self.crew), consumers, stop.clone()));
        let mut tasks = JoinSet::new();
        let mut ticks = interval(self.crew.options.lease / 3);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_renewal = Instant::now();
        loop {
            tokio::select! {
                _ = ticks.tick() => self.tick(&mut tasks, &stop, &mut last_renewal).await,
                Some(left) = tasks.join_next(), if !tasks.is_empty() => self.left(left.ok()).await,
                () = stop.cancelled() => break,
            }
        }
        // Leases are renewed while handlers finish.
        loop {
            tokio::select! {
                left = tasks.join_next() => match left {
                    Some(left) => self.left(left.ok()).await,
                    None => break,
                },
                _ = ticks.tick() => self.renew(&mut last_renewal).await,
            }
        }
        // It has been told to stop; a panic in it has been reported by then.
        let _ = prober.await;
        self.tally
    }

    async fn tick(
        &mut self,
        tasks: &mut JoinSet<Left>,
        stop: &CancellationToken,
        last_renewal: &mut Instant,
    ) {
        self.renew(last_renewal).await;
        match self.acquire().await {
            Ok(acquired) => {
                for (index, unclean) in acquired {
                    self.spawn(tasks, index, unclean, stop);
                }
            }
            Err(error) => self.crew.outage.note("looking for free leases", &error),
        }
        if self.last_housekeeping.elapsed() >= HOUSEKEEPING {
            self.last_housekeeping = Instant::now();
            let trimming = self.crew.store.trim_dedup();
            if let Err(error) = self.crew.in_time("trim dedup keys", trimming).await {
                tracing::debug!(%error, "could not delete expired dedup keys");
            }
        }
    }

    /// Renews what is held. What another worker took is stopped; so is everything once no
    /// renewal has succeeded for the length of a lease.
    async fn renew(&mut self, last_renewal: &mut Instant) {
        let held: Vec<(ShardId, u32)> = self
            .posts
            .iter()
            .filter(|post| post.held.is_some())
            .map(|post| (post.id.clone(), self.crew.in_flight(&post.id)))
            .collect();
        if held.is_empty() {
            *last_renewal = Instant::now();
            return;
        }
        let renewing = self.crew.store.renew(self.crew.worker, &held, self.crew.options.lease);
        match self.crew.in_time("renew leases", renewing).await {
            Ok(kept) => {
                *last_renewal = Instant::now();
                for post in self.posts.iter().filter(|post| !kept.contains(&post.id)) {
                    post.lose();
                }
            }
            Err(error) => {
                self.crew.outage.note("renewing leases", &error);
                if last_renewal.elapsed() >= self.crew.options.lease {
                    self.posts.iter().for_each(Post::lose);
                }
            }
        }
    }

    /// Takes the leases that are free; returns the posts and whether each was left unclean.
    async fn acquire(&mut self) -> Result<Vec<(usize, bool)>> {
        let vacant: Vec<ShardId> = self
            .posts
            .iter()
            .filter(|post| post.held.is_none())
            .map(|post| post.id.clone())
            .collect();
        if vacant.is_empty() {
            return Ok(Vec::new());
        }
        let crew = &self.crew;
        let acquiring = crew.store.acquire(crew.worker, &vacant, crew.options.lease);
        let acquired = crew.in_time("acquire leases", acquiring).await?;
        let mut taken = Vec::with_capacity(acquired.len());
        for (id, unclean) in acquired {
            let post = self.posts.iter_mut().enumerate().find(|(_, post)| post.id == id);
            if let Some((index, post)) = post {
                post.held = Some(CancellationToken::new());
                taken.push((index, unclean));
            }
        }
        Ok(taken)
    }

    fn spawn(
        &mut self,
        tasks: &mut JoinSet<Left>,
        index: usize,
        unclean: bool,
        stop: &CancellationToken,
    ) {
        let post = &self.posts[index];
        let Some(lost) = post.held.clone() else { return };
        let task = ShardTask {
            crew: Arc::clone(&self.crew),
            consumer: Arc::clone(&post.consumer),
            slice: post.slice.clone(),
            id: post.id.clone(),
            lost,
            stop: stop.child_token(),
        };
        tasks.spawn(task.run(unclean));
    }

    /// A shard's task has ended: its lease is handed back, unless another worker has it.
    async fn left(&mut self, left: Option<Left>) {
        let Some(left) = left else {
            tracing::error!("a shard's task panicked; its lease will expire");
            return;
        };
        self.tally += left.tally;
        self.crew.note_in_flight(&left.id, 0);
        if let Some(post) = self.posts.iter_mut().find(|post| post.id == left.id) {
            post.held = None;
        }
        let released = self.crew.store.release(self.crew.worker, std::slice::from_ref(&left.id));
        if let Err(error) = self.crew.in_time("hand leases back", released).await {
            // It will expire.
            self.crew.outage.note("handing a lease back", &error);
        }
    }

    /// Runs all shards that are free until none has anything to do.
    pub(super) async fn drain(mut self) -> Result<Tally> {
        let acquired = self.acquire().await?;
        let kept = CancellationToken::new();
        let keeping = self.keep_leases(kept.clone());
        let drained = self.drain_shards(&acquired).await;
        kept.cancel();
        // A panic in it has been reported by then.
        let _ = keeping.await;
        let ids: Vec<ShardId> =
            acquired.iter().map(|(index, _)| self.posts[*index].id.clone()).collect();
        if !ids.is_empty() {
            self.crew.store.release(self.crew.worker, &ids).await?;
        }
        drained
    }

    /// The shards, and whatever still runs in them, are gone when this returns.
    async fn drain_shards(&self, acquired: &[(usize, bool)]) -> Result<Tally> {
        let token = CancellationToken::new();
        let mut shards = Vec::with_capacity(acquired.len());
        for (index, unclean) in acquired {
            let post = &self.posts[*index];
            let (crew, consumer) = (Arc::clone(&self.crew), Arc::clone(&post.consumer));
            let (slice, token) = (post.slice.clone(), token.child_token());
            shards.push(Shard::take_over(crew, consumer, slice, *unclean, token).await?);
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
    fn keep_leases(&self, stop: CancellationToken) -> JoinHandle<()> {
        let crew = Arc::clone(&self.crew);
        let held = self.posts.iter().filter(|post| post.held.is_some());
        let held: Vec<ShardId> = held.map(|post| post.id.clone()).collect();
        tokio::spawn(async move {
            let mut ticks = interval(crew.options.lease / 3);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !held.is_empty() {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = stop.cancelled() => return,
                }
                let held: Vec<_> = held.iter().map(|id| (id.clone(), crew.in_flight(id))).collect();
                let renewing = crew.store.renew(crew.worker, &held, crew.options.lease);
                if let Err(error) = crew.in_time("renew leases", renewing).await {
                    crew.outage.note("renewing leases", &error);
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

/// Runs a shard for as long as this worker has its lease.
struct ShardTask<S: Store> {
    crew: Arc<Crew<S>>,
    consumer: Arc<Bound<S::Db>>,
    slice: Slice,
    id: ShardId,
    lost: CancellationToken,
    stop: CancellationToken,
}

impl<S: Store> ShardTask<S> {
    /// Starts the shard anew from its last checkpoint when it had to give up, for as long as the
    /// lease is ours.
    async fn run(self, unclean: bool) -> Left {
        let mut tally = Tally::default();
        let mut watch = self.crew.outage.watch(format!("taking over shard {}", self.id));
        while !self.lost.is_cancelled() && !self.stop.is_cancelled() {
            // A panic must not keep the lease from everybody for ever.
            let lived = AssertUnwindSafe(self.incarnation(unclean, &mut tally, &mut watch));
            let lived = lived.catch_unwind().await;
            let error = match lived {
                Ok(Ok(())) => break,
                // It cannot come back; whoever runs the worker is told.
                Ok(Err(error)) if error.kind() == ErrorKind::Closed => break,
                Ok(Err(error)) => error,
                Err(_panic) => Error::new(ErrorKind::LeaseLost, "run a shard", "its task panicked"),
            };
            let pause = watch.failed(&error);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.lost.cancelled() => {}
                () = self.stop.cancelled() => {}
            }
        }
        Left { id: self.id, tally }
    }

    async fn incarnation(&self, unclean: bool, tally: &mut Tally, watch: &mut Watch) -> Result<()> {
        let (crew, consumer) = (Arc::clone(&self.crew), Arc::clone(&self.consumer));
        let token = self.stop.child_token();
        let slice = self.slice.clone();
        let mut shard = Shard::take_over(crew, consumer, slice, unclean, token.clone()).await?;
        watch.recovered();
        tracing::debug!(shard = %self.id, unclean, "running a shard");
        let ended = tokio::select! {
            ended = shard.run(Until::Stopped) => ended,
            () = self.lost.cancelled() => {
                let lost = Error::new(ErrorKind::LeaseLost, "keep a lease", "another worker goes on");
                self.crew.outage.note(&format!("shard {}", self.id), &lost);
                Ok(())
            }
        };
        token.cancel();
        *tally += shard.tally;
        ended
    }
}

impl<S: Store> Post<S> {
    fn new(consumer: &Arc<Bound<S::Db>>, shard: u32, known: &Registered) -> Self {
        let options = &consumer.options;
        let slice = Slice {
            event_name: consumer.event_name,
            event_version: consumer.event_version,
            shard,
            shards: known.shards,
            not_before: known.not_before,
            dead_holds_key: options.on_dead == OnDead::Hold,
        };
        let id = ShardId { consumer: options.name, shard };
        Self { id, slice, consumer: Arc::clone(consumer), held: None }
    }

    fn lose(&self) {
        if let Some(held) = &self.held {
            held.cancel();
        }
    }
}

fn registration<DB: crate::store::Backend>(consumer: &Bound<DB>) -> Registration {
    Registration {
        name: consumer.options.name,
        event_name: consumer.event_name,
        event_version: consumer.event_version,
        shards: consumer.options.shards,
        start: consumer.options.start,
    }
}
