//! Deleting old events that nobody needs.
//!
//! A row may be deleted if every shard that reads it has handled it. By window.rs, a shard has
//! handled every event up to its mark but for those of its late transactions, and of those that are
//! late for the window that it is in the middle of. Those are kept, committed or not when the
//! progress was read. (Of what was restored from another cluster the position decides
//! alone, as everywhere: see restore.rs.)
//!
//! The progress is read before the rows are deleted, by a statement of its own. Meanwhile it only
//! moves forward, which makes more deletable, never less. What moves it back (a replay) or begins
//! at the beginning (a registration) shares the lock that each deletion tries to get for itself: see
//! `begin_control`.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::types::Json;
use sqlx::{PgConnection, Row};

use super::session::{Statement, query, query_as, query_scalar};
use super::window::WindowProgress;
use super::{PostgresStore, micros};
use crate::error::{During, Result};
use crate::event::Position;
use crate::store::retention::{Need, Range, RangeRow};
use crate::store::types::not_before;

const RETAIN: &str = "delete old events";

/// The limit in `examine_range.sql`.
const MOST_EXAMINED: u32 = 2_000;

impl PostgresStore {
    /// As far as anybody can see: the mark, or the first committed event of a late transaction.
    pub(super) async fn shard_needs(&self) -> Result<Vec<Need>> {
        let mut session = self.pool.session().await.during(RETAIN)?;
        let mut needs = self.needs_on(&mut session).await?;
        let floors: Vec<(String, i32, Position)> = query_as(&self.sql.late_floor)
            .bind(values(&needs))
            .fetch_all(&mut *session)
            .await
            .during(RETAIN)?;
        session.end().await.during(RETAIN)?;
        let floors: HashMap<_, _> = floors
            .into_iter()
            .map(|(consumer, shard, at)| ((consumer, shard as u32), at))
            .collect();
        for need in &mut needs {
            if let Some(floor) = floors.get(&(need.consumer.clone(), need.shard)) {
                need.handled = need.handled.min(floor - 1);
            }
        }
        Ok(needs)
    }

    async fn needs_on(&self, connection: &mut PgConnection) -> Result<Vec<Need>> {
        let rows = query(&self.sql.needs).fetch_all(connection).await.during(RETAIN)?;
        let need = |row: &sqlx::postgres::PgRow| {
            // Without a checkpoint it has handled nothing.
            let progress = row
                .try_get::<Option<Json<WindowProgress>>, _>(5)?
                .map_or_else(WindowProgress::beginning, |progress| progress.0);
            let (late_after, late_in_window) = progress.late_in_window();
            Ok(Need {
                consumer: row.try_get(0)?,
                shard: row.try_get::<i32, _>(1)? as u32,
                shards: row.try_get::<i32, _>(2)? as u32,
                event_name: row.try_get(3)?,
                not_before: not_before(row.try_get(4)?),
                handled: progress.new_after(),
                late: progress.late(),
                late_after,
                late_in_window,
            })
        };
        let needs = rows.iter().map(need).collect::<sqlx::Result<Vec<_>>>().during(RETAIN)?;
        #[cfg(test)]
        let needs = self.wrong_needs(needs);
        Ok(needs)
    }

    pub(super) async fn examine(
        &self,
        needs: &[Need],
        after: Position,
        until: Option<Position>,
        positions: u32,
        age: Duration,
    ) -> Result<Range> {
        let row: RangeRow = query_as(&self.sql.examine_range)
            .bind(values(needs))
            .bind(after)
            .bind(until)
            .bind(i64::from(positions.min(MOST_EXAMINED)))
            .bind(self.clock.fixed())
            .bind(micros(age))
            .one(&self.pool)
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
        let store = self.clone();
        crate::store::detached(async move {
            let mut tx = store.pool.begin().await.during(RETAIN)?;
            let alone: bool = query_scalar(&store.sql.try_retention)
                .bind(store.namespace.as_str())
                .fetch_one(&mut *tx)
                .await
                .during(RETAIN)?;
            if !alone {
                return Ok(None);
            }
            // Nothing before the progress has been translated to this cluster.
            store.server_of(&mut tx).await?;
            let needs = store.needs_on(&mut tx).await?;
            let deleted = query(&store.sql.delete_range)
                .bind(values(&needs))
                .bind(first)
                .bind(last)
                .bind(store.clock.fixed())
                .bind(micros(age))
                .execute(&mut *tx)
                .await
                .during(RETAIN)?;
            tx.commit().await.during(RETAIN)?;
            Ok(Some(deleted.rows_affected()))
        })
        .await
    }

    /// Keeps retention out to the end of the transaction.
    pub(super) async fn await_retention(&self, tx: &mut PgConnection) -> Result<()> {
        query(&self.sql.await_retention)
            .bind(self.namespace.as_str())
            .execute(tx)
            .await
            .during("wait for retention")?;
        Ok(())
    }

    pub(super) async fn trim_old_audit(&self, age: Duration) -> Result<u64> {
        let trimmed = query(&self.sql.trim_audit)
            .bind(self.clock.fixed())
            .bind(micros(age))
            .run(self.pool.writing())
            .await
            .during("delete old audit rows")?;
        Ok(trimmed.rows_affected())
    }

    pub(super) async fn note_age(&self, age: Option<Duration>) -> Result<()> {
        query(&self.sql.note_retention)
            .bind(age.map(micros))
            .run(self.pool.writing())
            .await
            .during("note how long events are kept")?;
        Ok(())
    }
}

fn values(needs: &[Need]) -> Json<Vec<impl serde::Serialize + '_>> {
    Json(needs.iter().map(|need| need.values(|time| time.to_rfc3339())).collect())
}
