//! The reader, broken on purpose in the ways that are easy to get wrong: the schedule tests must
//! notice each of them. Compiled for tests only.

use std::sync::Arc;

use sqlx::{Connection, PgConnection};

use super::window::{Window, WindowProgress};
use super::{PostgresStore, rows};
use crate::error::{During, Result};
use crate::event::Position;
use crate::store::retention::Need;
use crate::store::{Page, Slice};

const READ: &str = "read the log wrongly";

/// A wrong way to read the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sabotage {
    /// "Everything after the last position seen."
    PositionCursor,
    /// Nothing is ever late.
    NoneLate,
    /// Windows that take the snapshot's `xmax` for the next transaction id.
    WithoutNext,
    /// The reader's own id is drawn before its snapshot is taken.
    IdBeforeSnapshot,
    /// The same, clamped to the snapshot's `xmax`.
    IdBeforeSnapshotClamped,
    /// Windows end where the sequence would stand if Postgres had just written ahead for 32 more
    /// values, as a reader of its table may see it.
    HighAhead,
    /// Each read of a window uses the snapshot of its own moment.
    UptoNotKept,
    /// Retention deletes up to what any shard of anybody has handled.
    RetainedForTheFastest,
    /// Retention knows nothing of late transactions.
    LateDeleted,
}

impl PostgresStore {
    pub(super) fn sabotaged(mut self, sabotage: Sabotage) -> Self {
        self.sabotage = Some(sabotage);
        self
    }

    pub(super) fn wrong_needs(&self, mut needs: Vec<Need>) -> Vec<Need> {
        match self.sabotage {
            Some(Sabotage::RetainedForTheFastest) => {
                let most = needs.iter().map(|need| need.handled).max();
                needs.iter_mut().for_each(|need| need.handled = most.unwrap_or(0));
            }
            Some(Sabotage::LateDeleted) => needs.iter_mut().for_each(|need| {
                need.late.clear();
                need.late_in_window.clear();
            }),
            _ => {}
        }
        needs
    }

    pub(super) async fn read_wrongly(
        &self,
        sabotage: Sabotage,
        connection: &mut PgConnection,
        progress: &WindowProgress,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<WindowProgress>> {
        match (sabotage, &progress.window) {
            (Sabotage::PositionCursor, _) => {
                self.read_by_position(connection, progress, slice, limit).await
            }
            (Sabotage::UptoNotKept, Some(window)) => {
                let upto = sqlx::query_scalar("select pg_current_snapshot()::text")
                    .fetch_one(&mut *connection)
                    .await
                    .during(READ)?;
                let mut progress = progress.clone();
                let window = Window { upto, ..window.clone() };
                progress.window = Some(window.clone());
                self.continue_window(connection, &progress, &window, slice, limit).await
            }
            (Sabotage::RetainedForTheFastest | Sabotage::LateDeleted, None) => {
                self.open_window(connection, progress, slice, limit).await
            }
            (_, Some(window)) => {
                self.continue_window(connection, progress, window, slice, limit).await
            }
            (Sabotage::UptoNotKept, None) => {
                self.open_window(connection, progress, slice, limit).await
            }
            (Sabotage::NoneLate, None) => {
                self.open_window_with(connection, progress, Vec::new(), slice, limit).await
            }
            (Sabotage::HighAhead, None) => {
                let page = self.open_window(connection, progress, slice, limit).await?;
                Ok(with_high(page, |high| high + 32))
            }
            (Sabotage::WithoutNext, None) => {
                let page = self.open_window(connection, progress, slice, limit).await?;
                Ok(with_next(page, |xmax| xmax - 1))
            }
            (Sabotage::IdBeforeSnapshot | Sabotage::IdBeforeSnapshotClamped, None) => {
                let mut tx = connection.begin().await.during(READ)?;
                let own: String = sqlx::query_scalar("select pg_current_xact_id()::text")
                    .fetch_one(&mut *tx)
                    .await
                    .during(READ)?;
                let page = self.open_window(&mut tx, progress, slice, limit).await?;
                tx.commit().await.during(READ)?;
                let own: u64 = own.parse().unwrap_or_default();
                Ok(with_next(page, |xmax| match sabotage {
                    Sabotage::IdBeforeSnapshotClamped => own.max(xmax - 1),
                    _ => own,
                }))
            }
        }
    }

    async fn read_by_position(
        &self,
        connection: &mut PgConnection,
        progress: &WindowProgress,
        slice: &Slice,
        limit: u32,
    ) -> Result<Page<WindowProgress>> {
        let found = sqlx::query(
            "select position, id, name, version, key, payload, headers, created_at
             from outbox.event where position > $1 and name = $2 order by position limit $3",
        )
        .bind(progress.high)
        .bind(slice.event_name)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await
        .during(READ)?;
        let events = found.iter().map(|row| rows::event(row).map(Arc::new));
        let events: Vec<_> = events.collect::<sqlx::Result<_>>().during(READ)?;
        let high = events.last().map_or(progress.high, |event| event.position);
        let end = WindowProgress { high, ..progress.clone() };
        let caught_up = events.len() < limit as usize;
        Ok(Page { events, start: progress.clone(), end, caught_up, now: chrono::Utc::now() })
    }
}

/// Puts a wrong `next` into the window that was opened, or into the progress after it.
fn with_next(mut page: Page<WindowProgress>, wrong: impl Fn(u64) -> u64) -> Page<WindowProgress> {
    let xmax = |snapshot: &str| -> u64 {
        snapshot.split(':').nth(1).and_then(|xmax| xmax.parse().ok()).unwrap_or(1)
    };
    if let Some(window) = &mut page.start.window {
        window.next = wrong(xmax(&window.upto));
    }
    match &mut page.end.window {
        Some(window) => window.next = wrong(xmax(&window.upto)),
        None if page.start.window.is_some() => {
            page.end.next = wrong(xmax(&page.end.done));
        }
        None => {}
    }
    page
}

/// Puts a wrong `high` into the window that was opened, or into the progress after it.
fn with_high(
    mut page: Page<WindowProgress>,
    wrong: impl Fn(Position) -> Position,
) -> Page<WindowProgress> {
    let opened = page.start.window.is_some();
    if let Some(window) = &mut page.start.window {
        window.high = wrong(window.high);
    }
    match &mut page.end.window {
        Some(window) => window.high = wrong(window.high),
        None if opened => page.end.high = wrong(page.end.high),
        None => {}
    }
    page
}
