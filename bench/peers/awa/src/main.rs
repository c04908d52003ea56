//! Awa 0.6 on Postgres, with its queue storage.
//!
//! It is set up as by its own benchmarks (`tests/benchmark_test.rs` of the crate awa): no deadline for
//! a job, which is the path for short jobs, up to 1,024 jobs at once and a poll every 50 ms beside the
//! notifications. Claims and completions are batched by awa itself. Each queue has several enqueue
//! shards, as the README recommends for a contended queue ("Partitioned FIFO and ordering keys"):
//! with one, a transaction that inserts keeps out all others until it has committed.
//!
//! Awa has no fan-out. Each consumer is a queue of its own, and each order becomes a job in each of
//! them; the kind and the worker are the same for all.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use awa::model::{insert, migrations};
use awa::{
    Client, InsertOpts, InsertParams, JobArgs, JobError, JobResult, QueueConfig, QueueStorage,
    QueueStorageConfig,
};
use outbox_contest::{Contestant, Handler, Kind, Order, Setup, unsupported};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// So many transactions insert into a queue at once. `awa.queue_meta.enqueue_shards` is set in SQL, as
/// in `test_queue_storage_enqueue_contention` of `tests/benchmark_test.rs`.
const ENQUEUE_SHARDS: i16 = 8;
/// `test_queue_storage_runtime_offered_rate` in `tests/benchmark_test.rs`.
const MAX_WORKERS: u32 = 1_024;
/// The same.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The same; and each queue keeps one for its notifications.
const WORKING_CONNECTIONS: u32 = 24;
/// What waits is inserted in batches of so many jobs.
const BATCH: u64 = 5_000;
/// Jobs are over within this time when a worker is to end.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// What was reserved for inserting and is not claimed, as awa's dispatchers see it, and what is claimed
/// and not closed. (`QueueStorage::queue_counts` is exact for interrupted transactions as well, and
/// looks at every job for that.)
const UNFINISHED: &str = "
    select (
        select coalesce(sum(greatest(
            awa.sequence_next_value(enqueues.seq_name) - awa.sequence_next_value(claims.seq_name), 0
        )), 0)
        from awa.queue_enqueue_heads enqueues
        join awa.queue_claim_heads claims using (queue, priority, enqueue_shard)
    )::bigint
    + (select coalesce(sum(claimed_count), 0) from awa.lease_claim_batches)::bigint
    - (select coalesce(sum(closed_count), 0) from awa.lease_claim_closure_batches)::bigint
    - (select count(*) from awa.lease_claim_closures)";

/// What the first insert into a shard of a queue does (`ensure_lane_inserts` in `src/queue_storage.rs` of
/// awa-model). Where two transactions do so at once, one of them fails: awa 0.6.9 makes sequences `if not
/// exists`, which is no protection against that.
const LANE: [&str; 4] = [
    "insert into awa.queue_lanes (queue, priority) select $1, $2 where $3::smallint is not null
     on conflict do nothing",
    "insert into awa.queue_enqueue_heads (queue, priority, enqueue_shard) values ($1, $2, $3)
     on conflict do nothing",
    "insert into awa.queue_claim_heads (queue, priority, enqueue_shard) values ($1, $2, $3)
     on conflict do nothing",
    "select awa.ensure_lane_sequences($1, $2, $3)",
];

/// An order was placed.
#[derive(Serialize, Deserialize, JobArgs)]
#[serde(transparent)]
struct OrderPlaced(Order);

struct Awa {
    emitting: PgPool,
    working: PgPool,
    storage: QueueStorage,
    setup: Setup,
}

impl Contestant for Awa {
    async fn open(setup: &Setup) -> Result<Self> {
        match setup.kind {
            Kind::Plain => {}
            Kind::Ordered => {
                return Err(unsupported(
                    "jobs of one ordering key are claimed in order, and then run at the same time",
                ));
            }
            Kind::Projection => {
                return Err(unsupported(
                    "a job is completed after its handler, in a transaction of its own",
                ));
            }
        }
        let working = WORKING_CONNECTIONS + setup.consumers;
        Ok(Self {
            emitting: connect(setup, setup.connections).await?,
            working: connect(setup, working).await?,
            storage: QueueStorage::new(QueueStorageConfig::default())?,
            setup: setup.clone(),
        })
    }

