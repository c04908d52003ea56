//! Figures, lists, and what operators do with dead letters.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use super::session::{Statement, query, query_as};
use super::window::WindowProgress;
use super::{PostgresStore, rows};
use crate::error::{During, Error, ErrorKind, Result};
use crate::event::{Position, StoredEvent};
use crate::store::query::{age, beyond, earliest};
use crate::store::types::{Place, keys_by_consumer, not_before, places};
use crate::store::{
    AttemptError, ConsumerStats, DeliveryFilter, DeliveryInfo, DeliveryState, EventFilter,
};

const LIST_LIMIT: u32 = 1_000;
const STATS: &str = "read stats";

/// The progress of a shard, as `stats` needs it.
struct ShardProgress {
    consumer: String,
    shard: i32,
    progress: WindowProgress,
    completed: Vec<i64>,
    handled: i64,
    retried: i64,
    dead: i64,
    not_before: Option<DateTime<Utc>>,
}

/// What a lag counts is few rows of a log that may have many: Postgres expects to look at so many that it
/// would compile the statement first, once for each shard.
const BEGIN: &str = "begin isolation level repeatable read read only; set local jit = off";

impl PostgresStore {
    pub(super) async fn consumer_stats(&self) -> Result<Vec<ConsumerStats>> {
        // One snapshot for all figures: an event that gets a row between two of them would be in
        // neither, or in both.
        let mut tx = self.pool.begin_with(BEGIN).await.during(STATS)?;
        let progress = self.latest_checkpoints(&mut tx).await?;
        let rows = query(&self.sql.stats)
            .bind(self.clock.fixed())
            .fetch_all(&mut *tx)
            .await
            .during(STATS)?;
        let mut stats = Vec::with_capacity(rows.len());
        for row in &rows {
            let consumer: String = row.try_get(0).during(STATS)?;
            let event_name: String = row.try_get(1).during(STATS)?;
            let shards: i32 = row.try_get(2).during(STATS)?;
            let count = |index: usize| -> Result<u64> {
                Ok(row.try_get::<i64, _>(index).during(STATS)?.unsigned_abs())
            };
            let oldest_row: Option<DateTime<Utc>> = row.try_get(8).during(STATS)?;
            let now: DateTime<Utc> = row.try_get(11).during(STATS)?;
            let (mut lag_events, mut oldest_unread) = (0, None);
            let own: Vec<_> = progress.iter().filter(|shard| shard.consumer == consumer).collect();
            // Shards of an earlier division only keep their counts.
            let reading = own.iter().filter(|one| one.shard < shards);
            for shard in reading {
                let (events, oldest) = self.lag(&mut tx, shard, &event_name, shards).await?;
                lag_events += events.unsigned_abs();
                oldest_unread = earliest(oldest_unread, oldest);
            }
            let sum = |of: fn(&ShardProgress) -> i64| {
                own.iter().map(|shard| of(shard)).sum::<i64>().unsigned_abs()
            };
            let lag = oldest_unread.map(|oldest| age(now, oldest));
            let retain: Option<i64> = row.try_get(12).during(STATS)?;
            stats.push(ConsumerStats {
                lag_events,
                lag,
                holds_retention: beyond(lag, retain),
                in_flight: count(9)?,
                paused: row.try_get(10).during(STATS)?,
                shards: shards as u32,
                delayed: count(3)?,
                retrying: count(4)?,
                parked: count(5)?,
                waiting: count(6)?,
                dead: count(7)?,
                oldest_undelivered: earliest(oldest_unread, oldest_row).map(|at| age(now, at)),
                handled: sum(|shard| shard.handled),
                retried: sum(|shard| shard.retried),
                dead_total: sum(|shard| shard.dead),
                consumer,
                event_name,
            });
        }
        Ok(stats)
    }

