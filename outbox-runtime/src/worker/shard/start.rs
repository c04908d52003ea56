//! Starting handlers.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Finished, Shard, Until};
use crate::consumer::{BatchOptions, DeliveryMode, Handler};
use crate::store::Store;
use crate::worker::attempt::{Frame, attempted};
use crate::worker::decide::{Ended, begin_recorded};
use crate::worker::permits::Permit;
use crate::worker::queue::{Item, Source};
use crate::worker::stride::{self, Attempts, MOST_IN_TASKS};
use crate::worker::unit::Unit;

/// How soon to ask again for a turn that somebody else has.
const TURN: Duration = Duration::from_millis(20);

impl<S: Store> Shard<S> {
    /// Starts as many handlers as may run now.
    pub(super) fn start(&mut self, until: Until) {
        self.permits.begin();
        self.start_ready(until);
        self.permits.end();
    }

    fn start_ready(&mut self, until: Until) {
        self.turn_due = None;
        loop {
            if self.alone.is_some() || self.unit_running {
                return;
            }
            if !self.crew.has_lease(&self.id) || self.is_in_doubt() {
                return;
            }
            let is_recording = self.frozen.is_some();
            if is_recording
                && (self.consumer.options.mode == DeliveryMode::Tx || !self.begun.is_empty())
            {
                // A unit records by itself; what was begun may start once that is recorded.
                return;
            }
            if !self.begun.is_empty() {
                let Some(permit) = self.permits.take() else { return };
                if let Some(item) = self.begun.pop_front() {
                    self.alone = Some(item.clone());
                    self.launch(vec![item], permit);
                }
                return;
            }
            self.park_held();
            let Some(next) = self.queue.peek() else { return };
            if self.is_suspect(next) {
                // A crash is an attempt that failed, and comes back as a retry.
                let died_before = next.has_row() && next.attempts > 0;
                if !is_recording && self.running.is_empty() && self.has_turn(died_before) {
                    self.record_first();
                }
                return;
            }
            let Some(count) = self.may_take(until) else { return };
            let Some(permit) = self.permits.take() else { return };
            let mut items = Vec::with_capacity(count);
            while items.len() < count
                && self.queue.peek().is_some_and(|item| !self.is_suspect(item))
            {
                items.extend(self.queue.pop());
                self.park_held();
            }
            self.launch(items, permit);
        }
    }

    /// How many items the next handler takes; `None` while it has to wait.
    fn may_take(&self, until: Until) -> Option<usize> {
        let concurrency = self.consumer.options.concurrency;
        match &self.consumer.handler {
            Handler::Each(_) => {
                let in_tasks = concurrency.max(MOST_IN_TASKS).saturating_sub(self.running_items);
                let room = self.room().min(in_tasks);
                let free = self.running.len() < concurrency as usize && room > 0;
                free.then(|| self.stride.events().min(room as usize))
            }
            Handler::Tx(_) if self.singly > 0 => self.running.is_empty().then_some(1),
            Handler::Tx(_) => self.running.is_empty().then_some(self.unit_size.events()),
            Handler::Batch(_) => {
                let batch = self.free_batch()?;
                let full = self.queue.ready() >= batch.max as usize;
                let oldest = self.queue.peek()?.since;
                let waited = until == Until::Drained || oldest.elapsed() >= batch.wait;
                (full || waited).then_some(batch.max as usize)
            }
        }
    }

    /// How many more deliveries may be given to handlers before a record of others has been written.
    fn room(&self) -> u32 {
        let most = self.crew.options.most_in_flight(&self.consumer.options);
        most.saturating_sub(self.unrecorded())
    }

    /// What a batch is, if one more may start.
    fn free_batch(&self) -> Option<BatchOptions> {
        let free = self.running.len() < self.consumer.options.concurrency as usize;
        self.consumer.options.batch.filter(|batch| free && self.room() >= batch.max)
    }

    /// When a batch that is not full will start.
    pub(super) fn batch_due(&self) -> Option<Instant> {
        let batch = self.free_batch()?;
        let may_start = self.alone.is_none() && self.begun.is_empty() && !self.permits.is_wanted();
        self.queue
            .peek()
            .filter(|oldest| may_start && !self.is_suspect(oldest))
            .filter(|_| self.crew.has_lease(&self.id) && !self.is_in_doubt())
            .map(|oldest| oldest.since + batch.wait)
    }

