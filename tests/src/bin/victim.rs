//! A worker that is there to be killed: `victim DATABASE_URL LOG`. It appends a line to LOG for
//! every delivery, keeps a projection in the database, and ends gracefully when its standard input
//! is closed.

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
use tokio::io::AsyncReadExt;

/// The number of the event that aborts the process.
const POISON: u64 = 666_666;

#[derive(Clone, Debug)]
struct Log(Arc<File>);

/// Works outside: what it did is in the log, whatever happens to the process.
#[consumer(name = "outside", start = beginning, ordered, retry(max = 3, backoff = "10ms..20ms"))]
async fn outside(ping: Delivery<Ping>, State(log): State<Log>) -> Result<(), ConsumerError> {
    if ping.n == POISON {
        std::process::abort();
    }
    let line = format!("{} {}\n", ping.key.as_deref().unwrap_or("-"), ping.n);
    // One write to a file opened for appending is atomic, and survives the process.
    (&*log.0).write_all(line.as_bytes())?;
    tokio::task::yield_now().await;
    Ok(())
}

macro_rules! on {
    ($database:ident, $module:ident) => {
        mod $module {
            use super::*;

            /// Works in the database.
            #[consumer(name = "inside", start = beginning, delivery = tx)]
            pub(super) async fn inside(
                ping: Delivery<Ping>,
                tx: &mut Tx<'_, $database>,
            ) -> Result<(), sqlx::Error> {
                sqlx::query(
                    "insert into projection (key, events, total) values ($1, 1, $2)
                     on conflict (key) do update
                     set events = projection.events + 1, total = projection.total + excluded.total",
                )
                .bind(ping.key.clone().unwrap_or_default())
                .bind(ping.n as i64)
                .execute(&mut **tx)
                .await?;
                Ok(())
            }

            registry! {
                /// What the victim runs.
                pub(super) struct Victim;
                state: Log,
                events: [Ping],
                consumers: [outside, inside],
            }
        }
    };
}

on!(Postgres, postgres);
on!(Sqlite, sqlite);

async fn run<R, DB>(pool: sqlx::Pool<DB>, log: Log) -> outbox_runtime::Result<()>
where
    R: Consumers<DB, State = Log>,
    DB: TestBackend,
{
    let worker = Worker::new(Outbox::<R, DB>::new(pool), log)
        .lease(Duration::from_millis(600))
        .poll(Duration::from_millis(20), Duration::from_millis(100));
    worker
        .run_until(async {
            // The end of the input, or its failure, is the signal.
            let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
        })
        .await?;
    Ok(())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(log)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: victim DATABASE_URL LOG");
    };
    let log = Log(Arc::new(OpenOptions::new().append(true).create(true).open(log)?));
    if url.starts_with("postgres") {
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(6).connect(&url).await?;
        run::<postgres::Victim, Postgres>(pool, log).await?;
    } else {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&url)
            .busy_timeout(Duration::from_secs(30));
        let pool =
            sqlx::sqlite::SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
        run::<sqlite::Victim, Sqlite>(pool, log).await?;
    }
    Ok(())
}