    async fn latest_checkpoints(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Vec<ShardProgress>> {
        let rows = query(&self.sql.latest_checkpoints).fetch_all(connection).await.during(STATS)?;
        rows.iter()
            .map(|row| {
                Ok(ShardProgress {
                    consumer: row.try_get(0)?,
                    shard: row.try_get(1)?,
                    progress: row.try_get::<Json<WindowProgress>, _>(2)?.0,
                    completed: row.try_get(3)?,
                    handled: row.try_get(4)?,
                    retried: row.try_get(5)?,
                    dead: row.try_get(6)?,
                    not_before: not_before(row.try_get(7)?),
                })
            })
            .collect::<sqlx::Result<_>>()
            .during(STATS)
    }

    async fn lag(
        &self,
        connection: &mut PgConnection,
        shard: &ShardProgress,
        event_name: &str,
        shards: i32,
    ) -> Result<(i64, Option<DateTime<Utc>>)> {
        let progress = &shard.progress;
        let window = progress.window.as_ref();
        query_as(&self.sql.lag)
            .bind(progress.late())
            .bind(window.map_or(0, |window| window.after))
            .bind(progress.next.to_string())
            .bind(progress.high)
            .bind(event_name)
            .bind(shard.shard)
            .bind(shards)
            .bind(shard.not_before)
            .bind(&shard.completed)
            .bind(window.map(|window| window.upto.as_str()))
            .fetch_one(connection)
            .await
            .during(STATS)
    }

    pub(super) async fn list_events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>> {
        const LIST: &str = "list events";
        let found = query(&self.sql.events)
            .bind(filter.id)
            .bind(filter.name.as_deref())
            .bind(filter.key.as_deref())
            .bind(filter.caused_by.map(|id| id.to_string()))
            .bind(filter.after.unwrap_or(0))
            .bind(i64::from(filter.limit.unwrap_or(LIST_LIMIT)))
            .all(&self.pool)
            .await
            .during(LIST)?;
        found.iter().map(rows::event).collect::<sqlx::Result<_>>().during(LIST)
    }

    pub(super) async fn list_deliveries(
        &self,
        filter: &DeliveryFilter,
    ) -> Result<Vec<DeliveryInfo>> {
        const LIST: &str = "list deliveries";
        let found = query(&self.sql.deliveries)
            .bind(filter.consumer.as_deref())
            .bind(filter.state.map(DeliveryState::as_str))
            .bind(filter.event_id)
            .bind(filter.key.as_deref())
            .bind(i64::from(filter.limit.unwrap_or(LIST_LIMIT)))
            .all(&self.pool)
            .await
            .during(LIST)?;
        found
            .iter()
            .map(|row| {
                let state: String = row.try_get(9).during(LIST)?;
                Ok(DeliveryInfo {
                    consumer: row.try_get(8).during(LIST)?,
                    event: rows::event(row).during(LIST)?,
                    state: DeliveryState::parse(&state).ok_or_else(|| {
                        Error::new(ErrorKind::Database, LIST, format!("unknown state {state:?}"))
                    })?,
                    attempts: row.try_get::<i32, _>(10).during(LIST)? as u32,
                    due_at: row.try_get(11).during(LIST)?,
                    errors: row.try_get::<Json<Vec<AttemptError>>, _>(12).during(LIST)?.0,
                    first_failed_at: row.try_get(13).during(LIST)?,
                })
            })
            .collect()
    }

    pub(super) async fn redrive_dead(
        &self,
        filter: &DeliveryFilter,
        after: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<Place>> {
        let redriven: Vec<(String, Position, Option<String>)> = query_as(&self.sql.redrive)
            .bind(filter.consumer.as_deref())
            .bind(filter.event_id)
            .bind(filter.key.as_deref())
            .bind(i64::from(limit))
            .bind(self.clock.fixed())
            .bind(after.map(|place| place.consumer.as_str()))
            .bind(after.map(|place| place.position))
            .all(self.pool.writing())
            .await
            .during("redrive")?;
        Ok(places(&redriven))
    }

    /// Deletes dead letters and frees what waited behind them, in one transaction.
    pub(super) async fn discard_dead(
        &self,
        filter: &DeliveryFilter,
        after: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<Place>> {
        const DISCARD: &str = "discard";
        let mut tx = self.pool.begin().await.during(DISCARD)?;
        let gone: Vec<(String, Position, Option<String>)> = query_as(&self.sql.discard)
            .bind(filter.consumer.as_deref())
            .bind(filter.event_id)
            .bind(filter.key.as_deref())
            .bind(i64::from(limit))
            .bind(after.map(|place| place.consumer.as_str()))
            .bind(after.map(|place| place.position))
            .fetch_all(&mut *tx)
            .await
            .during(DISCARD)?;
        for (consumer, keys) in keys_by_consumer(&gone) {
            query(&self.sql.release_keys)
                .bind(consumer)
                .bind(keys)
                // If dead letters do not hold the key, nothing was parked behind them.
                .bind(true)
                .bind(self.clock.fixed())
                .execute(&mut *tx)
                .await
                .during(DISCARD)?;
        }
        tx.commit().await.during(DISCARD)?;
        Ok(places(&gone))
    }
}
