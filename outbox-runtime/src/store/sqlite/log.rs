//! The log: appending, and reading in the order of positions.

use std::sync::Arc;
use std::time::Duration;

use sqlx::types::Json;
use sqlx::{Row, Sqlite, SqliteConnection};

use super::progress::LogProgress;
use super::rows::EventValues;
use super::{SqliteStore, later, rows};
use crate::error::{During, Error, ErrorKind, Result};
use crate::event::{Emitted, Position, StoredEvent};
use crate::store::line::Line;
use crate::store::{NewEvent, Page, Slice};

const MARK: &str = "mark a place in the log";
const PROBE: &str = "probe the log";

/// How many positions one read looks at where few of them match: bounds the time of a read
/// however rare an event is.
const SCAN_POSITIONS: i64 = 10_000;

impl SqliteStore {
    pub(super) async fn append_events(
        &self,
        connection: &mut SqliteConnection,
        events: Vec<NewEvent>,
        dedup_ttl: Duration,
    ) -> Result<Vec<Emitted>> {
        if events.len() > 1 && events.iter().all(|event| event.dedup_key.is_none()) {
            return self.append_all(connection, &events).await;
        }
        let mut emitted = Vec::with_capacity(events.len());
        for event in &events {
            emitted.push(match &event.dedup_key {
                None => self.append_one(connection, event).await?,
                Some(key) => self.append_deduplicated(connection, event, key, dedup_ttl).await?,
            });
        }
        Ok(emitted)
    }

    async fn append_one(
        &self,
        connection: &mut SqliteConnection,
        event: &NewEvent,
    ) -> Result<Emitted> {
        let position = sqlx::query_scalar(self.sql.append.safe())
            .bind(event.id)
            .bind(event.name)
            .bind(event.version)
            .bind(event.key.as_deref())
            .bind(event.key_hash)
            .bind(event.payload.get())
            .bind(Json(&event.headers))
            .bind(self.now_us())
            .fetch_one(connection)
            .await
            .during("emit")?;
        Ok(Emitted { id: event.id, position, duplicate: false })
    }

    pub(super) async fn append_all(
        &self,
        connection: &mut SqliteConnection,
        events: &[NewEvent],
    ) -> Result<Vec<Emitted>> {
        let rows = sqlx::query(self.sql.append_all.safe())
            .bind(events[0].name)
            .bind(events[0].version)
            .bind(Json(events.iter().map(EventValues::from).collect::<Vec<_>>()))
            .bind(self.now_us())
            .fetch_all(connection)
            .await
            .during("emit")?;
        let mut emitted: Vec<Emitted> = rows
            .iter()
            .map(|row| {
                Ok(Emitted { id: row.try_get(0)?, position: row.try_get(1)?, duplicate: false })
            })
            .collect::<sqlx::Result<_>>()
            .during("emit")?;
        // Rows are inserted in the order of the array, but may be returned in any.
        emitted.sort_unstable_by_key(|event| event.position);
        Ok(emitted)
    }

    async fn append_deduplicated(
        &self,
        connection: &mut SqliteConnection,
        event: &NewEvent,
        key: &str,
        ttl: Duration,
    ) -> Result<Emitted> {
        const EMIT: &str = "emit with a dedup key";
        let now_us = self.now_us();
        let position: Option<Position> = sqlx::query_scalar(self.sql.append_deduplicated.safe())
            .bind(event.id)
            .bind(event.name)
            .bind(event.version)
            .bind(event.key.as_deref())
            .bind(event.key_hash)
            .bind(event.payload.get())
            .bind(Json(&event.headers))
            .bind(now_us)
            .bind(key)
            .fetch_optional(&mut *connection)
            .await
            .during(EMIT)?;
        let Some(position) = position else {
            let (id, position) = sqlx::query_as(self.sql.find_dedup.safe())
                .bind(event.name)
                .bind(key)
                .fetch_one(connection)
                .await
                .during(EMIT)?;
            return Ok(Emitted { id, position, duplicate: true });
        };
        sqlx::query(self.sql.claim_dedup.safe())
            .bind(event.name)
            .bind(key)
            .bind(event.id)
            .bind(position)
            .bind(later(now_us, ttl))
            .execute(connection)
            .await
            .during(EMIT)?;
        Ok(Emitted { id: event.id, position, duplicate: false })
    }

