//! The worker: runs the consumers of a registry.

mod attempt;
mod crew;
mod decide;
mod hooks;
mod manager;
mod outage;
mod pace;
mod permits;
mod queue;
mod retention;
mod shard;
mod share;
mod shelf;
mod stride;
mod tracker;
mod unit;
mod wake;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::backoff;
use crate::consumer::{Bound, DeliveryMode};
use crate::error::{Error, ErrorKind, Result};
use crate::name;
use crate::outbox::Outbox;
use crate::registry::{Consumers, Registry};
use crate::store::Backend;

pub use crew::Tally;
pub use hooks::{Change, Notice};

use crew::Crew;
pub(crate) use crew::WorkerOptions;
use hooks::Hooks;
use manager::Manager;
#[cfg(all(test, feature = "postgres"))]
pub(crate) use tracker::Tracker;

/// Runs the consumers of the registry `R`: takes a lease on each, reads what was committed, calls
/// the handlers, and records how far each consumer has come.
///
/// Any number of workers may run at once; a consumer's shard is run by one of them at a time.
pub struct Worker<R: Registry, DB: Backend> {
    outbox: Outbox<R, DB>,
    consumers: Vec<Bound<DB>>,
    options: WorkerOptions,
    hooks: Hooks,
}

// Only `new` asks for the consumers: what they lack is one error there, not one a method.
impl<R: Registry, DB: Backend> Worker<R, DB> {
    /// A worker with default options.
    #[must_use]
    pub fn new(outbox: Outbox<R, DB>, state: R::State) -> Self
    where
        R: Consumers<DB>,
    {
        Self {
            outbox,
            consumers: R::consumers(&Arc::new(state)),
            options: WorkerOptions::default(),
            hooks: Hooks::default(),
        }
    }

    /// How long a lease lasts without renewal: after a crash, the consumers of this worker stand
    /// still for at most this long. Renewed three times as often. Default: 15 s.
    #[must_use]
    pub fn lease(mut self, duration: Duration) -> Self {
        self.options.lease = duration.max(Duration::from_millis(100));
        self
    }

    /// How long handlers may go on after the worker is told to stop. Default: 30 s.
    #[must_use]
    pub fn shutdown_timeout(mut self, duration: Duration) -> Self {
        self.options.shutdown_timeout = duration;
        self
    }

    /// How long to wait for an answer of the database before the statement is tried on another
    /// connection: when a machine or a firewall in between is gone, nobody says so. Not for SQLite,
    /// nor for the statements of handlers, which have the timeout of their consumer. Default: 30 s.
    #[must_use]
    pub fn answer_timeout(mut self, duration: Duration) -> Self {
        self.options.answer_timeout = duration.max(Duration::from_millis(100));
        self
    }

    /// How often the log is probed for events that were emitted elsewhere: every `active` while
    /// some are found, every `idle` when none were for a while. Default: 100 ms and 1 s.
    ///
    /// This is for what nobody tells of. On Postgres, what other processes commit through
    /// [`Outbox::begin`] is signalled and found without waiting for the next probe; on SQLite, a worker
    /// looks every 10 ms whether the log has grown. Both are left out where the outbox is built with
    /// [`poll_only`](crate::OutboxBuilder::poll_only).
    #[must_use]
    pub fn poll(mut self, active: Duration, idle: Duration) -> Self {
        self.options.poll = active;
        self.options.poll_idle = idle.max(active);
        self
    }

    /// How many handlers may run at the same time, of all consumers and shards of this worker
    /// together; each consumer's own `concurrency` is per shard. A batch and a transaction of a
    /// `delivery = tx` consumer count as one. Default: no limit besides the consumers' own.
    #[must_use]
    pub fn concurrency(mut self, handlers: u32) -> Self {
        self.options.concurrency = Some(handlers.max(1));
        self
    }

    /// How many events one read of the log returns at most, or as many as a batch of the consumer may have if
    /// that is more. Default: 1,000.
    #[must_use]
    pub fn page_size(mut self, events: u32) -> Self {
        self.options.page_size = events.max(1);
        self
    }

    /// How many events share one transaction of a `delivery = tx` consumer at most. A shard begins
    /// with 100, takes twice as many while transactions take less than 20 ms, and half as many when
    /// one takes more than 50 ms. Default: 500.
    #[must_use]
    pub fn tx_size(mut self, events: u32) -> Self {
        self.options.tx_size = events.max(1);
        self
    }

    /// How many connections of the pool the shards may use at the same time; each uses one while it
    /// reads and one while it records, which it may do at the same time, and `delivery = tx` uses one
    /// for as long as its handlers run. Where there is more than one, `delivery = tx` leaves one to
    /// the others; where there is not, they take turns. Renewing leases and looking for work
    /// take up to two more, one at a time each and briefly. Default: half of the pool's
    /// `max_connections`, rounded up, and less than all. (As many more may be kept for up to 10 ms
    /// after a statement for the next one, if the pool has another that is idle then; for up to a quarter of a
    /// second also if it has none, up to a quarter of the pool. Those of transactions are kept for up to 4 ms
    /// while the pool has others.)
    #[must_use]
    pub fn connections(mut self, count: u32) -> Self {
        self.options.connections = Some(count.max(1));
        self
    }

