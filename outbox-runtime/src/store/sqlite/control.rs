//! Changing a consumer while workers run it: see `store/control.rs`.

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::types::Json;
use sqlx::{Row, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::progress::LogProgress;
use super::{SqliteStore, rows};
use crate::error::{During, Error, ErrorKind, Result};
use crate::event::{Position, StoredEvent};
use crate::store::loan::Transaction;
use crate::store::types::{Totals, not_before};
use crate::store::{
    ConsumerRow, Control, Ledger, NewDelivery, Orders, Pace, Resharding, Span, Stop,
};

const CONTROL: &str = "change a consumer";

impl SqliteStore {
    pub(super) async fn orders_of(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
    ) -> Result<Orders<LogProgress>> {
        const READ: &str = "read what a consumer was told";
        let row = sqlx::query(self.sql.orders.safe())
            .bind(consumer)
            .fetch_optional(connection)
            .await
            .during(READ)?
            .ok_or_else(|| {
                let message = format!("consumer `{consumer}` has been retired");
                Error::new(ErrorKind::LeaseLost, READ, message)
            })?;
        let orders = || {
            Ok(Orders {
                shards: row.try_get(0)?,
                not_before: not_before(row.try_get(1)?),
                stop: Stop::of(row.try_get(2)?, json(row.try_get(3)?)),
                pace: pace(row.try_get(4)?, row.try_get(5)?),
            })
        };
        orders().during(READ)
    }
}

impl Control for SqliteStore {
    type Db = Sqlite;
    type Progress = LogProgress;

    const IS_REMOTE: bool = false;

    async fn begin_control(&self) -> Result<Transaction<Sqlite>> {
        self.begin_writing(CONTROL).await
    }

    async fn lock_consumer(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
    ) -> Result<Option<ConsumerRow<LogProgress>>> {
        let row = sqlx::query(self.sql.lock_consumer.safe())
            .bind(consumer)
            .fetch_optional(connection)
            .await
            .during(CONTROL)?;
        row.as_ref().map(consumer_row).transpose().during(CONTROL)
    }

    async fn save_consumer(
        &self,
        connection: &mut SqliteConnection,
        consumer: &ConsumerRow<LogProgress>,
    ) -> Result<()> {
        let resharding = consumer.resharding.as_ref();
        sqlx::query(self.sql.save_consumer.safe())
            .bind(&consumer.name)
            .bind(consumer.shards)
            .bind(consumer.paused)
            .bind(consumer.retired)
            .bind(resharding.map(|resharding| resharding.target))
            .bind(resharding.and_then(|resharding| resharding.barrier.as_ref()).map(Json))
            .bind(consumer.pace.map(|pace| pace.until))
            .bind(consumer.pace.map(|pace| pace.per_second))
            .bind(self.now_us())
            .execute(connection)
            .await
            .during(CONTROL)?;
        Ok(())
    }

    async fn ledgers(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
    ) -> Result<Vec<Ledger<LogProgress>>> {
        let rows = sqlx::query(self.sql.ledgers.safe())
            .bind(consumer)
            .fetch_all(connection)
            .await
            .during(CONTROL)?;
        rows.iter().map(ledger).collect::<sqlx::Result<_>>().during(CONTROL)
    }

    async fn fence(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
        shard: u32,
    ) -> Result<Option<Ledger<LogProgress>>> {
        // Nobody else writes while this transaction has the write lock, so it always succeeds.
        let row = sqlx::query(self.sql.fence.safe())
            .bind(consumer)
            .bind(shard)
            .bind(self.now_us())
            .fetch_optional(connection)
            .await
            .during(CONTROL)?;
        row.as_ref().map(ledger).transpose().during(CONTROL)
    }

    async fn amend(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
        ledger: &Ledger<LogProgress>,
    ) -> Result<()> {
        sqlx::query(self.sql.amend.safe())
            .bind(consumer)
            .bind(ledger.shard)
            .bind(ledger.seq)
            .bind(Json(&ledger.progress))
            .bind(Json(&ledger.completed))
            .bind(ledger.totals.handled)
            .bind(ledger.totals.retried)
            .bind(ledger.totals.dead)
            .execute(connection)
            .await
            .during(CONTROL)?;
        Ok(())
    }

    async fn open_ledger(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
        shard: u32,
        progress: &LogProgress,
    ) -> Result<()> {
        sqlx::query(self.sql.first_checkpoint.safe())
            .bind(consumer)
            .bind(shard)
            .bind(Json(progress))
            .bind(self.now_us())
            .execute(connection)
            .await
            .during(CONTROL)?;
        Ok(())
    }

    async fn drop_leases(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
        from: u32,
    ) -> Result<()> {
        sqlx::query(self.sql.drop_leases.safe())
            .bind(consumer)
            .bind(from)
            .execute(connection)
            .await
            .during(CONTROL)?;
        Ok(())
    }

    async fn forget_deliveries(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
        from: Position,
    ) -> Result<()> {
        sqlx::query(self.sql.forget_deliveries.safe())
            .bind(consumer)
            .bind(from)
            .execute(connection)
            .await
            .during(CONTROL)?;
        Ok(())
    }

    async fn delete_delivery(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
        event: Uuid,
    ) -> Result<bool> {
        let gone: Option<Option<String>> = sqlx::query_scalar(self.sql.delete_delivery.safe())
            .bind(consumer)
            .bind(event)
            .fetch_optional(&mut *connection)
            .await
            .during(CONTROL)?;
        if let Some(Some(key)) = &gone {
            sqlx::query(self.sql.release_keys.safe())
                .bind(consumer)
                .bind(Json([key]))
                // If dead letters do not hold the key, nothing was parked behind them.
                .bind(true)
                .bind(self.now_us())
                .execute(connection)
                .await
                .during(CONTROL)?;
        }
        Ok(gone.is_some())
    }

    async fn clear_consumer(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
    ) -> Result<u64> {
        let gone = sqlx::query(self.sql.clear_deliveries.safe())
            .bind(consumer)
            .execute(&mut *connection)
            .await
            .during(CONTROL)?;
        sqlx::query(self.sql.clear_paused_keys.safe())
            .bind(consumer)
            .execute(&mut *connection)
            .await
            .during(CONTROL)?;
        self.drop_leases(connection, consumer, 0).await?;
        Ok(gone.rows_affected())
    }

    async fn live_leases(&self, connection: &mut SqliteConnection, consumer: &str) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(self.sql.live_leases.safe())
            .bind(consumer)
            .bind(Utc::now().timestamp_micros())
            .fetch_one(connection)
            .await
            .during(CONTROL)?;
        Ok(count.unsigned_abs())
    }

    async fn set_key_paused(
        &self,
        connection: &mut SqliteConnection,
        consumer: &ConsumerRow<LogProgress>,
        key: &str,
        paused: bool,
    ) -> Result<bool> {
        let mut change = match paused {
            true => sqlx::query(self.sql.pause_key.safe()),
            false => sqlx::query(self.sql.resume_key.safe()),
        };
        change = change.bind(&consumer.name).bind(key);
        if paused {
            change = change.bind(self.now_us());
        }
        let changed = change.execute(&mut *connection).await.during(CONTROL)?;
        if !paused {
            sqlx::query(self.sql.free_key.safe())
                .bind(&consumer.name)
                .bind(key)
                .bind(consumer.ordered)
                .bind(self.now_us())
                .execute(connection)
                .await
                .during(CONTROL)?;
        }
        Ok(changed.rows_affected() > 0)
    }

    async fn count_unhandled(
        &self,
        connection: &mut SqliteConnection,
        consumer: &ConsumerRow<LogProgress>,
        ledger: &Ledger<LogProgress>,
    ) -> Result<u64> {
        let (count, _): (i64, Option<i64>) = sqlx::query_as(self.sql.lag.safe())
            .bind(ledger.progress.after)
            .bind(&consumer.event_name)
            .bind(ledger.shard)
            .bind(consumer.shards)
            .bind(Json(&ledger.completed))
            .bind(consumer.not_before.map(|time| time.timestamp_micros()))
            .fetch_one(connection)
            .await
            .during(CONTROL)?;
        Ok(count.unsigned_abs())
    }

    async fn count_handled(
        &self,
        connection: &mut SqliteConnection,
        consumer: &ConsumerRow<LogProgress>,
        ledger: &Ledger<LogProgress>,
        span: &Span,
    ) -> Result<u64> {
        let count: i64 = bind_span(self.sql.count_handled.safe(), consumer, ledger, span)
            .fetch_one(connection)
            .await
            .and_then(|row| row.try_get(0))
            .during(CONTROL)?;
        Ok(count.unsigned_abs())
    }

    async fn handled(
        &self,
        connection: &mut SqliteConnection,
        consumer: &ConsumerRow<LogProgress>,
        ledger: &Ledger<LogProgress>,
        span: &Span,
        limit: u32,
    ) -> Result<Vec<StoredEvent>> {
        let rows = bind_span(self.sql.handled.safe(), consumer, ledger, span)
            .bind(limit)
            .fetch_all(connection)
            .await
            .during(CONTROL)?;
        rows.iter().map(rows::event).collect::<sqlx::Result<_>>().during(CONTROL)
    }

    async fn insert_rows(
        &self,
        connection: &mut SqliteConnection,
        consumer: &str,
        rows: &[NewDelivery],
    ) -> Result<u64> {
        self.insert_deliveries(connection, consumer, rows).await
    }

    async fn position_since(
        &self,
        connection: &mut SqliteConnection,
        time: DateTime<Utc>,
    ) -> Result<Option<Position>> {
        sqlx::query_scalar(self.sql.position_since.safe())
            .bind(time.timestamp_micros())
            .fetch_one(connection)
            .await
            .during(CONTROL)
    }

    async fn place_of(
        &self,
        connection: &mut SqliteConnection,
        event: Uuid,
    ) -> Result<Option<(Position, i32, String)>> {
        sqlx::query_as(self.sql.place_of.safe())
            .bind(event)
            .fetch_optional(connection)
            .await
            .during(CONTROL)
    }
}

