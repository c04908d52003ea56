//! A process beside others on one SQLite file. `neighbour work FILE LOG` runs consumers, on
//! connections that do not wait for a lock by themselves, and appends a line to LOG for every
//! delivery, until its standard input is closed. `neighbour hold FILE MILLISECONDS` holds the write
//! lock for so long, and says when it has it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use outbox_runtime::{
    ConsumerError, Delivery, Outbox, Sqlite, State, Tx, Worker, consumer, registry,
};
use outbox_tests::Ping;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use tokio::io::AsyncReadExt;

#[derive(Clone, Debug)]
struct Log(Arc<File>);

/// Works outside.
#[consumer(name = "outside", start = beginning, ordered, shards = 4)]
async fn outside(ping: Delivery<Ping>, State(log): State<Log>) -> Result<(), ConsumerError> {
    let line = format!("{} {}\n", ping.key.as_deref().unwrap_or("-"), ping.n);
    // One write to a file opened for appending is atomic.
    Ok((&*log.0).write_all(line.as_bytes())?)
}

/// Works in the database.
#[consumer(name = "inside", start = beginning, delivery = tx, shards = 2)]
async fn inside(ping: Delivery<Ping>, tx: &mut Tx<'_, Sqlite>) -> Result<(), sqlx::Error> {
    let insert = sqlx::query("insert into effect (n) values (?1)").bind(ping.n as i64);
    insert.execute(&mut **tx).await.map(drop)
}

registry! {
    /// What it runs.
    struct Neighbour;
    state: Log,
    events: [Ping],
    consumers: [outside, inside],
}

async fn pool(file: &str, busy_timeout: Duration) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(busy_timeout);
    Ok(SqlitePoolOptions::new().max_connections(4).connect_with(options).await?)
}

async fn work(file: &str, log: &str) -> Result<()> {
    let log = Log(Arc::new(OpenOptions::new().append(true).create(true).open(log)?));
    let outbox = Outbox::<Neighbour, Sqlite>::new(pool(file, Duration::ZERO).await?);
    let often = Duration::from_millis(20);
    let worker = Worker::new(outbox, log).lease(Duration::from_secs(3)).poll(often, often);
    worker
        .run_until(async {
            // The end of the input, or its failure, is the signal.
            let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
        })
        .await?;
    Ok(())
}

async fn hold(file: &str, milliseconds: u64) -> Result<()> {
    let pool = pool(file, Duration::from_secs(60)).await?;
    let tx = pool.begin_with("begin immediate").await?;
    println!("held");
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    tx.rollback().await?;
    Ok(())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, command, file, last] = &arguments[..] else {
        anyhow::bail!("usage: neighbour work FILE LOG | neighbour hold FILE MILLISECONDS");
    };
    match command.as_str() {
        "work" => work(file, last).await,
        "hold" => hold(file, last.parse().context("milliseconds")?).await,
        other => anyhow::bail!("no such command: {other}"),
    }
}
