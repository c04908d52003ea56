//! apalis 1.0.0 on Postgres, with apalis-postgres 1.0.0.
//!
//! It is set up as by `examples/basic.rs` of apalis-postgres: tasks are not locked again when they
//! start (they are claimed when they are fetched), a heartbeat every second, ten may be missed. Batches
//! are larger, and each queue has two workers. The workers are woken by notifications, and poll once a
//! second as well (`examples/dag.rs`). Results are persisted: that is what marks a task as done. They
//! are written in batches by apalis itself: whatever has ended while it was writing.
//!
//! `parallelize(tokio::spawn)`, which `basic.rs` has too, made no difference with large batches, and
//! was slower with smaller ones, for more transactions then shared the results.
//!
//! Apalis has no fan-out. Each consumer is a queue of its own, and each order becomes a task in each of
//! them; the type and the handler are the same for all.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::process;
use std::time::Duration;

use anyhow::{Context, Result};
use apalis::prelude::*;
use apalis_postgres::{Config, PgTask, PostgresStorage, Pubsub, queries};
use futures::StreamExt;
use futures::stream::ReadyChunks;
use outbox_contest::{Contestant, Handler, Kind, Order, Setup, unsupported};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// So many tasks are fetched at once, by default 10. "Larger batches can improve throughput"
/// (`Config::batch_size`): each costs a transaction for fetching and some for the results.
const BATCH: usize = 2_500;
/// While one worker writes its results, another handles. That several share a queue is shown in
/// `examples/shared.rs`; four made no clear difference.
const WORKERS: u32 = 2;
/// `examples/dag.rs` and `examples/stepped.rs`.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// `examples/basic.rs`.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// The same.
const MISSED_HEARTBEATS: usize = 10;
/// So many notifications are taken at once.
const NOTIFICATIONS: usize = 1_000;
/// A limit that is none: apalis has none unless it is asked for.
const UNLIMITED: usize = 1_000_000;
/// What waits is inserted in batches of so many tasks.
const FILL: usize = 5_000;

/// All notifications that have arrived.
type Chunks = ReadyChunks<Pubsub>;

struct Apalis {
    emitting: PgPool,
    working: PgPool,
    setup: Setup,
}

impl Contestant for Apalis {
    async fn open(setup: &Setup) -> Result<Self> {
        match setup.kind {
            Kind::Plain => {}
            Kind::Ordered => {
                return Err(unsupported(
                    "tasks have no keys, and those of a queue run in any order",
                ));
            }
            Kind::Projection => {
                return Err(unsupported(
                    "a task is marked as done after its handler, in a transaction of its own",
                ));
            }
        }
        // Each worker has a connection for its transactions and one that listens.
        let working = 2 * WORKERS * setup.consumers + 1;
        Ok(Self {
            emitting: connect(setup, setup.connections).await?,
            working: connect(setup, working).await?,
            setup: setup.clone(),
        })
    }

    async fn install(&self) -> Result<()> {
        Ok(PostgresStorage::setup(&self.emitting).await?)
    }

    async fn fill(&self, orders: Range<u64>) -> Result<()> {
        for consumer in 0..self.setup.consumers {
            let mut storage = storage(&self.emitting, consumer);
            let mut rest = orders.clone();
            while !rest.is_empty() {
                // One statement for all of them.
                storage.push_bulk(rest.by_ref().take(FILL).map(Order::of).collect()).await?;
            }
        }
        Ok(())
    }

    async fn emit(&self, orders: Range<u64>) -> Result<()> {
        let first = Order::of(orders.start);
        let mut tx = self.emitting.begin().await?;
        let business = sqlx::query("insert into business (n, body) values ($1, $2)");
        let business = business.bind(first.n.cast_signed()).bind(serde_json::to_string(&first)?);
        business.execute(&mut *tx).await?;
        for consumer in 0..self.setup.consumers {
            // The README, "Pubsub listener example".
            queries::push_tasks(&mut *tx, &name(consumer), tasks(orders.clone())?).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn work(&self, handler: Handler, stop: CancellationToken) -> Result<()> {
        let at_most = self.setup.concurrency;
        // Fewer workers rather than more handlers than are allowed.
        let each = at_most.map(|at_most| (at_most / self.setup.consumers).max(1));
        let count = each.map_or(WORKERS, |each| each.min(WORKERS));
        let limit = each.map_or(UNLIMITED, |each| (each / count) as usize);
        let mut workers = JoinSet::new();
        for consumer in 0..self.setup.consumers {
            for worker in 0..count {
                // Workers of other processes must have other names.
                let id = format!("{}-{}-{worker}", name(consumer), process::id());
                let worker = WorkerBuilder::new(id)
                    .backend(woken(&self.working, consumer))
                    .data(handler.clone())
                    .concurrency(limit)
                    .build(handle);
                let stop = stop.clone();
                workers.spawn(worker.run_until(async move {
                    stop.cancelled().await;
                    Ok::<(), WorkerError>(())
                }));
            }
        }
        while let Some(ended) = workers.join_next().await {
            ended.context("a worker")??;
        }
        Ok(())
    }

    async fn unrecorded(&self) -> Result<u64> {
        // A task that failed, and waits for its next attempt, is `Failed`.
        let count = sqlx::query_scalar(
            "select count(*) from apalis.jobs where status in ('Pending', 'Queued', 'Running')",
        );
        let count: i64 = count.fetch_one(&self.working).await?;
        Ok(count.unsigned_abs())
    }
}

async fn handle(order: Order, handler: Data<Handler>) -> Result<(), BoxDynError> {
    Ok(handler.handle(order.n, &order).await?)
}

/// The queue of a consumer.
fn storage(pool: &PgPool, consumer: u32) -> PostgresStorage<Order> {
    let config = Config::default()
        .queue(name(consumer))
        .batch_size(BATCH)
        .lock_tasks(false)
        .heartbeat_interval(HEARTBEAT)
        .missed_heartbeats(MISSED_HEARTBEATS);
    PostgresStorage::new(pool).with_config(config)
}

/// The queue of a consumer, for a worker.
///
/// `with_pubsub` does the same but for `ready_chunks`. It takes one notification each time that the
/// worker is polled, and the worker is not woken by further ones if there was one just when a fetch
/// found nothing. Then it waits for its timers: at 200 tasks per second a tenth of them waited for more
/// than half a second.
fn woken(
    pool: &PgPool,
    consumer: u32,
) -> PollWith<PollWith<PostgresStorage<Order>, StreamStrategy<Chunks>>, IntervalStrategy> {
    let notifications = Pubsub::new(pool.clone(), name(consumer)).ready_chunks(NOTIFICATIONS);
    storage(pool, consumer).poll_with_stream(notifications).poll_with_interval(POLL_INTERVAL)
}

/// A task for each order.
fn tasks(orders: Range<u64>) -> Result<Vec<PgTask>> {
    let task = |n| Ok(TaskBuilder::new(serde_json::to_vec(&Order::of(n))?).build());
    orders.map(task).collect()
}

async fn connect(setup: &Setup, connections: u32) -> Result<PgPool> {
    Ok(PgPoolOptions::new().max_connections(connections).connect(&setup.url).await?)
}

/// The name of the queue of a consumer.
fn name(consumer: u32) -> String {
    format!("consumer_{consumer}")
}

#[tokio::main]
async fn main() -> Result<()> {
    outbox_contest::play::<Apalis>(clap::Parser::parse()).await
}
