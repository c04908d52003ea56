//! graphile_worker 0.14, a port of Graphile Worker, on Postgres.
//!
//! It is set up as by its own benchmark (`benches/perf_test.rs`): 500 jobs at once, a poll every 5 ms,
//! completions recorded every 5 ms, and a local queue of 5,000 jobs, which its book recommends where
//! throughput counts ("Throughput And Latency" in `docs/src/configuration/index.md`): without, it drained a
//! tenth. Where nothing waits when a worker starts, jobs are going to come one by one: there it has no local
//! queue, with which it stalled at 200 events a second.
//!
//! It has no fan-out. Each consumer is a task of its own, and each order becomes a job of each of them.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result};
use graphile_worker::{
    IntoTaskHandlerResult, JobDefinition, JobSpec, LocalQueueConfig, RawJobSpec, Schema,
    TaskHandler, WorkerContext, WorkerOptions, WorkerUtils,
};
use outbox_contest::{Contestant, Handler, Kind, Order, Setup, unsupported};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio_util::sync::CancellationToken;

/// `concurrency` in `benches/perf_test.rs`.
const CONCURRENCY: usize = 500;
/// `poll_interval` and `complete_job_batch_delay` there.
const SOON: Duration = Duration::from_millis(5);
/// `LocalQueueConfig::with_size` there.
const LOCAL_QUEUE: usize = 5_000;
/// The worker has a pool of its own.
const CONNECTIONS: u32 = 20;
/// What waits is written in statements of so many jobs.
const FILL: u64 = 5_000;

/// The tasks; their names have to be constants.
const TASKS: [&str; 10] = [
    "consumer_0",
    "consumer_1",
    "consumer_2",
    "consumer_3",
    "consumer_4",
    "consumer_5",
    "consumer_6",
    "consumer_7",
    "consumer_8",
    "consumer_9",
];

/// An order was placed, as a consumer is told.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct OrderPlaced<const CONSUMER: usize>(Order);

impl<const CONSUMER: usize> TaskHandler for OrderPlaced<CONSUMER> {
    const IDENTIFIER: &'static str = TASKS[CONSUMER];

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let handler = context.get_ext::<Handler>().context("the handler")?;
        handler.handle(self.0.n, &self.0).await?;
        anyhow::Ok(())
    }
}

/// Its job queue.
struct Graphile {
    emitting: PgPool,
    working: PgPool,
    setup: Setup,
}

impl Contestant for Graphile {
    async fn open(setup: &Setup) -> Result<Self> {
        match setup.kind {
            Kind::Plain => {}
            Kind::Ordered => {
                return Err(unsupported(
                    "the jobs of a named queue run one at a time, but overtake one that failed",
                ));
            }
            Kind::Projection => {
                return Err(unsupported(
                    "a job is completed after its handler, in a transaction of its own",
                ));
            }
        }
        if setup.consumers as usize > TASKS.len() {
            return Err(unsupported("no more than ten tasks were written"));
        }
        Ok(Self {
            emitting: connect(setup, setup.connections).await?,
            working: connect(setup, CONNECTIONS).await?,
            setup: setup.clone(),
        })
    }

    async fn install(&self) -> Result<()> {
        Ok(self.utils().migrate().await?)
    }

    async fn fill(&self, orders: Range<u64>) -> Result<()> {
        let utils = self.utils();
        let each = (FILL / u64::from(self.setup.consumers)).max(1);
        let mut rest = orders;
        while !rest.is_empty() {
            let end = rest.end.min(rest.start + each);
            utils.add_raw_jobs(&self.jobs(rest.start..end)?).await?;
            rest.start = end;
        }
        Ok(())
    }

    async fn emit(&self, orders: Range<u64>) -> Result<()> {
        let first = Order::of(orders.start);
        let mut jobs = self.jobs(orders)?;
        let mut tx = self.emitting.begin().await?;
        sqlx::query("insert into business (n, body) values ($1, $2)")
            .bind(first.n.cast_signed())
            .bind(serde_json::to_string(&first)?)
            .execute(&mut *tx)
            .await?;
        let mut utils = self.utils().with_executor(&mut tx);
        // For a single job this is the faster one of the two.
        match jobs.len() {
            1 => {
                let RawJobSpec { identifier, payload, spec } = jobs.remove(0);
                utils.add_raw_job(&identifier, payload, spec).await?;
            }
            _ => {
                utils.add_raw_jobs(&jobs).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    async fn work(&self, handler: Handler, stop: CancellationToken) -> Result<()> {
        let concurrency = self.setup.concurrency.map_or(CONCURRENCY, |jobs| jobs as usize);
        let mut options = WorkerOptions::default();
        if self.something_waits().await? {
            options = options.local_queue(LocalQueueConfig::default().with_size(LOCAL_QUEUE));
        }
        let worker = options
            .pg_pool(self.working.clone())
            .concurrency(concurrency)
            .poll_interval(SOON)
            .complete_job_batch_delay(SOON)
            .listen_os_shutdown_signals(false)
            .shutdown_signal(stop.cancelled_owned())
            .add_extension(handler)
            .define_jobs(definitions().into_iter().take(self.setup.consumers as usize))
            .init()
            .await?;
        Ok(worker.run().await?)
    }

    async fn unrecorded(&self) -> Result<u64> {
        // Finished jobs are deleted.
        let left = "select count(*) from graphile_worker._private_jobs";
        let left: i64 = sqlx::query_scalar(left).fetch_one(&self.emitting).await?;
        Ok(left.unsigned_abs())
    }
}

impl Graphile {
    async fn something_waits(&self) -> Result<bool> {
        let waits = "select exists (select from graphile_worker._private_jobs)";
        Ok(sqlx::query_scalar(waits).fetch_one(&self.emitting).await?)
    }

    fn utils(&self) -> WorkerUtils {
        WorkerUtils::new(self.emitting.clone(), Schema::default())
    }

    /// A job for each consumer and order.
    fn jobs(&self, orders: Range<u64>) -> Result<Vec<RawJobSpec>> {
        let mut jobs = Vec::new();
        for n in orders {
            let payload = serde_json::to_value(Order::of(n))?;
            for task in TASKS.iter().take(self.setup.consumers as usize) {
                jobs.push(RawJobSpec {
                    identifier: (*task).to_owned(),
                    payload: payload.clone(),
                    spec: JobSpec::default(),
                });
            }
        }
        Ok(jobs)
    }
}

fn definitions() -> [JobDefinition; TASKS.len()] {
    [
        OrderPlaced::<0>::definition(),
        OrderPlaced::<1>::definition(),
        OrderPlaced::<2>::definition(),
        OrderPlaced::<3>::definition(),
        OrderPlaced::<4>::definition(),
        OrderPlaced::<5>::definition(),
        OrderPlaced::<6>::definition(),
        OrderPlaced::<7>::definition(),
        OrderPlaced::<8>::definition(),
        OrderPlaced::<9>::definition(),
    ]
}

async fn connect(setup: &Setup, connections: u32) -> Result<PgPool> {
    // Where events come faster than they can be emitted, they wait here.
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_secs(120));
    Ok(pool.max_connections(connections).connect(&setup.url).await?)
}

#[tokio::main]
async fn main() -> Result<()> {
    outbox_contest::play::<Graphile>(clap::Parser::parse()).await
}