fn consumer_row(row: &SqliteRow) -> sqlx::Result<ConsumerRow<LogProgress>> {
    let target: Option<u32> = row.try_get(7)?;
    let barrier = json(row.try_get(8)?);
    Ok(ConsumerRow {
        name: row.try_get(0)?,
        event_name: row.try_get(1)?,
        shards: row.try_get(2)?,
        ordered: row.try_get(3)?,
        paused: row.try_get(4)?,
        retired: row.try_get(5)?,
        not_before: not_before(row.try_get(6)?),
        resharding: target.map(|target| Resharding { target, barrier }),
        pace: pace(row.try_get(9)?, row.try_get(10)?),
    })
}

fn json(barrier: Option<Json<LogProgress>>) -> Option<LogProgress> {
    barrier.map(|json| json.0)
}

fn pace(until: Option<i64>, per_second: Option<f64>) -> Option<Pace> {
    until.zip(per_second).map(|(until, per_second)| Pace { until, per_second })
}

fn ledger(row: &SqliteRow) -> sqlx::Result<Ledger<LogProgress>> {
    Ok(Ledger {
        shard: row.try_get(0)?,
        seq: row.try_get(1)?,
        progress: row.try_get::<Json<LogProgress>, _>(2)?.0,
        completed: row.try_get::<Json<Vec<Position>>, _>(3)?.0,
        totals: Totals {
            handled: row.try_get(4)?,
            retried: row.try_get(5)?,
            dead: row.try_get(6)?,
        },
        drained: row.try_get(7)?,
    })
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

/// Binds the twelve parameters that handled.sql and count_handled.sql have in common.
fn bind_span<'q>(
    statement: impl sqlx::SqlSafeStr,
    consumer: &ConsumerRow<LogProgress>,
    ledger: &Ledger<LogProgress>,
    span: &Span,
) -> Query<'q> {
    let micros = |time: Option<DateTime<Utc>>| time.map(|time| time.timestamp_micros());
    let ids = span.ids.as_ref();
    sqlx::query(statement)
        .bind(ledger.progress.after)
        .bind(consumer.event_name.clone())
        .bind(ledger.shard)
        .bind(consumer.shards)
        .bind(Json(ledger.completed.clone()))
        .bind(micros(consumer.not_before))
        .bind(span.from)
        .bind(span.until)
        .bind(micros(span.since))
        .bind(micros(span.before))
        .bind(span.key.clone())
        .bind(ids.map(|ids| Json(ids.iter().map(|id| id.simple()).collect::<Vec<_>>())))
}
