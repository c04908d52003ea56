//! obix 0.16.0, an outbox on Postgres, with the resident jobs of job 0.19.2.
//!
//! Each consumer is a singleton subscriber of its own: obix stores an event once, and each subscriber
//! has a cursor. `migrations` holds obix's own migration (Apache-2.0), copied as its README says
//! ("Setup", option 1).
//!
//! Emitting and handling share one outbox, so that within a process events reach the subscribers from
//! memory (README, "Features"). The sizes of buffers, caches and pages are the defaults: larger ones
//! made no difference. The partition maintainer is not registered, for the first partition has room for
//! 2 million events (README, "Partition maintenance").

#![forbid(unsafe_code)]

mod subscriber;

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result};
use es_entity::{AtomicOperation, DbOp};
use job::{IncludeMigrations, JobSvcConfig, JobType, Jobs};
use obix::out::Outbox;
use obix::{MailboxConfig, OutboxEventJobConfig};
use outbox_contest::{Contestant, Handler, Kind, Order, Setup, unsupported};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use subscriber::{Event, Plain, Projection};

/// The types of the jobs, which have to be static text.
const CONSUMERS: [&str; 10] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/// At most so many events share a transaction of a subscriber: a page that it reads
/// (`DEFAULT_BACKFILL_PAGE_SIZE`). With 100, the default, it was as fast, with more commits.
const BATCH: usize = 1_000;

struct Obix {
    setup: Setup,
    /// For emitting.
    pool: PgPool,
    /// It reads its tables when it is made, so there is none before they are.
    outbox: Option<Outbox<Event>>,
    /// For the outbox itself and its jobs: what wakes the subscribers of other processes must not queue
    /// behind those who emit, and jobs start only when connections of their pool are free
    /// (`JobPollerConfig::connections_per_job`).
    background: PgPool,
}

#[tokio::main]
async fn main() -> Result<()> {
    outbox_contest::play::<Obix>(clap::Parser::parse()).await
}

impl Obix {
    fn outbox(&self) -> Result<&Outbox<Event>> {
        self.outbox.as_ref().context("its tables are missing")
    }

    fn consumers(&self) -> &'static [&'static str] {
        let count = usize::try_from(self.setup.consumers).unwrap_or(usize::MAX);
        CONSUMERS.get(..count).unwrap_or(&CONSUMERS)
    }
}

/// What is not left at its default, see the documentation of `DEFAULT_NOTIFY_DEBOUNCE` and
/// `DEFAULT_IDLE_RESYNC_INTERVAL` in its config.rs.
fn config() -> MailboxConfig {
    MailboxConfig::builder()
        // Other processes learn of events after this time, by default 25 ms. With 5 ms emitting is
        // not measurably slower; with 1 ms a single writer is, by a quarter.
        .notify_debounce(Duration::from_millis(5))
        // A process that ends before that time is over wakes nobody for its last events. They are
        // found after this time, by default 10 s, and 2 s of grace.
        .idle_resync_interval(Duration::from_secs(1))
        .build()
}

/// As its users do in `main`, whose future is not sent: the compiler finds that this one cannot be
/// (<https://github.com/rust-lang/rust/issues/100013>).
async fn init(pool: PgPool) -> Result<Outbox<Event>> {
    let here = Handle::current();
    let outbox = spawn_blocking(move || here.block_on(Outbox::init(&pool, config())));
    Ok(outbox.await??)
}

impl Contestant for Obix {
    async fn open(setup: &Setup) -> Result<Self> {
        if setup.kind == Kind::Ordered {
            return Err(unsupported(
                "a failing event stops its subscriber, and one for each key would read all events",
            ));
        }
        if setup.shards > 1 {
            return Err(unsupported("a subscriber runs in one process at a time"));
        }
        if setup.consumers as usize > CONSUMERS.len() {
            return Err(unsupported("no more than ten subscribers were written"));
        }
        if setup.concurrency.is_some_and(|most| most < setup.consumers) {
            return Err(unsupported("each subscriber runs one handler, whatever the others do"));
        }
        let pool = PgPoolOptions::new().max_connections(setup.connections);
        let pool = pool.connect(&setup.url).await?;
        // Each subscriber reads and writes; the others are for what listens, polls and wakes.
        let background = PgPoolOptions::new().max_connections(2 * setup.consumers + 6);
        let background = background.connect_lazy(&setup.url)?;
        let installed = "select to_regclass('persistent_outbox_events') is not null";
        let installed: bool = sqlx::query_scalar(installed).fetch_one(&pool).await?;
        let outbox = if installed { Some(init(background.clone()).await?) } else { None };
        Ok(Self { setup: setup.clone(), pool, outbox, background })
    }

    async fn install(&self) -> Result<()> {
        // The README of job, "Setup", option 3.
        Ok(sqlx::migrate!().include_job_migrations().run(&self.pool).await?)
    }

    async fn fill(&self, orders: Range<u64>) -> Result<()> {
        let outbox = self.outbox()?;
        let mut rest = orders;
        while !rest.is_empty() {
            let mut op = DbOp::init(&self.pool).await?;
            // As many as it inserts with one statement.
            let some = rest.by_ref().take(obix::DEFAULT_PERSIST_EVENTS_BATCH_SIZE);
            outbox.publish_all_persisted(&mut op, some.map(Event::of)).await?;
            op.commit().await?;
        }
        Ok(())
    }

    async fn emit(&self, orders: Range<u64>) -> Result<()> {
        let outbox = self.outbox()?;
        let order = Order::of(orders.start);
        let mut op = DbOp::init(&self.pool).await?;
        sqlx::query("insert into business (n, body) values ($1, $2)")
            .bind(order.n.cast_signed())
            .bind(serde_json::to_string(&order)?)
            .execute(op.as_executor())
            .await?;
        outbox.publish_all_persisted(&mut op, orders.map(Event::of)).await?;
        Ok(op.commit().await?)
    }

    async fn work(&self, handler: Handler, stop: CancellationToken) -> Result<()> {
        let outbox = self.outbox()?;
        let config = JobSvcConfig::builder().pool(self.background.clone()).build()?;
        let mut jobs = Jobs::init(config).await?;
        for name in self.consumers() {
            let config = OutboxEventJobConfig::new(JobType::new(name)).with_max_batch_size(BATCH);
            let handler = handler.clone();
            match self.setup.kind {
                Kind::Plain | Kind::Ordered => {
                    outbox.register_singleton_subscriber(&mut jobs, config, Plain(handler)).await?;
                }
                Kind::Projection => {
                    outbox
                        .register_singleton_subscriber(&mut jobs, config, Projection(handler))
                        .await?;
                }
            }
        }
        jobs.start_poll().await?;
        stop.cancelled().await;
        Ok(jobs.shutdown().await?)
    }

    async fn unrecorded(&self) -> Result<u64> {
        // The state of a job holds the last position that its subscriber has handled. Rows without a
        // payload stand for transactions that were rolled back.
        let count = sqlx::query_scalar(
            "select count(*)
             from unnest($1) as consumer(job_type)
             left join jobs using (job_type)
             left join job_execution_states state on state.id = jobs.id
             join persistent_outbox_events event
               on event.sequence > coalesce((state.execution_state_json ->> 'sequence')::bigint, 0)
             where event.payload is not null",
        );
        let count: i64 = count.bind(self.consumers()).fetch_one(&self.pool).await?;
        Ok(count.unsigned_abs())
    }
}
