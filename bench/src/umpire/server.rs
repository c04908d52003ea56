//! The databases of the runs, and what can be read off them.

use std::fs;
use std::ops::Sub;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

const APPLICATION: &str = "
    create table business (n bigint primary key, body text not null);
    create table total (key text primary key, events bigint not null)";

/// Where databases are made.
pub(crate) enum Server {
    /// A superuser's address.
    Postgres(String),
    Sqlite,
}

/// A database for one run; gone after [`Database::remove`].
pub(crate) enum Database {
    Postgres { url: String, name: String, connection: PgConnection, server: String },
    Sqlite { url: String, folder: TempDir },
}

/// A database that nobody uses, to be copied; gone after [`Template::remove`].
pub(crate) enum Template {
    Postgres { name: String, server: String },
    Sqlite { folder: TempDir },
}

/// What Postgres has counted in a database so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written {
    /// Bytes of write-ahead log, of the whole server: nothing else may run on it.
    pub(crate) wal: f64,
    /// Rows that were updated or deleted, and so lie about dead until vacuum comes.
    pub(crate) dead: f64,
    /// Transactions, with and without an id.
    pub(crate) transactions: f64,
    /// Transaction ids, of the whole server.
    pub(crate) ids: f64,
}

impl Sub for Written {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            wal: self.wal - before.wal,
            dead: self.dead - before.dead,
            transactions: self.transactions - before.transactions,
            ids: self.ids - before.ids,
        }
    }
}

impl Server {
    /// The version that the server shows; an error if it may lose what it has confirmed.
    pub(crate) async fn version(&self) -> Result<String> {
        Ok(match self {
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await?;
                let durable = "select current_setting('fsync')::bool
                                   and current_setting('synchronous_commit') = 'on'
                                   and current_setting('full_page_writes')::bool";
                let durable: bool = sqlx::query_scalar(durable).fetch_one(&mut connection).await?;
                ensure!(
                    durable,
                    "the server is not durable: set fsync, full_page_writes and synchronous_commit to on"
                );
                let version = "select split_part(version(), ' on ', 1)";
                sqlx::query_scalar(version).fetch_one(&mut connection).await?
            }
            Self::Sqlite => {
                let mut connection = SqliteConnection::connect("sqlite::memory:").await?;
                let version = "select 'SQLite ' || sqlite_version()";
                sqlx::query_scalar(version).fetch_one(&mut connection).await?
            }
        })
    }

    /// A new database with the application's own tables.
    pub(crate) async fn database(&self) -> Result<Database> {
        match self {
            Self::Postgres(server) => {
                let name = name();
                administer(server, format!("create database {name}")).await?;
                let mut database = Database::on_postgres(server, name).await?;
                if let Database::Postgres { connection, .. } = &mut database {
                    sqlx::raw_sql(APPLICATION).execute(connection).await?;
                }
                Ok(database)
            }
            Self::Sqlite => {
                let folder = tempfile::tempdir()?;
                let options = SqliteConnectOptions::new()
                    .filename(folder.path().join(FILE))
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full);
                let mut connection = options.connect().await?;
                sqlx::raw_sql(APPLICATION).execute(&mut connection).await?;
                connection.close().await?;
                Ok(Database::on_sqlite(folder))
            }
        }
    }
}

/// SQLite's file in the folder of a database, beside which it puts others.
const FILE: &str = "bench.db";

/// A name that no other database has.
fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("outbox_bench_{}_{number}", std::process::id())
}

async fn administer(server: &str, statement: String) -> Result<()> {
    let mut admin = PgConnection::connect(server).await.context("connect")?;
    sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await?;
    Ok(())
}

impl Template {
    /// A database with what is in this one.
    pub(crate) async fn copy(&self) -> Result<Database> {
        match self {
            Self::Postgres { name: template, server } => {
                let name = name();
                // By way of the write-ahead log. Otherwise Postgres makes checkpoints afterwards, and
                // whoever changes rows is charged for whole pages (see `Database::checkpoint`). One
                // before it, so that what the copies before have left is not written during the run.
                administer(server, "checkpoint".to_owned()).await?;
                let create = format!("create database {name} template {template} strategy wal_log");
                administer(server, create).await?;
                Database::on_postgres(server, name).await
            }
            Self::Sqlite { folder: template } => {
                let folder = tempfile::tempdir()?;
                // With the write-ahead log: whoever was here last may have left something in it.
                for entry in fs::read_dir(template.path())? {
                    let entry = entry?;
                    fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
                }
                Ok(Database::on_sqlite(folder))
            }
        }
    }