    async fn install(&self) -> Result<()> {
        // The compiler does not see that its future is `Send`.
        let migrated = || Handle::current().block_on(migrations::run(&self.emitting));
        tokio::task::block_in_place(migrated)?;
        // A worker that starts on an empty database would do this. Here jobs are inserted before the
        // first worker starts, and would go to the tables of 0.5.
        self.storage.install(&self.emitting).await?;
        for consumer in 0..self.setup.consumers {
            let shards = "insert into awa.queue_meta (queue, enqueue_shards) values ($1, $2)";
            let shards = sqlx::query(shards).bind(name(consumer)).bind(ENQUEUE_SHARDS);
            shards.execute(&self.emitting).await?;
            for shard in 0..ENQUEUE_SHARDS {
                for statement in LANE {
                    let made = sqlx::query(statement).bind(name(consumer));
                    let made = made.bind(InsertOpts::default().priority).bind(shard);
                    made.execute(&self.emitting).await?;
                }
            }
        }
        Ok(())
    }

    async fn fill(&self, orders: Range<u64>) -> Result<()> {
        let mut rest = orders;
        while !rest.is_empty() {
            let some = (BATCH / u64::from(self.setup.consumers)).max(1);
            let end = rest.end.min(rest.start + some);
            // For "high-volume queue-storage producers" (docs of `awa::insert_many_copy`).
            self.storage.enqueue_params_copy(&self.emitting, &self.jobs(rest.start..end)?).await?;
            rest.start = end;
        }
        Ok(())
    }

    async fn emit(&self, orders: Range<u64>) -> Result<()> {
        let first = Order::of(orders.start);
        let jobs = self.jobs(orders)?;
        let mut tx = self.emitting.begin().await?;
        let business = sqlx::query("insert into business (n, body) values ($1, $2)");
        let business = business.bind(first.n.cast_signed()).bind(serde_json::to_string(&first)?);
        business.execute(&mut *tx).await?;
        awa::insert_many(&mut *tx, &jobs).await?;
        Ok(tx.commit().await?)
    }

    async fn work(&self, handler: Handler, stop: CancellationToken) -> Result<()> {
        let queue = QueueConfig {
            max_workers: match self.setup.concurrency {
                Some(concurrency) => (concurrency / self.setup.consumers).max(1),
                None => MAX_WORKERS,
            },
            poll_interval: POLL_INTERVAL,
            deadline_duration: Duration::ZERO,
            ..QueueConfig::default()
        };
        let mut client = Client::builder(self.working.clone());
        for consumer in 0..self.setup.consumers {
            client = client.queue(name(consumer), queue.clone());
        }
        let client = client.register(move |OrderPlaced(order), _context| {
            let handler = handler.clone();
            async move {
                handler.handle(order.n, &order).await.map_err(JobError::retryable)?;
                Ok(JobResult::Completed)
            }
        });
        let client = client.build()?;
        client.start().await?;
        stop.cancelled().await;
        client.shutdown(SHUTDOWN).await;
        Ok(())
    }

    async fn unrecorded(&self) -> Result<u64> {
        let unfinished: i64 = sqlx::query_scalar(UNFINISHED).fetch_one(&self.working).await?;
        Ok(unfinished.unsigned_abs())
    }
}

impl Awa {
    /// A job for each consumer and order.
    fn jobs(&self, orders: Range<u64>) -> Result<Vec<InsertParams>> {
        let mut jobs = Vec::new();
        for n in orders {
            for consumer in 0..self.setup.consumers {
                let options = InsertOpts { queue: name(consumer), ..InsertOpts::default() };
                jobs.push(insert::params_with(&OrderPlaced(Order::of(n)), options)?);
            }
        }
        Ok(jobs)
    }
}

async fn connect(setup: &Setup, connections: u32) -> Result<PgPool> {
    Ok(PgPoolOptions::new().max_connections(connections).connect(&setup.url).await?)
}

/// The queue of a consumer.
fn name(consumer: u32) -> String {
    format!("consumer_{consumer}")
}

#[tokio::main]
async fn main() -> Result<()> {
    outbox_contest::play::<Awa>(clap::Parser::parse()).await
}
