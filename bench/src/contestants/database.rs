//! The two databases: how both are reached, the application's own row, and the SQL of the raw loop.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;
use futures_util::stream::{self, TryStreamExt};
use outbox_contest::{Order, Setup};
use sqlx::postgres::{PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::types::{Json, Uuid};
use sqlx::{Pool, Postgres, Row, Sqlite};

/// What stands in the same columns of every event.
const NAME: &str = "bench.order_placed";
const VERSION: i32 = 1;
/// What waits is written in statements of so many rows.
const FILL: u64 = 5_000;

/// A row of the raw loop's table, which has what a handler of this project gets.
#[expect(dead_code, reason = "decoded, as a handler might want it; handlers here do nothing")]
pub(super) struct RawEvent {
    pub(super) position: i64,
    id: Uuid,
    name: String,
    version: i32,
    key: Option<String>,
    pub(super) payload: Order,
    headers: BTreeMap<String, String>,
    created_at: DateTime<Utc>,
}

/// Writes what waits, some rows at a time, as many parts at once as fill a table fastest.
pub(super) async fn fill<DB: Database, F: Future<Output = Result<()>>>(
    orders: Range<u64>,
    write: impl Fn(Range<u64>) -> F,
) -> Result<()> {
    let end = orders.end;
    // One after the other, so that what is written at the same time has different keys.
    let parts = orders.step_by(FILL as usize).map(|first| Ok(first..(first + FILL).min(end)));
    stream::iter(parts).try_for_each_concurrent(DB::FILLERS, write).await
}

/// What the contestants of this program ask of a database.
pub(super) trait Database: outbox_runtime::Backend {
    /// How many fill a table fastest.
    const FILLERS: usize;

    /// A pool of as many connections as the setup says; durable.
    fn open(setup: &Setup) -> impl Future<Output = Result<Pool<Self>>> + Send;

    /// What an application does in the transaction in which it emits: a row of its own.
    fn insert_business(
        connection: &mut Self::Connection,
        order: &Order,
    ) -> impl Future<Output = Result<()>> + Send;

    /// The tables of the raw loop, with a cursor for each consumer.
    fn make_raw(pool: &Pool<Self>, consumers: u32) -> impl Future<Output = Result<()>> + Send;

    /// Appends an order to the raw loop's table.
    fn insert_raw(
        connection: &mut Self::Connection,
        order: Order,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Appends many.
    fn insert_many_raw(
        connection: &mut Self::Connection,
        orders: Vec<Order>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Signals that there is more, within the transaction.
    fn notify_raw(connection: &mut Self::Connection) -> impl Future<Output = Result<()>> + Send;

    /// Where a consumer is.
    fn raw_cursor(
        connection: &mut Self::Connection,
        consumer: i32,
    ) -> impl Future<Output = Result<i64>> + Send;

    /// Records where a consumer is.
    fn set_raw_cursor(
        connection: &mut Self::Connection,
        consumer: i32,
        position: i64,
    ) -> impl Future<Output = Result<()>> + Send;

    /// The next orders after a position, decoded from what came over the wire.
    fn read_raw(
        connection: &mut Self::Connection,
        after: i64,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<RawEvent>>> + Send;

    /// Adds one to the total of a key.
    fn add_to_total(
        connection: &mut Self::Connection,
        key: &str,
    ) -> impl Future<Output = Result<()>> + Send;

    /// How many rows are after the cursors.
    fn raw_left(pool: &Pool<Self>) -> impl Future<Output = Result<i64>> + Send;
}

/// The statements are the same text on both, and have to be compiled for each.
macro_rules! statements {
    (
        $connection:ident, $pool:ty, $tables:expr, $new_id:literal, $elements:literal, $notify:expr,
        $time:expr $(,)?
    ) => {
        async fn insert_business(connection: &mut sqlx::$connection, order: &Order) -> Result<()> {
            let insert = sqlx::query("insert into business (n, body) values ($1, $2)");
            let insert = insert.bind(order.n.cast_signed()).bind(serde_json::to_string(order)?);
            insert.execute(connection).await?;
            Ok(())
        }

        async fn make_raw(pool: &$pool, consumers: u32) -> Result<()> {
            sqlx::raw_sql($tables).execute(pool).await?;
            for consumer in 0..consumers {
                let begin = sqlx::query("insert into raw_cursor values ($1, 0)");
                begin.bind(consumer.cast_signed()).execute(pool).await?;
            }
            Ok(())
        }

        async fn insert_raw(connection: &mut sqlx::$connection, order: Order) -> Result<()> {
            let insert = sqlx::query(
                "insert into raw_event (id, name, version, key, payload, headers)
                 values ($1, $2, $3, $4, $5, $6)",
            );
            let insert = insert.bind(Uuid::now_v7()).bind(NAME).bind(VERSION).bind(&order.key);
            let insert = insert.bind(Json(&order)).bind(Json(BTreeMap::<String, String>::new()));
            insert.execute(connection).await?;
            Ok(())
        }

        async fn insert_many_raw(
            connection: &mut sqlx::$connection,
            orders: Vec<Order>,
        ) -> Result<()> {
            let insert = concat!(
                "insert into raw_event (id, name, version, key, payload, headers)
                 select ",
                $new_id,
                ", $2, $3, value ->> 'key', value, '{}' from ",
                $elements
            );
            let insert = sqlx::query(insert).bind(Json(orders)).bind(NAME).bind(VERSION);
            insert.execute(connection).await?;
            Ok(())
        }

        async fn notify_raw(connection: &mut sqlx::$connection) -> Result<()> {
            let notify: Option<&'static str> = $notify;
            if let Some(notify) = notify {
                sqlx::query(notify).execute(connection).await?;
            }
            Ok(())
        }

        async fn raw_cursor(connection: &mut sqlx::$connection, consumer: i32) -> Result<i64> {
            let read = sqlx::query_scalar("select position from raw_cursor where consumer = $1");
            Ok(read.bind(consumer).fetch_one(connection).await?)
        }

        async fn set_raw_cursor(
            connection: &mut sqlx::$connection,
            consumer: i32,
            position: i64,
        ) -> Result<()> {
            let update = sqlx::query("update raw_cursor set position = $2 where consumer = $1");
            update.bind(consumer).bind(position).execute(connection).await?;
            Ok(())
        }

        async fn read_raw(
            connection: &mut sqlx::$connection,
            after: i64,
            limit: i64,
        ) -> Result<Vec<RawEvent>> {
            let read = sqlx::query(
                "select * from raw_event where position > $1 order by position limit $2",
            );
            let rows = read.bind(after).bind(limit).fetch_all(connection).await?;
            let time = $time;
            let decoded = rows.iter().map(|row| {
                let (Json(payload), Json(headers)) = (row.try_get(5)?, row.try_get(6)?);
                Ok(RawEvent {
                    position: row.try_get(0)?,
                    id: row.try_get(1)?,
                    name: row.try_get(2)?,
                    version: row.try_get(3)?,
                    key: row.try_get(4)?,
                    payload,
                    headers,
                    created_at: time(row)?,
                })
            });
            decoded.collect()
        }

        async fn add_to_total(connection: &mut sqlx::$connection, key: &str) -> Result<()> {
            let upsert = sqlx::query(
                "insert into total (key, events) values ($1, 1)
                 on conflict (key) do update set events = total.events + 1",
            );
            upsert.bind(key).execute(connection).await?;
            Ok(())
        }

        async fn raw_left(pool: &$pool) -> Result<i64> {
            let count = sqlx::query_scalar(
                "select count(*) from raw_cursor c, raw_event e where e.position > c.position",
            );
            Ok(count.fetch_one(pool).await?)
        }
    };
}

impl Database for Postgres {
    const FILLERS: usize = 2;

    async fn open(setup: &Setup) -> Result<Pool<Self>> {
        Ok(PgPoolOptions::new().max_connections(setup.connections).connect(&setup.url).await?)
    }

    statements!(
        PgConnection,
        sqlx::PgPool,
        "create table raw_event (
             position bigint generated always as identity primary key,
             id uuid not null,
             name text not null,
             version integer not null,
             key text,
             payload jsonb not null,
             headers jsonb not null,
             created_at timestamptz not null default clock_timestamp()
         );
         create table raw_cursor (consumer integer primary key, position bigint not null)",
        "gen_random_uuid()",
        "jsonb_array_elements($1)",
        Some("notify raw_event"),
        |row: &PgRow| row.try_get(7),
    );
}

impl Database for Sqlite {
    /// It has one writer at a time.
    const FILLERS: usize = 1;

    async fn open(setup: &Setup) -> Result<Pool<Self>> {
        let options = SqliteConnectOptions::from_str(&setup.url)?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(30));
        let pool = SqlitePoolOptions::new().max_connections(setup.connections);
        Ok(pool.connect_with(options).await?)
    }

    statements!(
        SqliteConnection,
        sqlx::SqlitePool,
        "create table raw_event (
             position integer primary key,
             id blob not null,
             name text not null,
             version integer not null,
             key text,
             payload text not null,
             headers text not null,
             created_at_us integer not null default (cast(unixepoch('subsec') * 1000000 as integer))
         );
         create table raw_cursor (consumer integer primary key, position integer not null)",
        "randomblob(16)",
        "json_each($1)",
        None,
        |row: &SqliteRow| {
            let out_of_range = || sqlx::Error::Decode("a time out of range".into());
            DateTime::from_timestamp_micros(row.try_get(7)?).ok_or_else(out_of_range)
        },
    );
}