    /// Parks what is next in the queue and has been overtaken by a failure of its key.
    fn park_held(&mut self) {
        while self.queue.peek().is_some_and(|item| self.is_held(item)) {
            if let Some(item) = self.queue.pop() {
                let behind = self.queue.hold(&item);
                self.park(&item);
                self.queue.done(&item);
                for item in behind {
                    self.park(&item);
                }
            }
        }
    }

    /// Whether the item may be what killed the worker before.
    fn is_suspect(&self, item: &Item) -> bool {
        match item.source {
            Source::Log | Source::Row { crashed: false } => self.suspects > 0,
            Source::Row { crashed: true } => true,
            Source::Begun => false,
        }
    }

    /// Whether an attempt that is recorded first may begin now; if not, it is asked again soon.
    fn has_turn(&mut self, died_before: bool) -> bool {
        self.turn = self.crew.take_turn(died_before);
        self.turn_due = self.turn.is_none().then(|| Instant::now() + TURN);
        self.turn.is_some()
    }

    /// Records the attempt at the next item before it begins, so that it counts even if it kills
    /// this process.
    fn record_first(&mut self) {
        let Some(item) = self.queue.pop() else { return };
        self.suspects = self.suspects.saturating_sub(1);
        let begun = begin_recorded(&item, &mut self.changes);
        if !item.has_row() {
            self.complete(&item);
            // Its key is not held: what follows waits behind it in the queue, where nothing that is
            // read later can overtake it. If it fails, both are parked.
            self.rows.insert(item.position());
        }
        self.touch();
        self.begun.push_back(begun);
        self.write();
    }

    fn launch(&mut self, mut items: Vec<Item>, permit: Permit) {
        if items.is_empty() {
            return;
        }
        self.running_items += items.len() as u32;
        let consumer = Arc::clone(&self.consumer);
        match &self.consumer.handler {
            Handler::Tx(_) => self.launch_unit(items, permit),
            Handler::Each(handler) => {
                let attempting = stride::attempt(
                    Arc::clone(handler),
                    consumer.options,
                    items,
                    self.ending.clone(),
                    self.early.0.clone(),
                );
                self.running.spawn(async move {
                    let _permit = permit;
                    Finished::Attempts(attempting.await)
                });
            }
            Handler::Batch(handler) => {
                // Rows come in the order in which they are due.
                items.sort_by_key(Item::position);
                let frame = Frame::new(&consumer.options, &items[0], &self.ending);
                let batch = items.iter().map(attempted).collect();
                let handling = handler.run(batch, frame.context.clone());
                self.running.spawn(async move {
                    let _permit = permit;
                    let ended = match frame.run(handling).await {
                        Ok(verdicts) => verdicts.into_iter().map(Ended::from).collect(),
                        Err(ended) => ended.for_each(items.len()),
                    };
                    let ended = items.into_iter().zip(ended).collect();
                    Finished::Attempts(Attempts { ended, rest: Vec::new(), at_once: false })
                });
            }
        }
    }

    /// A transaction for many events: its checkpoint says that all of them are done with, as each
    /// will be handled or have a row when it commits.
    fn launch_unit(&mut self, items: Vec<Item>, permit: Permit) {
        let mut ahead = self.tracker.clone();
        for item in items.iter().filter(|item| !item.has_row()) {
            ahead.complete(item.position());
        }
        let checkpoint = self.checkpoint(&ahead);
        let changes = self.take_changes();
        let unit = Unit {
            crew: Arc::clone(&self.crew),
            consumer: Arc::clone(&self.consumer),
            items,
            checkpoint,
            changes,
            settled_rows: std::mem::take(&mut self.settled_rows),
            notices: std::mem::take(&mut self.notices),
            token: self.ending.clone(),
        };
        self.unit_running = true;
        self.unit_began = Instant::now();
        self.singly = self.singly.saturating_sub(1);
        self.running.spawn(async move {
            let _permit = permit;
            Finished::Unit(unit.run().await.map(Box::new))
        });
    }
}
