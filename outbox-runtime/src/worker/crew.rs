//! What all shards of a worker share.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{
    OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, Semaphore, SemaphorePermit,
};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::decide::Next;
use super::hooks::Hooks;
use super::outage::Outage;
use super::shelf::Shelf;
use super::stride::MOST_IN_TASKS;
use crate::bell::Bell;
use crate::consumer::{Bound, ConsumerOptions, DeliveryMode};
use crate::emitter::Emitter;
use crate::error::{Error, Result};
use crate::store::loan::Unanswered;
use crate::store::types::Totals;
use crate::store::{ShardId, Store};

pub(crate) struct Crew<S: Store> {
    pub(crate) store: S,
    pub(crate) bell: Bell,
    /// For the transactions that handlers are given.
    pub(crate) emitter: Arc<Emitter<S::Db>>,
    pub(crate) worker: Uuid,
    pub(crate) options: WorkerOptions,
    pub(crate) hooks: Hooks,
    pub(crate) outage: Outage,
    pub(crate) shelf: Arc<Shelf<S::Progress>>,
    /// For whatever shards do with a connection.
    seats: Semaphore,
    /// For units, which keep theirs for as long as handlers run.
    unit_seats: Semaphore,
    /// One for each handler that may run at the same time, if that is limited.
    pub(crate) permits: Option<Arc<Semaphore>>,
    in_flight: Mutex<HashMap<ShardId, u32>>,
    leased_until: Mutex<HashMap<ShardId, Instant>>,
    turns: Arc<RwLock<()>>,
}

/// The right to begin an attempt that is recorded first, since it may kill the process.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Beside those of other shards.
    Shared { _guard: OwnedRwLockReadGuard<()> },
    /// Alone: the process has died in an attempt at this delivery before.
    Exclusive { _guard: OwnedRwLockWriteGuard<()> },
}

/// How a worker works.
#[derive(Clone, Debug)]
pub(crate) struct WorkerOptions {
    /// How long a lease lasts without renewal.
    pub(crate) lease: Duration,
    /// How long to wait for an answer of the database.
    pub(crate) answer_timeout: Duration,
    /// How long handlers may go on after the worker is told to stop.
    pub(crate) shutdown_timeout: Duration,
    /// Probing the log: this often while something happens, less often while nothing does.
    pub(crate) poll: Duration,
    pub(crate) poll_idle: Duration,
    /// How many handlers may run at the same time, of all consumers together.
    pub(crate) concurrency: Option<u32>,
    /// Events in one read.
    pub(crate) page_size: u32,
    /// Most events in one transaction of a `delivery = tx` consumer.
    pub(crate) tx_size: u32,
    /// A checkpoint is due after so long, or so many completions.
    pub(crate) record_interval: Duration,
    pub(crate) record_after: u32,
    /// How many connections shards may use at once.
    pub(crate) connections: Option<u32>,
    /// How old events become, at least; `None` for ever.
    pub(crate) retain: Option<Duration>,
}

/// How long to wait for a connection before that counts as a failure.
const PATIENCE: Duration = Duration::from_secs(3);

/// A place among those of a worker who use a connection.
pub(crate) type Seat<'c> = (SemaphorePermit<'c>, SemaphorePermit<'c>);

impl WorkerOptions {
    /// How many of a pool's connections shards may use at once: where there are two, one is left to
    /// leases and the probe.
    fn seats(&self, pool: u32) -> u32 {
        let default = pool.div_ceil(2).min(pool.saturating_sub(1));
        self.connections.unwrap_or(default).max(1)
    }

    /// How often to look for old events: often where they do not become old.
    pub(crate) fn retention_interval(&self) -> Duration {
        let age = self.retain.unwrap_or(Duration::MAX);
        (age / 10).clamp(Duration::from_millis(100), Duration::from_secs(60))
    }

    /// How many deliveries of a shard may have been handed to handlers and not recorded as done: one
    /// record is written while what the next one says is done.
    pub(crate) fn most_in_flight(&self, options: &ConsumerOptions) -> u32 {
        if options.mode == DeliveryMode::Tx {
            // Recorded in the transaction in which they are handled, and the next begins after that.
            return self.tx_size;
        }
        let each = options.batch.map_or(1, |batch| batch.max);
        let running = options.concurrency.saturating_mul(each).max(MOST_IN_TASKS);
        self.record_after.saturating_mul(2).saturating_add(running)
    }
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            answer_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(30),
            poll: Duration::from_millis(100),
            poll_idle: Duration::from_secs(1),
            concurrency: None,
            page_size: 1_000,
            tx_size: 500,
            record_interval: Duration::from_millis(50),
            record_after: 500,
            connections: None,
            retain: Some(Duration::from_secs(30 * 24 * 3600)),
        }
    }
}

