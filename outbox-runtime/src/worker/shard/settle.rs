//! Taking in what handlers did.

use tokio::task::JoinError;
use tokio::time::Instant;

use super::{Finished, Shard};
use crate::consumer::DeliveryMode;
use crate::error::Result;
use crate::store::Store;
use crate::worker::decide::{Ended, Next};
use crate::worker::hooks::{Change, Notice};
use crate::worker::queue::Item;
use crate::worker::stride::Attempts;
use crate::worker::unit::{Settled, Unit, UnitDone, UnitFailed};

impl<S: Store> Shard<S> {
    pub(super) fn take_in_finished(&mut self) -> Result<()> {
        while let Some(joined) = self.running.try_join_next() {
            self.take_in(joined)?;
        }
        self.take_in_early();
        Ok(())
    }

    /// What tasks handed back before their end. After those that ended, or something would be left
    /// here of one that is known to have ended.
    pub(super) fn take_in_early(&mut self) {
        while let Ok(attempts) = self.early.1.try_recv() {
            self.take_in_attempts(attempts);
        }
    }

    pub(super) fn take_in_attempts(&mut self, attempts: Attempts) {
        self.running_items -= attempts.len();
        self.stride.learn(attempts.at_once);
        self.attempted += attempts.ended.len() as u32;
        for (item, ended) in attempts.ended {
            self.take_in_attempt(&item, ended);
        }
        self.queue.put_back(attempts.rest);
    }

    pub(super) fn take_in(&mut self, joined: Result<Finished<S>, JoinError>) -> Result<()> {
        match joined {
            Ok(Finished::Attempts(attempts)) => self.take_in_attempts(attempts),
            Ok(Finished::Unit(done)) => {
                self.unit_running = false;
                self.running_items = 0;
                match done {
                    Ok(done) => self.take_in_unit(*done),
                    Err(UnitFailed::GiveUp(error)) => return Err(error),
                    Err(UnitFailed::Split(unit)) => self.split(*unit),
                }
            }
            // Handlers' panics are caught inside the task, so this is a runtime shutting down.
            Err(_) => return Err(self.lost()),
        }
        if self.running.is_empty() {
            self.alone = None;
            if self.consumer.options.mode == DeliveryMode::Tx {
                // What was handled has been recorded in the same transaction.
                self.turn = None;
            }
        }
        Ok(())
    }

    fn take_in_attempt(&mut self, item: &Item, ended: Ended) {
        let options = &self.consumer.options;
        let next = Next::after(ended, item.attempt(), options, fastrand::f64());
        self.settle(item, &next);
        self.queue.done(item);
    }

    /// What follows from an attempt, or from an event that needs none: changes to record, and what that means in memory.
    pub(super) fn settle(&mut self, item: &Item, next: &Next) {
        next.change(item, &self.consumer.options, &mut self.changes);
        next.count(&mut self.totals);
        if item.has_row() {
            self.settled_rows.push(item.position());
            self.touch();
        } else {
            self.complete(item);
        }
        self.apply(item, next);
    }

    /// What was done in a transaction that recorded it as well.
    fn take_in_unit(&mut self, done: UnitDone<S>) {
        self.unit_size.committed(done.settled.len(), self.unit_began.elapsed());
        // Told when it is recorded.
        let later = std::mem::take(&mut self.notices);
        self.recorded(done.checkpoint.seq, &done.recorded.still_held, &done.released);
        self.totals += done.counted;
        for position in &done.settled_rows {
            self.rows.remove(position);
        }
        for (item, settled) in &done.settled {
            if item.has_row() {
                self.rows.remove(&item.position());
            } else {
                self.tracker.complete(item.position());
            }
            match settled {
                Settled::Next(next) => self.apply(item, next),
                Settled::Parked => self.notice(item, Change::Parked),
            }
        }
        if let Some(wait) = done.soonest {
            self.wake_in(wait);
        }
        self.recorded_mark = self.tracker.mark();
        self.publish(done.notices);
        let notices = std::mem::replace(&mut self.notices, later);
        self.publish(notices);
    }

    /// Takes everything back that was given to a unit, to try its events one by one.
    fn split(&mut self, mut unit: Unit<S>) {
        tracing::info!(
            shard = %self.id, events = unit.items.len(),
            "the commit of a transaction was refused; its events get one each"
        );
        self.singly = unit.items.len() as u32;
        self.queue.put_back(unit.items);
        unit.changes.append(std::mem::take(&mut self.changes));
        self.changes = unit.changes;
        self.settled_rows.append(&mut unit.settled_rows);
        unit.notices.append(&mut self.notices);
        self.notices = unit.notices;
        if !self.changes.is_empty() {
            self.touch();
        }
    }

    /// What an outcome means for the queue, the keys, the clock, and whoever watches.
    fn apply(&mut self, item: &Item, next: &Next) {
        self.tally.count(next);
        if next.holds_key(&self.consumer.options) && self.consumer.options.ordered {
            if let Some(key) = item.key() {
                self.held.insert(key.to_owned());
            }
            for behind in self.queue.hold(item) {
                self.park(&behind);
            }
        }
        if let Next::Later { wait } | Next::Retry { wait, .. } = next {
            self.wake_in(*wait);
        }
        self.notice(item, Change::from(next));
    }

    /// The event at this position of the log is handled, or has a row.
    pub(super) fn complete(&mut self, item: &Item) {
        self.tracker.complete(item.position());
        self.completions += 1;
        self.touch();
    }

    pub(super) fn touch(&mut self) {
        self.dirty_since.get_or_insert_with(Instant::now);
    }

    pub(super) fn notice(&mut self, item: &Item, change: Change) {
        change.log(&self.id, item);
        if self.crew.hooks.is_set() {
            self.notices.push(Notice::new(self.id.consumer, item, change));
        }
    }

    pub(super) fn publish(&self, notices: Vec<Notice>) {
        for notice in notices {
            self.crew.hooks.publish(&notice);
        }
    }
}
