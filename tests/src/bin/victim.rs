//! A worker that is there to be killed: `victim ORDERS`, which are [`Orders`] as JSON. It appends a
//! line to a file for every delivery, keeps a projection in the database, and ends gracefully when
//! its standard input is closed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use outbox_runtime::testing::TestBackend;
use outbox_runtime::{
    ConsumerError, Consumers, Delivery, Outbox, Postgres, Sqlite, State, Tx, Worker, consumer,
    registry,
};
use outbox_tests::Ping;
use outbox_tests::victim::{Line, Orders, PingV2, Release};
use sqlx::Pool;
use tokio::io::{AsyncBufReadExt, BufReader};
use tracing_subscriber::EnvFilter;

/// The number of the event that aborts the process.
const POISON: u64 = 666_666;

/// Writes down what is delivered, whatever happens to the process.
#[derive(Clone, Debug)]
struct Scribe {
    log: Arc<File>,
    delays: Arc<BTreeMap<String, Duration>>,
    flaky: bool,
}

impl Scribe {
    async fn note<E>(
        &self,
        consumer: &str,
        delivery: &Delivery<E>,
        n: u64,
    ) -> Result<(), ConsumerError> {
        if n == POISON {
            std::process::abort();
        }
        if self.flaky && n.is_multiple_of(16) && delivery.attempt() == 1 {
            return Err(std::io::Error::other("as ordered").into());
        }
        let key = delivery.key();
        // One write to a file opened for appending is atomic, and survives the process.
        (&*self.log).write_all(Line::now(consumer, key, n).to_text().as_bytes())?;
        self.delay(consumer).await;
        Ok(())
    }

    async fn delay(&self, consumer: &str) {
        match self.delays.get(consumer) {
            Some(delay) => tokio::time::sleep(*delay).await,
            None => tokio::task::yield_now().await,
        }
    }
}

/// A consumer that works outside of the database.
macro_rules! outside {
    ($function:ident, $name:literal, $event:ident, $number:ident, $($options:tt)*) => {
        #[consumer(name = $name, start = beginning, $($options)*)]
        async fn $function(
            ping: Delivery<$event>,
            State(scribe): State<Scribe>,
        ) -> Result<(), ConsumerError> {
            scribe.note($name, &ping, ping.$number).await
        }
    };
}

outside!(
    outside_1,
    "outside",
    Ping,
    n,
    ordered,
    shards = 8,
    retry(max = 3, backoff = "10ms..20ms")
);
outside!(
    outside_2,
    "outside",
    PingV2,
    number,
    ordered,
    shards = 8,
    retry(max = 3, backoff = "10ms..20ms")
);
outside!(newcomer, "newcomer", PingV2, number, ordered, shards = 2);
outside!(slow, "slow", Ping, n, shards = 2);
outside!(quick, "quick", Ping, n, shards = 2);

