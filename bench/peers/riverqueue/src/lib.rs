//! River for Rust (the crate riverqueue 0.5), on Postgres and on SQLite.
//!
//! It is set up as by its own benchmark, `riverqueue bench` (`riverqueue-cli` 0.5, `src/bench.rs`):
//! fetches 2 ms apart, a poll every 20 ms, 2,000 jobs at once in each queue, batches of 5,000 jobs,
//! and 50 connections for the worker. Completions are batched by River itself. Everything else is as
//! it comes; leader election and maintenance run in the worker, and finished jobs stay for a day.
//!
//! River has no fan-out. Each consumer is a queue of its own, and each order becomes a job in each of
//! them; the kind and the worker are the same for all.

#![forbid(unsafe_code)]

mod database;

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use outbox_contest::{Contestant, Handler, Kind, Order, Setup, unsupported};
use riverqueue::{
    Client, ClientBuilder, InsertOpts, Job, JobArgs, QueueConfig, WorkContext, WorkOutcome, Workers,
};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::database::Database;
pub use self::database::{Postgres, Sqlite};

/// `benchmark_client` in `src/bench.rs`. A client that only inserts needs it too: it sends no second
/// notification for a queue within this time (docs of `ClientBuilder::fetch_cooldown`).
const FETCH_COOLDOWN: Duration = Duration::from_millis(2);
/// `benchmark_client` in `src/bench.rs`. What was inserted without a notification waits so long.
const FETCH_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// `DEFAULT_MAX_WORKERS` in `src/bench.rs`.
const MAX_WORKERS: usize = 2_000;
/// `DEFAULT_BATCH_SIZE` in `src/bench.rs`.
const BATCH: u64 = 5_000;

/// An order was placed.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderPlaced(Order);

// What the derive writes for a struct with named fields.
impl JobArgs for OrderPlaced {
    const KIND: &'static str = "order_placed";
}

/// A job to be inserted.
type NewJob = (OrderPlaced, InsertOpts);

/// River on one of its databases.
pub struct River<D> {
    /// For emitting.
    client: Client,
    emitting: D,
    working: D,
    setup: Setup,
}

impl<D: Database> Contestant for River<D> {
    async fn open(setup: &Setup) -> Result<Self> {
        if setup.kind == Kind::Ordered {
            return Err(unsupported("jobs have no keys, and those of a queue run in any order"));
        }
        let emitting = D::connect(&setup.url, setup.connections).await?;
        let working = D::connect(&setup.url, D::WORKING_CONNECTIONS).await?;
        let client = builder(&emitting).build()?;
        Ok(Self { client, emitting, working, setup: setup.clone() })
    }

    async fn install(&self) -> Result<()> {
        self.emitting.migrate().await
    }

    async fn fill(&self, orders: Range<u64>) -> Result<()> {
        // It sends each row by itself also in a batch, so several batches at once are faster.
        let part = (orders.end - orders.start).div_ceil(D::FILLING).max(1);
        let mut filling = JoinSet::new();
        for first in orders.clone().step_by(usize::try_from(part)?) {
            let part = first..orders.end.min(first + part);
            filling.spawn(fill(self.client.clone(), part, self.setup.consumers));
        }
        while let Some(filled) = filling.join_next().await {
            filled??;
        }
        Ok(())
    }

    async fn emit(&self, orders: Range<u64>) -> Result<()> {
        let first = Order::of(orders.start);
        self.emitting.emit(&self.client, &first, jobs(orders, self.setup.consumers)).await
    }

    async fn work(&self, handler: Handler, stop: CancellationToken) -> Result<()> {
        let mut workers = Workers::new();
        let (database, kind) = (self.working.clone(), self.setup.kind);
        workers.add_fn(move |context: WorkContext, job: Job<OrderPlaced>| {
            let (database, handler) = (database.clone(), handler.clone());
            async move {
                let OrderPlaced(order) = job.args;
                match kind {
                    Kind::Projection => database.project(&context, &order, &handler).await?,
                    Kind::Plain | Kind::Ordered => handler.handle(order.n, &order).await?,
                }
                anyhow::Ok(WorkOutcome::Complete)
            }
        })?;
        let at_once = match self.setup.concurrency {
            Some(concurrency) => (concurrency / self.setup.consumers).max(1) as usize,
            None if self.setup.kind == Kind::Projection => D::AT_ONCE_IN_TRANSACTIONS,
            None => MAX_WORKERS,
        };
        let queue = QueueConfig::new(at_once).with_fetch_poll_interval(FETCH_POLL_INTERVAL);
        let mut client = builder(&self.working).workers(workers);
        for consumer in 0..self.setup.consumers {
            client = client.queue(name(consumer), queue.clone());
        }
        let mut run = client.build()?.start_with_graceful_stop(stop.cancelled_owned())?;
        Ok(run.wait().await?)
    }

    async fn unrecorded(&self) -> Result<u64> {
        Ok(self.working.unfinished().await?.unsigned_abs())
    }
}

/// Inserts in batches.
async fn fill(client: Client, orders: Range<u64>, consumers: u32) -> Result<()> {
    let mut rest = orders;
    while !rest.is_empty() {
        let end = rest.end.min(rest.start + (BATCH / u64::from(consumers)).max(1));
        client.insert_many(jobs(rest.start..end, consumers)).await?;
        rest.start = end;
    }
    Ok(())
}

/// A job for each consumer and order.
fn jobs(orders: Range<u64>, consumers: u32) -> Vec<NewJob> {
    let job =
        |n, consumer| (OrderPlaced(Order::of(n)), InsertOpts::default().with_queue(name(consumer)));
    orders.flat_map(|n| (0..consumers).map(move |consumer| job(n, consumer))).collect()
}

/// What all clients have in common.
fn builder<D: Database>(database: &D) -> ClientBuilder {
    database.builder().fetch_cooldown(FETCH_COOLDOWN)
}

/// The queue of a consumer.
fn name(consumer: u32) -> String {
    format!("consumer_{consumer}")
}
