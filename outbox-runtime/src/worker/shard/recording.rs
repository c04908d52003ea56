//! Recording: one checkpoint and the changes that belong to it, in one transaction.

use std::sync::Arc;

use tokio::time::Instant;

use super::Shard;
use crate::error::{ErrorKind, Result};
use crate::event::Position;
use crate::store::line::Line;
use crate::store::{Changes, Checkpoint, Progress, Recorded, Store};
use crate::worker::crew::Crew;
use crate::worker::hooks::Notice;
use crate::worker::tracker::Tracker;

/// How far contiguous progress may move past events of others before it is worth a checkpoint.
const FOREIGN_POSITIONS: Position = 10_000;

/// How many checkpoints of a shard are kept, and how often older ones are deleted.
const KEPT_CHECKPOINTS: i64 = 1_000;
const TRIM_EVERY: i64 = 500;

/// A record that is being written, or may have been: it is tried again exactly as it was. What
/// handlers do meanwhile is for the next one.
pub(super) struct Frozen<P> {
    record: Arc<Record<P>>,
    settled_rows: Vec<Position>,
    notices: Vec<Notice>,
    /// How many attempts it says the end of.
    attempted: u32,
    /// Rows that waited until what lies before them was read: those of which it has been, and which
    /// follow what this record says of that.
    read_again: Vec<Position>,
    /// Whether it says how all attempts ended that were recorded before they began.
    ends_turn: bool,
    tried: bool,
}

/// What is written.
struct Record<P> {
    checkpoint: Checkpoint<P>,
    changes: Changes,
}

impl<S: Store> Shard<S> {
    /// Whether to record now: enough was completed, enough time has passed, or (`hurry`) whatever
    /// there is.
    pub(super) fn should_record(&self, hurry: bool) -> bool {
        if self.unit_running || self.writing.is_open() {
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

    /// How many deliveries were given to handlers and have not been recorded as done.
    pub(super) fn unrecorded(&self) -> u32 {
        let frozen = self.frozen.as_ref().map_or(0, |frozen| frozen.attempted);
        frozen + self.attempted + self.running_items
    }

    /// Records that the shard has stopped with nothing in flight.
    pub(super) async fn record_drained(&mut self) -> Result<()> {
        let mut checkpoint = self.checkpoint(&self.tracker);
        checkpoint.drained = true;
        if self.barrier().is_some() {
            // Everything before the barrier was read, and all that was ever handled lies before it.
            // What is left of the list was skipped.
            checkpoint.completed.clear();
        }
        self.frozen = Some(self.freeze(checkpoint));
        self.record().await
    }

    pub(super) fn take_changes(&mut self) -> Changes {
        let empty = Changes { dead_holds_key: self.slice.dead_holds_key, ..Changes::default() };
        self.completions = 0;
        self.dirty_since = None;
        std::mem::replace(&mut self.changes, empty)
    }

    fn freeze(&mut self, checkpoint: Checkpoint<S::Progress>) -> Frozen<S::Progress> {
        Frozen {
            attempted: std::mem::take(&mut self.attempted),
            read_again: self.read_again(),
            record: Arc::new(Record { checkpoint, changes: self.take_changes() }),
            settled_rows: std::mem::take(&mut self.settled_rows),
            notices: std::mem::take(&mut self.notices),
            ends_turn: self.alone.is_none() && self.begun.is_empty(),
            tried: false,
        }
    }

    /// Writes what there is to record and waits for it; what failed to be written before comes first.
    pub(super) async fn record(&mut self) -> Result<()> {
        if !self.writing.is_open() {
            self.write();
        }
        self.writing.answered().await;
        self.take_in_record()
    }

    /// Begins to write a record.
    pub(super) fn write(&mut self) {
        let mut frozen = match self.frozen.take() {
            Some(frozen) => frozen,
            None => self.freeze(self.checkpoint(&self.tracker)),
        };
        let (crew, record) = (Arc::clone(&self.crew), Arc::clone(&frozen.record));
        let tried = std::mem::replace(&mut frozen.tried, true);
        self.frozen = Some(frozen);
        let line = self.writing_line.clone();
        self.writing.ask(async move { attempt(&crew, &line, &record, tried).await });
    }

    /// Takes in that a record was written.
    pub(super) fn take_in_record(&mut self) -> Result<()> {
        let Some(recorded) = self.writing.take().transpose()? else { return Ok(()) };
        let Some(frozen) = self.frozen.take() else { return Ok(()) };
        self.hear(self.writing.asked());
        for position in &frozen.settled_rows {
            self.rows.remove(position);
        }
        let Record { checkpoint, changes } = &*frozen.record;
        self.recorded(checkpoint.seq, &recorded.still_held, &changes.release);
        self.recorded_mark = checkpoint.progress.mark();
        self.let_go(&frozen.read_again);
        if frozen.ends_turn {
            // Until it was recorded how it ended, it would have counted as a crash.
            self.turn = None;
        }
        if !frozen.settled_rows.is_empty() {
            // Some may only have been put back behind the head of their key.
            self.next_due = Some(Instant::now());
        }
        if let Some(wait) = changes.soonest() {
            // It may have come due before it was recorded, and nobody found it then.
            self.wake_in(wait);
        }
        self.publish(frozen.notices);
        Ok(())
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
        let trimming = self.crew.store.trim_checkpoints(&self.id, last);
        if let Err(error) = self.crew.seated("trim checkpoints", trimming).await {
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
    crew: &Crew<S>,
    line: &Line<S::Db>,
    record: &Record<S::Progress>,
    tried: bool,
) -> Result<Recorded> {
    const RECORD: &str = "record progress";
    let (store, lease) = (&crew.store, crew.options.lease);
    let writing = store.record_alone(line, &record.checkpoint, &record.changes, lease);
    match crew.seated(RECORD, writing).await {
        // The try before may have been committed although its answer was lost.
        Err(error) if error.kind() == ErrorKind::LeaseLost && tried => {
            let Checkpoint { shard, seq, worker, .. } = &record.checkpoint;
            match crew.seated(RECORD, store.checkpoint_writer(shard, *seq)).await? {
                Some(writer) if writer == *worker => {
                    Ok(Recorded { still_held: record.changes.release.clone() })
                }
                _ => Err(error),
            }
        }
        written => written,
    }
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
