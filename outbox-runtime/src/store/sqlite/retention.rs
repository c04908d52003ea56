//! Deleting old events that nobody needs.
//!
//! The progress is read in the transaction that deletes, behind the write lock. Ranges are small,
//! and the worker rests between them, so that emitters have their turn.
//!
//! Pages that become free are used for the next events: the file stays as large as the log ever
//! was. `auto_vacuum` would give them back to the file system, but it has to be chosen before the
//! first table of the file is made, which is not ours alone; it costs a map of pages that every
//! write maintains; and each step moves pages about while it holds the write lock. Who wants a
//! smaller file runs `VACUUM`.

use std::time::Duration;

use sqlx::types::Json;
use sqlx::{Row, SqliteConnection};

use super::SqliteStore;
use super::progress::LogProgress;
use crate::error::{During, Result};
use crate::event::Position;
use crate::store::retention::{Need, Range, RangeRow};
use crate::store::types::not_before;

const RETAIN: &str = "delete old events";

impl SqliteStore {
    pub(super) async fn shard_needs(&self) -> Result<Vec<Need>> {
        let mut connection = self.pool.asked().await.during(RETAIN)?;
        self.needs_on(&mut connection).await
    }

    async fn needs_on(&self, connection: &mut SqliteConnection) -> Result<Vec<Need>> {
        let rows = sqlx::query(self.sql.needs.safe()).fetch_all(connection).await.during(RETAIN)?;
        let need = |row: &sqlx::sqlite::SqliteRow| {
            // Without a checkpoint it has handled nothing.
            let progress = row
                .try_get::<Option<Json<LogProgress>>, _>(5)?
                .map_or_else(LogProgress::beginning, |progress| progress.0);
            Ok(Need {
                consumer: row.try_get(0)?,
                shard: row.try_get(1)?,
                shards: row.try_get(2)?,
                event_name: row.try_get(3)?,
                not_before: not_before(row.try_get(4)?),
                handled: progress.after,
                late: Vec::new(),
                late_after: 0,
                late_in_window: Vec::new(),
            })
        };
        rows.iter().map(need).collect::<sqlx::Result<_>>().during(RETAIN)
    }

    /// In microseconds: what was appended before is old enough.
    fn cutoff_us(&self, age: Duration) -> i64 {
        self.now_us().saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX))
    }

    pub(super) async fn examine(
        &self,
        needs: &[Need],
        after: Position,
        until: Option<Position>,
        positions: u32,
        age: Duration,
    ) -> Result<Range> {
        let row: RangeRow = sqlx::query_as(self.sql.examine_range.safe())
            .bind(values(needs))
            .bind(after)
            .bind(until)
            .bind(positions)
            .bind(self.cutoff_us(age))
            .fetch_one(&mut *self.pool.asked().await.during("look for old events")?)
            .await
            .during("look for old events")?;
        Ok(row.into())
    }

    pub(super) async fn delete_old(
        &self,
        first: Position,
        last: Position,
        age: Duration,
    ) -> Result<Option<u64>> {
        let mut tx = self.begin_writing(RETAIN).await?;
        let needs = self.needs_on(&mut tx).await?;
        let deleted = sqlx::query(self.sql.delete_range.safe())
            .bind(values(&needs))
            .bind(first)
            .bind(last)
            .bind(self.cutoff_us(age))
            .execute(&mut *tx)
            .await
            .during(RETAIN)?;
        tx.commit().await.during(RETAIN)?;
        Ok(Some(deleted.rows_affected()))
    }

    pub(super) async fn trim_old_audit(&self, age: Duration) -> Result<u64> {
        let statement = sqlx::query(self.sql.trim_audit.safe()).bind(self.cutoff_us(age));
        self.write("delete old audit rows", statement).await
    }

    pub(super) async fn note_age(&self, age: Option<Duration>) -> Result<()> {
        let age_us = age.map(|age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
        let statement = sqlx::query(self.sql.note_retention.safe()).bind(age_us);
        self.write("note how long events are kept", statement).await.map(drop)
    }
}

fn values(needs: &[Need]) -> Json<Vec<impl serde::Serialize + '_>> {
    Json(needs.iter().map(|need| need.values(|time| time.timestamp_micros())).collect())
}
