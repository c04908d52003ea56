//! Looking at a database from outside: what a test checks or does without the outbox.

use std::future::Future;

use chrono::{DateTime, Utc};
use outbox_runtime::Position;
use outbox_runtime::testing::TestBackend;
use sqlx::{AssertSqlSafe, Pool};

/// Plain SQL on either database. The texts are written by tests, and hold nothing from elsewhere.
pub trait Db: TestBackend {
    /// Whether this is Postgres.
    const IS_POSTGRES: bool;

    /// Runs a statement on a connection; returns how many rows it changed.
    fn run(
        connection: &mut Self::Connection,
        sql: &str,
    ) -> impl Future<Output = sqlx::Result<u64>> + Send;

    /// The only value of the only row on this connection, as an integer.
    fn scalar(
        connection: &mut Self::Connection,
        sql: &str,
    ) -> impl Future<Output = sqlx::Result<i64>> + Send;

    /// The only value of the only row, as an integer.
    fn number(pool: &Pool<Self>, sql: &str) -> impl Future<Output = sqlx::Result<i64>> + Send;

    /// The first column of every row, as text.
    fn texts(
        pool: &Pool<Self>,
        sql: &str,
    ) -> impl Future<Output = sqlx::Result<Vec<Option<String>>>> + Send;

    /// The name of one of the outbox's tables.
    #[must_use]
    fn table(name: &str) -> String {
        Self::table_in("outbox", name)
    }

    /// The name of one of the outbox's tables in a namespace.
    #[must_use]
    fn table_in(namespace: &str, name: &str) -> String {
        let joint = if Self::IS_POSTGRES { '.' } else { '_' };
        format!("{namespace}{joint}{name}")
    }

    /// Runs a statement by itself.
    fn execute(pool: &Pool<Self>, sql: &str) -> impl Future<Output = sqlx::Result<u64>> + Send {
        async move { Self::run(&mut *pool.acquire().await?, sql).await }
    }

    /// Appends an event to the log as a program in another language might.
    fn append(
        pool: &Pool<Self>,
        name: &str,
        version: u32,
        key: Option<&str>,
        payload: &str,
    ) -> impl Future<Output = sqlx::Result<u64>> + Send {
        let key = key.map_or("null".to_owned(), |key| format!("'{key}'"));
        let sql = if Self::IS_POSTGRES {
            format!(
                "insert into outbox.event (id, name, version, key, key_hash, payload) \
                 values (gen_random_uuid(), '{name}', {version}, {key}, 0, '{payload}')"
            )
        } else {
            format!(
                "insert into outbox_event (id, name, version, key, key_hash, payload, created_at_us) \
                 values (randomblob(16), '{name}', {version}, {key}, 0, '{payload}', \
                         cast(unixepoch('subsec') * 1000000 as integer))"
            )
        };
        async move { Self::execute(pool, &sql).await }
    }

    /// Makes an event older or younger than it is.
    fn backdate(
        pool: &Pool<Self>,
        position: Position,
        to: DateTime<Utc>,
    ) -> impl Future<Output = sqlx::Result<u64>> + Send {
        let time = if Self::IS_POSTGRES {
            format!("created_at = '{}'", to.to_rfc3339())
        } else {
            format!("created_at_us = {}", to.timestamp_micros())
        };
        let event = Self::table("event");
        let sql = format!("update {event} set {time} where position = {position}");
        async move { Self::execute(pool, &sql).await }
    }
}

macro_rules! db {
    ($db:ty, $is_postgres:literal) => {
        impl Db for $db {
            const IS_POSTGRES: bool = $is_postgres;

            async fn run(connection: &mut Self::Connection, sql: &str) -> sqlx::Result<u64> {
                let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(connection).await?;
                Ok(done.rows_affected())
            }

            async fn scalar(connection: &mut Self::Connection, sql: &str) -> sqlx::Result<i64> {
                let sql = AssertSqlSafe(sql.to_owned());
                sqlx::query_scalar::<_, i64>(sql).fetch_one(connection).await
            }

            async fn number(pool: &Pool<Self>, sql: &str) -> sqlx::Result<i64> {
                sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(pool).await
            }

            async fn texts(pool: &Pool<Self>, sql: &str) -> sqlx::Result<Vec<Option<String>>> {
                sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(pool).await
            }
        }
    };
}

db!(outbox_runtime::Postgres, true);
db!(outbox_runtime::Sqlite, false);