macro_rules! on {
    ($database:ident, $module:ident) => {
        mod $module {
            use super::*;

            async fn add(
                tx: &mut Tx<'_, $database>,
                key: Option<String>,
                n: u64,
            ) -> Result<(), sqlx::Error> {
                sqlx::query(
                    "insert into projection (key, events, total) values ($1, 1, $2)
                     on conflict (key) do update
                     set events = projection.events + 1, total = projection.total + excluded.total",
                )
                .bind(key.unwrap_or_default())
                .bind(n as i64)
                .execute(&mut **tx)
                .await?;
                Ok(())
            }

            /// Works in the database.
            #[consumer(name = "inside", start = beginning, delivery = tx, shards = 2, timeout = "2s")]
            pub(super) async fn inside_1(
                ping: Delivery<Ping>,
                State(scribe): State<Scribe>,
                tx: &mut Tx<'_, $database>,
            ) -> Result<(), sqlx::Error> {
                add(tx, ping.key.clone(), ping.n).await?;
                scribe.delay("inside").await;
                Ok(())
            }

            /// The same in the second release.
            #[consumer(name = "inside", start = beginning, delivery = tx, shards = 2, timeout = "2s")]
            pub(super) async fn inside_2(
                ping: Delivery<PingV2>,
                State(scribe): State<Scribe>,
                tx: &mut Tx<'_, $database>,
            ) -> Result<(), sqlx::Error> {
                add(tx, ping.key.clone(), ping.number).await?;
                scribe.delay("inside").await;
                Ok(())
            }

            registry! {
                /// The first release.
                pub(super) struct First;
                state: Scribe,
                events: [Ping],
                consumers: [outside_1, inside_1],
            }

            registry! {
                /// The second release.
                pub(super) struct Second;
                state: Scribe,
                events: [PingV2, Ping],
                consumers: [outside_2, inside_2, newcomer],
            }

            registry! {
                /// A consumer that is slow beside one that is not.
                pub(super) struct Slow;
                state: Scribe,
                events: [Ping],
                consumers: [slow, quick],
            }

            pub(super) async fn run(
                pool: Pool<$database>,
                orders: Orders,
                scribe: Scribe,
            ) -> outbox_runtime::Result<()> {
                match orders.release {
                    Release::First => super::run::<First, _>(pool, orders, scribe).await,
                    Release::Second => super::run::<Second, _>(pool, orders, scribe).await,
                    Release::Slow => super::run::<Slow, _>(pool, orders, scribe).await,
                }
            }
        }
    };
}

on!(Postgres, postgres);
on!(Sqlite, sqlite);

async fn run<R, DB>(pool: Pool<DB>, orders: Orders, scribe: Scribe) -> outbox_runtime::Result<()>
where
    R: Consumers<DB, State = Scribe>,
    DB: TestBackend,
{
    let answer_timeout = orders.answer_timeout.unwrap_or(Duration::from_secs(30));
    let worker = Worker::new(Outbox::<R, DB>::new(pool.clone()), scribe)
        .lease(orders.lease)
        .answer_timeout(answer_timeout)
        .poll(Duration::from_millis(20), Duration::from_millis(100));
    worker.run_until(told_to_stop(pool, orders.hold)).await?;
    Ok(())
}

/// The end of the input, or its failure, is the signal. A line is another one: to take
/// connections of the worker's own pool away from it.
async fn told_to_stop<DB: TestBackend>(pool: Pool<DB>, hold: Option<(u32, Duration)>) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(_)) = lines.next_line().await {
        let Some((connections, time)) = hold else { continue };
        let taken = (0..connections).map(|_| pool.acquire());
        let taken = futures_util::future::join_all(taken).await;
        println!("{}", taken.iter().filter(|one| one.is_ok()).count());
        tokio::time::sleep(time).await;
        drop(taken);
        println!("released");
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    // What it warns of explains a seed that fails; RUST_LOG asks for more.
    let filter = EnvFilter::builder().with_default_directive("outbox_runtime=warn".parse()?);
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(std::io::stderr)
        .init();
    let Some(orders) = std::env::args().nth(1) else {
        anyhow::bail!("usage: victim ORDERS");
    };
    let orders: Orders = serde_json::from_str(&orders)?;
    let log = OpenOptions::new().append(true).create(true).open(&orders.log)?;
    let scribe =
        Scribe { log: Arc::new(log), delays: Arc::new(orders.delays.clone()), flaky: orders.flaky };
    let (url, connections) = (orders.url.clone(), orders.connections);
    if url.starts_with("postgres") {
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(connections);
        // By its name a test finds the victim's sessions.
        let name = format!("victim-{}", std::process::id());
        let options: sqlx::postgres::PgConnectOptions = url.parse()?;
        let pool = pool.connect_with(options.application_name(&name)).await?;
        postgres::run(pool, orders, scribe).await?;
    } else {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&url)
            .busy_timeout(Duration::from_secs(30));
        let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(connections);
        sqlite::run(pool.connect_with(options).await?, orders, scribe).await?;
    }
    Ok(())
}