impl<S: Store> Crew<S> {
    pub(crate) fn new(
        mut store: S,
        emitter: Arc<Emitter<S::Db>>,
        options: WorkerOptions,
        hooks: Hooks,
        consumers: &[Bound<S::Db>],
    ) -> Self {
        store.connections_mut().be_impatient(PATIENCE);
        let seats = options.seats(store.pool().options().get_max_connections()) as usize;
        store.connections_mut().keep(seats);
        let connections = store.connections().clone();
        let outage = Outage::new(move |error| connections.look_at(error));
        let permits =
            options.concurrency.map(|handlers| Arc::new(Semaphore::new(handlers as usize)));
        Self {
            permits,
            store,
            bell: emitter.bell.clone(),
            emitter,
            worker: Uuid::now_v7(),
            options,
            hooks,
            outage,
            shelf: Arc::new(Shelf::of(consumers.iter().map(|consumer| consumer.event_name))),
            seats: Semaphore::new(seats),
            unit_seats: Semaphore::new((seats - 1).max(1)),
            in_flight: Mutex::default(),
            leased_until: Mutex::default(),
            turns: Arc::default(),
        }
    }

    /// Something that a shard does with a connection: when there is a seat, and not for ever.
    pub(crate) async fn seated<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let _seat = self.seats.acquire().await;
        self.answered(operation, work).await
    }

    /// A seat for a transaction that handlers run in.
    pub(crate) async fn unit_seat(&self) -> Option<Seat<'_>> {
        // They are never closed.
        let unit = self.unit_seats.acquire().await.ok()?;
        let seat = self.seats.acquire().await.ok()?;
        Some((seat, unit))
    }

    /// A turn, if it is one's turn. What has been begun when the process dies counts as a crash, in
    /// every shard that it runs. So what did so before runs while no other such attempt does: those
    /// that only had the bad luck to be beside it pass.
    pub(crate) fn take_turn(&self, died_before: bool) -> Option<Turn> {
        let turns = Arc::clone(&self.turns);
        if died_before {
            turns.try_write_owned().ok().map(|guard| Turn::Exclusive { _guard: guard })
        } else {
            turns.try_read_owned().ok().map(|guard| Turn::Shared { _guard: guard })
        }
    }

    /// Waits for the database, but not for ever: a connection may have fallen silent, and TCP does
    /// not tell. Whatever waited is dropped then, so it must bear that. (A database in this process
    /// always answers.)
    pub(crate) async fn answered<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.answered_within(self.options.answer_timeout, operation, work).await
    }

    /// The same for what renewing leases would have to wait for: not as long as a lease lasts.
    pub(crate) async fn promptly<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let longest = self.options.answer_timeout.min(self.options.lease / 3);
        self.answered_within(longest, operation, work).await
    }

    async fn answered_within<T>(
        &self,
        longest: Duration,
        operation: &'static str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if !S::IS_REMOTE {
            return work.await;
        }
        // Dropped after the work.
        let _unanswered;
        let mut work = pin!(work);
        match timeout(longest, &mut work).await {
            Ok(answer) => answer,
            Err(_elapsed) => {
                _unanswered = Unanswered::begin();
                Err(Error::no_answer(operation, longest))
            }
        }
    }

    /// These leases were taken or renewed by a statement that was sent at `asked`. Shards that had
    /// to stand still go on.
    pub(crate) fn keep_leases(&self, shards: &[ShardId], asked: Instant) {
        let mut leased_until = self.leased_until.lock().unwrap_or_else(PoisonError::into_inner);
        let mut stood_still = false;
        for id in shards {
            let before = leased_until.insert(id.clone(), asked + self.options.lease);
            stood_still |= before.is_some_and(|before| before <= Instant::now());
        }
        drop(leased_until);
        if stood_still {
            self.bell.ring_all();
        }
    }

    /// Whether no other worker can have taken this shard, as far as this process knows. It may
    /// have been frozen, or not have reached the database for a while: then it starts nothing that
    /// its successor may be doing as well, and keeps what it has until it knows whether there is
    /// a successor. Records do not ask: the ledger decides about those.
    pub(crate) fn has_lease(&self, id: &ShardId) -> bool {
        let leased_until = self.leased_until.lock().unwrap_or_else(PoisonError::into_inner);
        leased_until.get(id).is_some_and(|until| Instant::now() < *until)
    }

    /// Tells how many events a shard is handling, for `stats`.
    pub(crate) fn note_in_flight(&self, id: &ShardId, count: u32) {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        match in_flight.get_mut(id) {
            Some(known) => *known = count,
            None => {
                in_flight.insert(id.clone(), count);
            }
        }
    }

    pub(crate) fn in_flight(&self, id: &ShardId) -> u32 {
        let in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        in_flight.get(id).copied().unwrap_or(0)
    }
}

/// What a worker did, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Events handled, or not wanted.
    pub handled: u64,
    /// Attempts that were snoozed.
    pub snoozed: u64,
    /// Attempts that failed and will be tried again.
    pub retried: u64,
    /// Deliveries that became dead letters.
    pub dead: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, next: &Next) {
        match next {
            Next::Done { .. } => self.handled += 1,
            Next::Later { .. } => self.snoozed += 1,
            Next::Retry { .. } => self.retried += 1,
            Next::Dead { .. } => self.dead += 1,
        }
    }

    pub(crate) fn sum(&self) -> u64 {
        self.handled + self.snoozed + self.retried + self.dead
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.handled += other.handled;
        self.snoozed += other.snoozed;
        self.retried += other.retried;
        self.dead += other.dead;
    }
}

impl Next {
    pub(crate) fn count(&self, totals: &mut Totals) {
        match self {
            Self::Done { .. } => totals.handled += 1,
            Self::Later { .. } => {}
            Self::Retry { .. } => totals.retried += 1,
            Self::Dead { .. } => totals.dead += 1,
        }
    }
}