    pub(crate) async fn remove(self) -> Result<()> {
        let Self::Postgres { name, server } = self else { return Ok(()) };
        administer(&server, format!("drop database if exists {name} with (force)")).await
    }
}

impl Database {
    async fn on_postgres(server: &str, name: String) -> Result<Self> {
        let options: PgConnectOptions = server.parse()?;
        let options = options.database(&name);
        let url = options.to_url_lossy().to_string();
        let connection = options.connect().await?;
        Ok(Self::Postgres { url, name, connection, server: server.to_owned() })
    }

    fn on_sqlite(folder: TempDir) -> Self {
        Self::Sqlite { url: format!("sqlite://{}", folder.path().join(FILE).display()), folder }
    }

    /// Leaves it to be copied; nobody else may be connected.
    pub(crate) async fn into_template(self) -> Result<Template> {
        match self {
            Self::Postgres { name, connection, server, .. } => {
                connection.close().await?;
                Ok(Template::Postgres { name, server })
            }
            Self::Sqlite { folder, .. } => Ok(Template::Sqlite { folder }),
        }
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Postgres { url, .. } | Self::Sqlite { url, .. } => url,
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres { .. })
    }

    /// Before a database is filled: what is written from now on need not be written again as a whole
    /// page (`full_page_writes`) for the next minutes, which would be charged to whoever changes rows.
    pub(crate) async fn checkpoint(&mut self) -> Result<()> {
        let Self::Postgres { connection, .. } = self else { return Ok(()) };
        sqlx::query("checkpoint").execute(connection).await?;
        Ok(())
    }

    /// After it was filled: statistics for the planner, and no work left over for the first reader.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        let Self::Postgres { connection, .. } = self else { return Ok(()) };
        sqlx::query("vacuum (analyze)").execute(connection).await?;
        Ok(())
    }

    /// What was written so far; nothing of SQLite. Counts of rows are complete once the connections
    /// that wrote them have ended.
    pub(crate) async fn written(&mut self) -> Result<Written> {
        let Self::Postgres { connection, .. } = self else { return Ok(Written::default()) };
        let counts = "
            select (pg_current_wal_lsn() - '0/0')::float8,
                   coalesce((select sum(n_tup_upd + n_tup_del) from pg_stat_user_tables), 0)::float8,
                   (select xact_commit + xact_rollback from pg_stat_database
                    where datname = current_database())::float8,
                   pg_snapshot_xmax(pg_current_snapshot())::text::float8";
        let (wal, dead, transactions, ids) = sqlx::query_as(counts).fetch_one(connection).await?;
        Ok(Written { wal, dead, transactions, ids })
    }

    /// Waits until nobody else is connected, and what they did has been counted.
    pub(crate) async fn deserted(&mut self) -> Result<()> {
        let Self::Postgres { connection, .. } = self else { return Ok(()) };
        let others = "
            select count(*) from pg_stat_activity
            where datname = current_database() and backend_type = 'client backend'
                and pid <> pg_backend_pid() and state <> 'idle in transaction'";
        while sqlx::query_scalar::<_, i64>(others).fetch_one(&mut *connection).await? > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Another session that has a transaction id and does nothing, until it is dropped.
    pub(crate) async fn hold(&self) -> Result<Option<PgConnection>> {
        let Self::Postgres { url, .. } = self else { return Ok(None) };
        let mut connection = PgConnection::connect(url).await?;
        sqlx::raw_sql("begin; select pg_current_xact_id()").execute(&mut connection).await?;
        Ok(Some(connection))
    }

    /// Removes it.
    pub(crate) async fn remove(self) -> Result<()> {
        self.into_template().await?.remove().await
    }
}
