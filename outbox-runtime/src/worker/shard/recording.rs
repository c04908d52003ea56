//! Recording: one checkpoint and the changes that belong to it, in one transaction.

use std::time::Duration;

use tokio::time::Instant;

use super::Shard;
use crate::error::{During, ErrorKind, Result};
use crate::event::Position;
use crate::store::{Changes, Checkpoint, Recorded, Store};
use crate::worker::hooks::Notice;
use crate::worker::tracker::Tracker;

/// How far contiguous progress may move past events of others before it is worth a checkpoint.
const FOREIGN_POSITIONS: Position = 10_000;

/// How many checkpoints of a shard are kept, and how often older ones are deleted.
const KEPT_CHECKPOINTS: i64 = 1_000;
const TRIM_EVERY: i64 = 500;

/// A record that may or may not have reached the database: it is tried again exactly as it was.
pub(super) struct Frozen<P> {
    checkpoint: Checkpoint<P>,
    changes: Changes,
    settled_rows: Vec<Position>,
    notices: Vec<Notice>,
    tried: bool,
}

impl<S: Store> Shard<S> {
    /// Whether to record now: enough was completed, enough time has passed, or (`hurry`) whatever
    /// there is.
    pub(super) fn should_record(&self, hurry: bool) -> bool {
        if self.unit_running {
            return false;
        }
        if self.frozen.is_some() {
            return true;
        }
        let Some(since) = self.dirty_since else {
            return self.tracker.mark() - self.recorded_mark >= FOREIGN_POSITIONS;
        };
        let interval = self.crew.options.record_interval;
        hurry
            || self.completions >= self.crew.options.record_after
            || since.elapsed() >= interval
            || (self.is_quiet() && self.last_recorded.elapsed() >= interval)
    }

    /// The checkpoint that says what `tracker` does.
    pub(super) fn checkpoint(&self, tracker: &Tracker<S::Progress>) -> Checkpoint<S::Progress> {
        let (progress, completed) = tracker.checkpoint();
        Checkpoint {
            shard: self.id.clone(),
            seq: self.seq + 1,
            progress,
            completed,
            totals: self.totals,
            worker: self.crew.worker,
            drained: false,
        }
    }

    /// Records that the shard has stopped with nothing in flight.
    pub(super) async fn record_drained(&mut self) -> Result<()> {
        let mut checkpoint = self.checkpoint(&self.tracker);
        checkpoint.drained = true;
        self.frozen = Some(Frozen {
            checkpoint,
            changes: self.take_changes(),
            settled_rows: std::mem::take(&mut self.settled_rows),
            notices: std::mem::take(&mut self.notices),
            tried: false,
        });
        self.record().await
    }

    pub(super) fn take_changes(&mut self) -> Changes {
        let empty = Changes { dead_holds_key: self.slice.dead_holds_key, ..Changes::default() };
        self.completions = 0;
        self.dirty_since = None;
        std::mem::replace(&mut self.changes, empty)
    }