    /// How long events are kept in the log, at least: they are deleted when they are older and every
    /// consumer of theirs has handled them. A consumer that is paused or far behind keeps its events;
    /// [`ConsumerStats::holds_retention`](crate::ConsumerStats) and a warning name it. Deliveries
    /// that have a row, dead letters among them, carry a copy of their event and stay. The same age
    /// ends the rows of consumers with `audit`. Default: 30 days.
    #[must_use]
    pub fn retain(mut self, age: Duration) -> Self {
        self.options.retain = Some(age);
        self
    }

    /// This worker deletes no events. (Another may: tell all of them the same.)
    #[must_use]
    pub fn retain_forever(mut self) -> Self {
        self.options.retain = None;
        self
    }

    /// Calls a function after each change of a delivery's status has been recorded. It runs on the
    /// consumer's task: keep it short.
    #[must_use]
    pub fn on_change(mut self, callback: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.hooks = Hooks::new(callback);
        self
    }

    /// Runs until `shutdown` resolves, then stops gracefully: reads nothing more, gives running
    /// handlers the [shutdown timeout](Self::shutdown_timeout), records what was done and hands
    /// the leases back.
    ///
    /// A database that fails while the worker runs is waited for, however long that takes: everything
    /// is tried again, at least every two seconds or as often as leases are renewed, and the log says
    /// so once, every ten seconds while it lasts, and when it is over.
    ///
    /// # Errors
    ///
    /// When the worker cannot start: the tables are missing ([`ErrorKind::NotMigrated`]) or too
    /// new, the options of a consumer contradict one another, the database cannot be reached. While
    /// it runs there is one: this process closed the pool ([`ErrorKind::Closed`]). The worker stops
    /// then, but what its handlers did last cannot be recorded and comes again: stop the worker first.
    pub async fn run_until(mut self, shutdown: impl Future<Output = ()> + Send) -> Result<Tally> {
        // Boxed, here and below: whoever runs a worker has little of it on the stack.
        let mut manager = Box::pin(self.manager()).await?;
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let closed = self.outbox.pool().close_event();
        let mut running = Box::pin(manager.run(stop.clone()));
        tokio::pin!(shutdown, closed);
        let closed = tokio::select! {
            // Whoever stops the worker and then closes the pool has done it right.
            biased;
            tally = &mut running => return Ok(tally),
            () = &mut shutdown => false,
            () = &mut closed => true,
        };
        drop(guard);
        let tally = running.await;
        if closed {
            let message = "the pool was closed while the worker ran; stop the worker first";
            tracing::error!(?tally, "{message}");
            return Err(Error::new(ErrorKind::Closed, "run a worker", message));
        }
        Ok(tally)
    }

    /// Runs until nothing is due any more, then returns what was done: for cron, serverless and
    /// tests. Consumers whose leases another worker holds are left to it.
    ///
    /// # Errors
    ///
    /// When the worker cannot start, as [`run_until`](Self::run_until).
    pub async fn drain(mut self) -> Result<Tally> {
        let manager = Box::pin(self.manager()).await?;
        Box::pin(manager.drain()).await
    }

    async fn manager(&mut self) -> Result<Manager<DB::Store>> {
        let consumers = std::mem::take(&mut self.consumers);
        for consumer in &consumers {
            check(consumer)?;
        }
        let crew = Crew::new(
            self.outbox.emitter.store.clone(),
            Arc::clone(&self.outbox.emitter),
            self.options.clone(),
            self.hooks.clone(),
            &consumers,
        );
        Manager::start(Arc::new(crew), consumers).await
    }
}

/// Runs consumers that no registry lists.
#[cfg(test)]
pub(crate) async fn run_consumers<S>(
    store: S,
    bell: crate::bell::Bell,
    options: WorkerOptions,
    consumers: Vec<Bound<S::Db>>,
    stop: CancellationToken,
) -> Result<Tally>
where
    S: crate::store::Store,
    S::Db: Backend<Store = S>,
{
    let emitter = Arc::new(crate::emitter::Emitter::listing_nothing(store.clone(), bell));
    let crew = Arc::new(Crew::new(store, emitter, options, Hooks::default(), &consumers));
    Ok(Manager::start(crew, consumers).await?.run(stop).await)
}

/// What the macro refuses at compile time, for consumers that were not made by it.
fn check<DB: Backend>(consumer: &Bound<DB>) -> Result<()> {
    let options = &consumer.options;
    name::check("consumer", options.name)?;
    name::check("event", consumer.event_name)?;
    let contradiction = match (options.batch, options.mode) {
        (Some(_), DeliveryMode::Tx) => {
            "`batch` and `delivery = tx`: a transaction already takes many events"
        }
        (Some(_), _) if options.ordered => {
            "`batch` and `ordered`: events of one key are handled one after another"
        }
        _ => return Ok(()),
    };
    Err(Error::new(
        ErrorKind::InvalidOptions,
        "start a worker",
        format!("consumer `{}` has {contradiction}", options.name),
    ))
}

/// The name of this machine, for people who look at the `worker` table.
pub(crate) fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .or_else(|_| std::env::var("HOSTNAME"))
        .unwrap_or_else(|_| "unknown".to_owned())
}
