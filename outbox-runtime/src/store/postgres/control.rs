//! Changing a consumer while workers run it: see `store/control.rs`.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, Postgres, Row};
use uuid::Uuid;

use super::session::{query, query_as, query_scalar};
use super::window::WindowProgress;
use super::{PostgresStore, rows};
use crate::error::{During, Error, ErrorKind, Result};
use crate::event::{Position, StoredEvent};
use crate::store::loan::Transaction;
use crate::store::types::{Totals, not_before};
use crate::store::{
    ConsumerRow, Control, Ledger, NewDelivery, Orders, Pace, Resharding, Span, Sql, Stop,
};

const CONTROL: &str = "change a consumer";

/// How often a checkpoint is tried to be appended that a worker was quicker with.
const FENCE_TRIES: u32 = 1_000;

impl PostgresStore {
    pub(super) async fn orders_of(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
    ) -> Result<Orders<WindowProgress>> {
        const READ: &str = "read what a consumer was told";
        let row = query(&self.sql.orders)
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
                shards: row.try_get::<i32, _>(0)? as u32,
                not_before: not_before(row.try_get(1)?),
                stop: Stop::of(row.try_get(2)?, json(row.try_get(3)?)),
                pace: pace(row.try_get(4)?, row.try_get(5)?),
            })
        };
        orders().during(READ)
    }
}

impl Control for PostgresStore {
    type Db = Postgres;
    type Progress = WindowProgress;

    const IS_REMOTE: bool = true;

    /// Whatever isolation the pool's connections have: each statement has to see what was committed
    /// before it.
    async fn begin_control(&self) -> Result<Transaction<Postgres>> {
        const BEGIN: &str = "begin isolation level read committed";
        self.translate_if_restored().await?;
        let mut tx = self.pool.begin_with(BEGIN).await.during(CONTROL)?;
        self.await_retention(&mut tx).await?;
        Ok(tx)
    }

    async fn lock_consumer(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
    ) -> Result<Option<ConsumerRow<WindowProgress>>> {
        let row = query(&self.sql.lock_consumer)
            .bind(consumer)
            .fetch_optional(connection)
            .await
            .during(CONTROL)?;
        row.as_ref().map(consumer_row).transpose().during(CONTROL)
    }

    async fn save_consumer(
        &self,
        connection: &mut PgConnection,
        consumer: &ConsumerRow<WindowProgress>,
    ) -> Result<()> {
        let resharding = consumer.resharding.as_ref();
        query(&self.sql.save_consumer)
            .bind(&consumer.name)
            .bind(consumer.shards as i32)
            .bind(consumer.paused)
            .bind(consumer.retired)
            .bind(resharding.map(|resharding| resharding.target as i32))
            .bind(resharding.and_then(|resharding| resharding.barrier.as_ref()).map(Json))
            .bind(consumer.pace.map(|pace| pace.until))
            .bind(consumer.pace.map(|pace| pace.per_second))
            .execute(connection)
            .await
            .during(CONTROL)?;
        Ok(())
    }

    async fn ledgers(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
    ) -> Result<Vec<Ledger<WindowProgress>>> {
        let rows =
            query(&self.sql.ledgers).bind(consumer).fetch_all(connection).await.during(CONTROL)?;
        rows.iter().map(ledger).collect::<sqlx::Result<_>>().during(CONTROL)
    }

    async fn fence(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
        shard: u32,
    ) -> Result<Option<Ledger<WindowProgress>>> {
        for _ in 0..FENCE_TRIES {
            let row = query(&self.sql.fence)
                .bind(consumer)
                .bind(shard as i32)
                .fetch_optional(&mut *connection)
                .await
                .during(CONTROL)?;
            if let Some(row) = row {
                return ledger(&row).map(Some).during(CONTROL);
            }
            // A worker was quicker, or the shard never was.
            let known = self.ledgers(connection, consumer).await?;
            if !known.iter().any(|ledger| ledger.shard == shard) {
                return Ok(None);
            }
        }
        let message = format!("the worker of shard {consumer}/{shard} records too fast: try again");
        Err(Error::new(ErrorKind::Conflict, CONTROL, message))
    }