    pub(super) async fn record(&mut self) -> Result<()> {
        let frozen = match self.frozen.take() {
            Some(frozen) => frozen,
            None => Frozen {
                checkpoint: self.checkpoint(&self.tracker),
                changes: self.take_changes(),
                settled_rows: std::mem::take(&mut self.settled_rows),
                notices: std::mem::take(&mut self.notices),
                tried: false,
            },
        };
        // Kept in place while it is written: whoever waits may stop waiting.
        let tried = frozen.tried;
        let frozen = self.frozen.insert(frozen);
        frozen.tried = true;
        let (store, lease) = (&self.crew.store, self.crew.options.lease);
        match attempt(store, frozen, tried, lease).await {
            Ok(recorded) => {
                let Some(frozen) = self.frozen.take() else { return Ok(()) };
                for position in &frozen.settled_rows {
                    self.rows.remove(position);
                }
                self.recorded(frozen.checkpoint.seq, &recorded.still_held, &frozen.changes.release);
                self.recorded_mark = self.tracker.mark();
                if self.alone.is_none() && self.begun.is_empty() {
                    // Until it is recorded how it ended, it would count as a crash.
                    self.turn = None;
                }
                if !frozen.settled_rows.is_empty() {
                    // Some may only have been put back behind the head of their key.
                    self.next_due = Some(Instant::now());
                }
                if let Some(wait) = frozen.changes.soonest() {
                    // It may have come due before it was recorded, and nobody found it then.
                    self.wake_in(wait);
                }
                self.publish(frozen.notices);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// What a successful record means in memory.
    pub(super) fn recorded(&mut self, seq: i64, still_held: &[String], released: &[String]) {
        self.seq = seq;
        self.last_recorded = Instant::now();
        for key in released {
            let parked_since =
                self.changes.insert.iter().any(|row| row.event.key.as_deref() == Some(key));
            if !parked_since && !still_held.contains(key) {
                self.held.remove(key);
            }
        }
        if !still_held.is_empty() {
            // What was freed may be due.
            self.next_due = Some(Instant::now());
        }
    }

    /// Keeps the ledger short. Failing costs nothing but space.
    pub(super) async fn trim(&mut self) {
        if !is_trim_due(self.trimmed, self.seq) {
            return;
        }
        self.trimmed = self.seq;
        let last = self.seq - KEPT_CHECKPOINTS;
        if let Err(error) = self.crew.store.trim_checkpoints(&self.id, last).await {
            tracing::debug!(shard = %self.id, %error, "could not trim checkpoints");
        }
    }
}

/// Whether a multiple of [`TRIM_EVERY`] was passed. Counted by the ledger's own numbers, so that
/// workers that live shortly (a drain every minute) trim as well.
fn is_trim_due(trimmed: i64, seq: i64) -> bool {
    seq / TRIM_EVERY > trimmed / TRIM_EVERY
}

/// Writes a record; `tried` says that it may have been written before.
async fn attempt<S: Store>(
    store: &S,
    frozen: &Frozen<S::Progress>,
    tried: bool,
    lease: Duration,
) -> Result<Recorded> {
    let written = write(store, &frozen.checkpoint, &frozen.changes, lease).await;
    match written {
        // The try before may have been committed although its answer was lost.
        Err(error) if error.kind() == ErrorKind::LeaseLost && tried => {
            let Checkpoint { shard, seq, worker, .. } = &frozen.checkpoint;
            match store.checkpoint_writer(shard, *seq).await? {
                Some(writer) if writer == *worker => {
                    Ok(Recorded { still_held: frozen.changes.release.clone() })
                }
                _ => Err(error),
            }
        }
        written => written,
    }
}

/// One statement where there is only the checkpoint, a transaction where there is more.
async fn write<S: Store>(
    store: &S,
    checkpoint: &Checkpoint<S::Progress>,
    changes: &Changes,
    lease: Duration,
) -> Result<Recorded> {
    const RECORD: &str = "record progress";
    if changes.is_empty() {
        let mut connection = store.pool().acquire().await.during(RECORD)?;
        return store.record(&mut connection, checkpoint, changes).await;
    }
    let mut tx = store.begin().await?;
    store.limit_idle(&mut tx, lease).await?;
    let recorded = store.record(&mut tx, checkpoint, changes).await?;
    tx.commit().await.during(RECORD)?;
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lives_trim_as_often_as_a_long_one() {
        // Each life appends three checkpoints, the first by taking over.
        let trims = (0..1_000).filter(|life| is_trim_due(life * 3, life * 3 + 3)).count();
        assert_eq!(trims as i64, 3_000 / TRIM_EVERY);
        assert!(!is_trim_due(500, 999));
        assert!(is_trim_due(999, 1_000));
        assert!(is_trim_due(900, 1_700), "a unit or a life may pass it by");
    }
}