    pub(super) async fn read_page(
        &self,
        line: &Line<Sqlite>,
        progress: &LogProgress,
        barrier: Option<&LogProgress>,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<LogProgress>> {
        const READ: &str = "read the log";
        let barrier = barrier.map_or(Position::MAX, |barrier| barrier.after);
        if progress.after >= barrier {
            return Ok(Page::nothing(progress.clone(), self.time()));
        }
        let mut held = self.pool.on_line(line, true).await.during(READ)?;
        let rows = sqlx::query(self.sql.read.safe())
            .bind(progress.after)
            .bind(SCAN_POSITIONS.max(i64::from(limit) * 4))
            .bind(slice.event_name)
            .bind(slice.shard)
            .bind(slice.shards)
            .bind(slice.not_before.map(|time| time.timestamp_micros()))
            .bind(limit)
            .bind(barrier)
            .fetch_all(&mut *held)
            .await
            .during(READ)?;
        self.pool.keep_on(line, held);
        let (mut events, mut span) = (Vec::with_capacity(rows.len()), None);
        for row in &rows {
            if row.try_get::<Option<Position>, _>(0).during(READ)?.is_some() {
                events.push(Arc::new(rows::event(row).during(READ)?));
            } else {
                // Without an event after `progress` there is no bound.
                let high: Option<Position> = row.try_get(8).during(READ)?;
                let bound: Option<Position> = row.try_get(9).during(READ)?;
                span = Some(high.zip(bound));
            }
        }
        let span = span.ok_or_else(|| {
            Error::new(ErrorKind::Database, READ, "the statement returned no bounds")
        })?;
        events.sort_unstable_by_key(|event: &Arc<StoredEvent>| event.position);
        let last_of_full = events.last().filter(|_| events.len() == limit as usize);
        let (end, caught_up) = match (last_of_full, span) {
            (Some(last), _) => (progress_at(last.position), false),
            (None, Some((_, bound))) if bound >= barrier => (progress_at(barrier), true),
            (None, Some((high, bound))) => (progress.looked_up_to(bound, high), bound >= high),
            (None, None) if barrier < Position::MAX => (progress_at(barrier), true),
            (None, None) => (progress.clone(), true),
        };
        Ok(Page { events, start: progress.clone(), end, caught_up, now: self.time() })
    }

    /// Which names were emitted after `progress`; `None` where there is more than one look found.
    pub(super) async fn probe_log(
        &self,
        progress: &mut LogProgress,
    ) -> Result<Option<Vec<String>>> {
        let mut connection = self.pool.asked().await.during(PROBE)?;
        self.names_after(&mut connection, progress).await
    }

    /// The same on a connection.
    pub(super) async fn names_after(
        &self,
        connection: &mut SqliteConnection,
        progress: &mut LogProgress,
    ) -> Result<Option<Vec<String>>> {
        const MANY: i64 = 1_000;
        let (high, found, names): (Option<Position>, i64, Json<Vec<String>>) =
            sqlx::query_as(self.sql.probe.safe())
                .bind(progress.after)
                .fetch_one(connection)
                .await
                .during(PROBE)?;
        progress.after = progress.after.max(high.unwrap_or(0));
        Ok((found < MANY).then_some(names.0))
    }

    pub(super) async fn mark(&self, connection: &mut SqliteConnection) -> Result<LogProgress> {
        let after =
            sqlx::query_scalar(self.sql.mark.safe()).fetch_one(connection).await.during(MARK)?;
        Ok(LogProgress { after })
    }
}

fn progress_at(position: Position) -> LogProgress {
    LogProgress { after: position }
}