    async fn amend(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
        ledger: &Ledger<WindowProgress>,
    ) -> Result<()> {
        query(&self.sql.amend)
            .bind(consumer)
            .bind(ledger.shard as i32)
            .bind(ledger.seq)
            .bind(Json(&ledger.progress))
            .bind(&ledger.completed)
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
        connection: &mut PgConnection,
        consumer: &str,
        shard: u32,
        progress: &WindowProgress,
    ) -> Result<()> {
        query(&self.sql.first_checkpoint)
            .bind(consumer)
            .bind(shard as i32)
            .bind(Json(progress))
            .execute(connection)
            .await
            .during(CONTROL)?;
        Ok(())
    }

    async fn drop_leases(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
        from: u32,
    ) -> Result<()> {
        query(&self.sql.drop_leases)
            .bind(consumer)
            .bind(from as i32)
            .execute(connection)
            .await
            .during(CONTROL)?;
        Ok(())
    }

    async fn forget_deliveries(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
        from: Position,
    ) -> Result<()> {
        query(&self.sql.forget_deliveries)
            .bind(consumer)
            .bind(from)
            .execute(connection)
            .await
            .during(CONTROL)?;
        Ok(())
    }

    async fn delete_delivery(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
        event: Uuid,
    ) -> Result<bool> {
        let gone: Option<Option<String>> = query_scalar(&self.sql.delete_delivery)
            .bind(consumer)
            .bind(event)
            .fetch_optional(&mut *connection)
            .await
            .during(CONTROL)?;
        if let Some(Some(key)) = &gone {
            query(&self.sql.release_keys)
                .bind(consumer)
                .bind(vec![key])
                // If dead letters do not hold the key, nothing was parked behind them.
                .bind(true)
                .bind(self.clock.fixed())
                .execute(connection)
                .await
                .during(CONTROL)?;
        }
        Ok(gone.is_some())
    }

    async fn clear_consumer(&self, connection: &mut PgConnection, consumer: &str) -> Result<u64> {
        let gone = query(&self.sql.clear_deliveries)
            .bind(consumer)
            .execute(&mut *connection)
            .await
            .during(CONTROL)?;
        query(&self.sql.clear_paused_keys)
            .bind(consumer)
            .execute(&mut *connection)
            .await
            .during(CONTROL)?;
        self.drop_leases(connection, consumer, 0).await?;
        Ok(gone.rows_affected())
    }

    async fn live_leases(&self, connection: &mut PgConnection, consumer: &str) -> Result<u64> {
        let count: i64 = query_scalar(&self.sql.live_leases)
            .bind(consumer)
            .fetch_one(connection)
            .await
            .during(CONTROL)?;
        Ok(count.unsigned_abs())
    }

    async fn set_key_paused(
        &self,
        connection: &mut PgConnection,
        consumer: &ConsumerRow<WindowProgress>,
        key: &str,
        paused: bool,
    ) -> Result<bool> {
        let statement = if paused { &self.sql.pause_key } else { &self.sql.resume_key };
        let changed = query(statement)
            .bind(&consumer.name)
            .bind(key)
            .execute(&mut *connection)
            .await
            .during(CONTROL)?;
        if !paused {
            query(&self.sql.free_key)
                .bind(&consumer.name)
                .bind(key)
                .bind(consumer.ordered)
                .bind(self.clock.fixed())
                .execute(connection)
                .await
                .during(CONTROL)?;
        }
        Ok(changed.rows_affected() > 0)
    }

    async fn count_unhandled(
        &self,
        connection: &mut PgConnection,
        consumer: &ConsumerRow<WindowProgress>,
        ledger: &Ledger<WindowProgress>,
    ) -> Result<u64> {
        let progress = &ledger.progress;
        let window = progress.window.as_ref();
        let (count, _): (i64, Option<DateTime<Utc>>) = query_as(&self.sql.lag)
            .bind(progress.late())
            .bind(window.map_or(0, |window| window.after))
            .bind(progress.next.to_string())
            .bind(progress.high)
            .bind(&consumer.event_name)
            .bind(ledger.shard as i32)
            .bind(consumer.shards as i32)
            .bind(consumer.not_before)
            .bind(&ledger.completed)
            .bind(window.map(|window| window.upto.as_str()))
            .fetch_one(connection)
            .await
            .during(CONTROL)?;
        Ok(count.unsigned_abs())
    }

