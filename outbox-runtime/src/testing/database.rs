//! Databases that live as long as a test.

use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

use sqlx::Pool;
use tokio::runtime::{Handle, RuntimeFlavor};
use uuid::Uuid;

use crate::error::Result;
use crate::store::Backend;

/// A database that tests can make and remove.
pub trait TestBackend: Backend {
    /// Makes a database with this name, and a pool of this many connections.
    #[doc(hidden)]
    fn create(
        name: &str,
        connections: u32,
    ) -> impl Future<Output = Result<(Pool<Self>, String)>> + Send;

    /// Removes it. Called on a thread of its own, when nobody uses it any more.
    #[doc(hidden)]
    fn remove(location: &str);
}

/// An empty database, removed when this is dropped.
#[derive(Debug)]
pub struct TestDatabase<DB: TestBackend> {
    pool: Pool<DB>,
    location: String,
}

impl<DB: TestBackend> TestDatabase<DB> {
    /// Makes an empty database: for SQLite a file in the temporary directory; for Postgres a
    /// database on the server that the environment variable `DATABASE_URL` names, whose role
    /// must be allowed to create databases.
    ///
    /// # Errors
    ///
    /// When `DATABASE_URL` is not set, or what the server says.
    pub async fn create() -> Result<Self> {
        Self::with_connections(8).await
    }

    /// The same, with a pool of this many connections.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create).
    pub async fn with_connections(connections: u32) -> Result<Self> {
        let name = format!("outbox_test_{}", Uuid::now_v7().simple());
        let (pool, location) = DB::create(&name, connections).await?;
        Ok(Self { pool, location })
    }

    /// A pool of connections to it.
    #[must_use]
    pub fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Its URL, for other processes.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.location
    }
}

/// How long the only thread of a runtime waits for a database to be removed.
const PATIENCE: Duration = Duration::from_secs(1);

impl<DB: TestBackend> Drop for TestDatabase<DB> {
    fn drop(&mut self) {
        let location = std::mem::take(&mut self.location);
        let (done, removed) = mpsc::channel();
        // A thread, because the runtime that runs this may not be blocked on.
        std::thread::spawn(move || {
            DB::remove(&location);
            let _ = done.send(());
        });
        // A runtime of one thread stands still meanwhile, and with it any connection that is just
        // being opened. Postgres waits for those, for up to a minute, before it removes a database;
        // it goes on with that when nobody waits for the answer.
        let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
        let _ = match flavor {
            Ok(RuntimeFlavor::CurrentThread) => removed.recv_timeout(PATIENCE).ok(),
            _ => removed.recv().ok(),
        };
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use sqlx::Sqlite;
    use sqlx::sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
    };

    use super::{Pool, Result, TestBackend};
    use crate::error::During;

    impl TestBackend for Sqlite {
        async fn create(name: &str, connections: u32) -> Result<(Pool<Self>, String)> {
            let path = std::env::temp_dir().join(format!("{name}.db"));
            let options = SqliteConnectOptions::new()
                .filename(&path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(std::time::Duration::from_secs(30));
            let pool = SqlitePoolOptions::new()
                .max_connections(connections)
                .connect_with(options)
                .await
                .during("make a test database")?;
            Ok((pool, path.to_string_lossy().into_owned()))
        }

        fn remove(location: &str) {
            for suffix in ["", "-wal", "-shm"] {
                // Whatever cannot be removed is in the temporary directory anyway.
                let _ = std::fs::remove_file(format!("{location}{suffix}"));
            }
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
    use sqlx::{AssertSqlSafe, Connection, PgConnection, Postgres};

    use super::{Pool, Result, TestBackend};
    use crate::error::{During, Error, ErrorKind};

    const CREATE: &str = "make a test database";

    impl TestBackend for Postgres {
        async fn create(name: &str, connections: u32) -> Result<(Pool<Self>, String)> {
            let server = std::env::var("DATABASE_URL").map_err(|_| {
                Error::new(
                    ErrorKind::InvalidOptions,
                    CREATE,
                    "set DATABASE_URL to a Postgres server on which databases may be created",
                )
            })?;
            let mut connection = PgConnection::connect(&server).await.during(CREATE)?;
            // The name is made of letters, digits and underscores above.
            sqlx::query(AssertSqlSafe(format!("create database {name}")))
                .execute(&mut connection)
                .await
                .during(CREATE)?;
            let options: PgConnectOptions = server.parse().during(CREATE)?;
            let pool = PgPoolOptions::new()
                .max_connections(connections)
                .connect_with(options.database(name))
                .await
                .during(CREATE)?;
            Ok((pool, url_with_database(&server, name)))
        }

        fn remove(location: &str) {
            let Some((server, name)) = location.rsplit_once('/') else { return };
            let name = name.split('?').next().unwrap_or(name).to_owned();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            // A database that cannot be removed is left; its name says what it was.
            let _ = runtime.block_on(async {
                let mut connection = PgConnection::connect(&format!("{server}/postgres")).await?;
                sqlx::query(AssertSqlSafe(format!("drop database if exists {name} with (force)")))
                    .execute(&mut connection)
                    .await
            });
        }
    }

    /// Replaces the path of a Postgres URL.
    fn url_with_database(server: &str, name: &str) -> String {
        let (base, query) = match server.split_once('?') {
            Some((base, query)) => (base, format!("?{query}")),
            None => (server, String::new()),
        };
        let scheme_end = base.find("://").map_or(0, |index| index + 3);
        let authority_end =
            base[scheme_end..].find('/').map_or(base.len(), |index| scheme_end + index);
        format!("{}/{name}{query}", &base[..authority_end])
    }

    #[cfg(test)]
    mod tests {
        use super::url_with_database;

        #[test]
        fn only_the_database_changes() {
            for (server, expected) in [
                ("postgres://u:p@h:1/a", "postgres://u:p@h:1/t"),
                ("postgres://h", "postgres://h/t"),
                ("postgres://h/a?sslmode=disable", "postgres://h/t?sslmode=disable"),
            ] {
                assert_eq!(url_with_database(server, "t"), expected);
            }
        }
    }
}
