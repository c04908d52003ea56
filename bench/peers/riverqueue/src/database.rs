//! What differs between the two databases.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;
use outbox_contest::{Handler, Order};
use riverqueue::database::{begin_postgres, begin_sqlite_write};
use riverqueue::migrate::{PostgresMigrator, SqliteMigrator};
use riverqueue::sqlx;
use riverqueue::sqlx::postgres::{PgPool, PgPoolOptions};
use riverqueue::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use riverqueue::{Client, ClientBuilder, WorkContext};

use crate::NewJob;

const INSERT_BUSINESS: &str = "insert into business (n, body) values ($1, $2)";
const ADD_TO_TOTAL: &str = "insert into total (key, events) values ($1, 1)
     on conflict (key) do update set events = total.events + 1";
/// A job that failed, and waits for its next attempt, is `retryable`.
const UNFINISHED: &str = "select count(*) from river_job where state in ('available', 'pending', 'running', 'scheduled')";

/// One of River's databases.
pub trait Database: Clone + Send + Sync + 'static {
    /// As many connections for a worker.
    const WORKING_CONNECTIONS: u32;
    /// As many jobs at once where each has a transaction of its own: more would wait for connections, and
    /// so would what the client does itself.
    const AT_ONCE_IN_TRANSACTIONS: usize;
    /// As many batches are inserted at once to fill it.
    const FILLING: u64;

    fn connect(url: &str, connections: u32) -> impl Future<Output = Result<Self>> + Send;

    fn builder(&self) -> ClientBuilder;

    fn migrate(&self) -> impl Future<Output = Result<()>> + Send;

    /// A transaction with a row of the application's own and some jobs: the README, "Inserting jobs",
    /// and `examples/transactions.rs`.
    fn emit(
        &self,
        client: &Client,
        first: &Order,
        jobs: Vec<NewJob>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Completes a job in the transaction in which it changes the total: `examples/transactions.rs`.
    fn project(
        &self,
        context: &WorkContext,
        order: &Order,
        handler: &Handler,
    ) -> impl Future<Output = Result<()>> + Send;

    fn unfinished(&self) -> impl Future<Output = Result<i64>> + Send;
}

/// The code is the same for both, but for the types.
macro_rules! operations {
    ($begin:ident) => {
        fn builder(&self) -> ClientBuilder {
            Client::builder(self.0.clone())
        }

        async fn emit(&self, client: &Client, first: &Order, jobs: Vec<NewJob>) -> Result<()> {
            let mut tx = $begin(&self.0).await?;
            let insert = sqlx::query(INSERT_BUSINESS).bind(first.n.cast_signed());
            insert.bind(serde_json::to_string(first)?).execute(&mut *tx).await?;
            client.insert_many(jobs).tx(&mut tx).await?;
            Ok(tx.commit().await?)
        }

        async fn project(
            &self,
            context: &WorkContext,
            order: &Order,
            handler: &Handler,
        ) -> Result<()> {
            let mut tx = $begin(&self.0).await?;
            sqlx::query(ADD_TO_TOTAL).bind(&order.key).execute(&mut *tx).await?;
            handler.handle(order.n, order).await?;
            context.job_complete_tx(&mut tx).await?;
            Ok(tx.commit().await?)
        }

        async fn unfinished(&self) -> Result<i64> {
            Ok(sqlx::query_scalar(UNFINISHED).fetch_one(&self.0).await?)
        }
    };
}

/// Postgres.
#[derive(Clone)]
pub struct Postgres(PgPool);

impl Database for Postgres {
    // `DEFAULT_MAX_CONNECTIONS` in `src/bench.rs` of riverqueue-cli.
    const WORKING_CONNECTIONS: u32 = 50;
    const AT_ONCE_IN_TRANSACTIONS: usize = 40;
    const FILLING: u64 = 4;

    async fn connect(url: &str, connections: u32) -> Result<Self> {
        Ok(Self(PgPoolOptions::new().max_connections(connections).connect(url).await?))
    }

    async fn migrate(&self) -> Result<()> {
        PostgresMigrator::new(self.0.clone()).migrate_up().await?;
        Ok(())
    }

    operations!(begin_postgres);
}

/// SQLite.
#[derive(Clone)]
pub struct Sqlite(SqlitePool);

impl Database for Sqlite {
    // The README, "Database support".
    const WORKING_CONNECTIONS: u32 = 5;
    const AT_ONCE_IN_TRANSACTIONS: usize = 4;
    // It has one writer.
    const FILLING: u64 = 1;

    async fn connect(url: &str, connections: u32) -> Result<Self> {
        // WAL and a busy timeout: the README, "Database support". `FULL` is SQLite's default, and
        // makes what was committed durable.
        let options = SqliteConnectOptions::from_str(url)?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(30));
        let pool = SqlitePoolOptions::new().max_connections(connections);
        Ok(Self(pool.connect_with(options).await?))
    }

    async fn migrate(&self) -> Result<()> {
        SqliteMigrator::new(self.0.clone()).migrate_up().await?;
        Ok(())
    }

    operations!(begin_sqlite_write);
}