    async fn count_handled(
        &self,
        connection: &mut PgConnection,
        consumer: &ConsumerRow<WindowProgress>,
        ledger: &Ledger<WindowProgress>,
        span: &Span,
    ) -> Result<u64> {
        let count: i64 = bind_span(&self.sql.count_handled, consumer, ledger, span)
            .fetch_one(connection)
            .await
            .and_then(|row| row.try_get(0))
            .during(CONTROL)?;
        Ok(count.unsigned_abs())
    }

    async fn handled(
        &self,
        connection: &mut PgConnection,
        consumer: &ConsumerRow<WindowProgress>,
        ledger: &Ledger<WindowProgress>,
        span: &Span,
        limit: u32,
    ) -> Result<Vec<StoredEvent>> {
        let rows = bind_span(&self.sql.handled, consumer, ledger, span)
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await
            .during(CONTROL)?;
        rows.iter().map(rows::event).collect::<sqlx::Result<_>>().during(CONTROL)
    }

    async fn insert_rows(
        &self,
        connection: &mut PgConnection,
        consumer: &str,
        rows: &[NewDelivery],
    ) -> Result<u64> {
        self.insert_deliveries(connection, consumer, rows).await
    }

    async fn position_since(
        &self,
        connection: &mut PgConnection,
        time: DateTime<Utc>,
    ) -> Result<Option<Position>> {
        query_scalar(&self.sql.position_since)
            .bind(time)
            .fetch_one(connection)
            .await
            .during(CONTROL)
    }

    async fn place_of(
        &self,
        connection: &mut PgConnection,
        event: Uuid,
    ) -> Result<Option<(Position, i32, String)>> {
        query_as(&self.sql.place_of).bind(event).fetch_optional(connection).await.during(CONTROL)
    }
}

fn consumer_row(row: &PgRow) -> sqlx::Result<ConsumerRow<WindowProgress>> {
    let target: Option<i32> = row.try_get(7)?;
    let barrier = json(row.try_get(8)?);
    Ok(ConsumerRow {
        name: row.try_get(0)?,
        event_name: row.try_get(1)?,
        shards: row.try_get::<i32, _>(2)? as u32,
        ordered: row.try_get(3)?,
        paused: row.try_get(4)?,
        retired: row.try_get(5)?,
        not_before: not_before(row.try_get(6)?),
        resharding: target.map(|target| Resharding { target: target as u32, barrier }),
        pace: pace(row.try_get(9)?, row.try_get(10)?),
    })
}

fn json(barrier: Option<Json<WindowProgress>>) -> Option<WindowProgress> {
    barrier.map(|json| json.0)
}

fn pace(until: Option<i64>, per_second: Option<f64>) -> Option<Pace> {
    until.zip(per_second).map(|(until, per_second)| Pace { until, per_second })
}

fn ledger(row: &PgRow) -> sqlx::Result<Ledger<WindowProgress>> {
    Ok(Ledger {
        shard: row.try_get::<i32, _>(0)? as u32,
        seq: row.try_get(1)?,
        progress: row.try_get::<Json<WindowProgress>, _>(2)?.0,
        completed: row.try_get(3)?,
        totals: Totals {
            handled: row.try_get(4)?,
            retried: row.try_get(5)?,
            dead: row.try_get(6)?,
        },
        drained: row.try_get(7)?,
    })
}

type Query<'q> = sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments>;

/// Binds the sixteen parameters that handled.sql and count_handled.sql have in common.
fn bind_span<'q>(
    statement: &Sql,
    consumer: &ConsumerRow<WindowProgress>,
    ledger: &Ledger<WindowProgress>,
    span: &Span,
) -> Query<'q> {
    let progress = &ledger.progress;
    let window = progress.window.as_ref();
    query(statement)
        .bind(progress.late())
        .bind(window.map_or(0, |window| window.after))
        .bind(progress.next.to_string())
        .bind(progress.high)
        .bind(consumer.event_name.clone())
        .bind(ledger.shard as i32)
        .bind(consumer.shards as i32)
        .bind(consumer.not_before)
        .bind(ledger.completed.clone())
        .bind(window.map(|window| window.upto.clone()))
        .bind(span.from)
        .bind(span.until)
        .bind(span.since)
        .bind(span.before)
        .bind(span.key.clone())
        .bind(span.ids.clone())
}
