//! Reading: what comes from the log and from delivery rows into the queue.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::{LONGEST_SLEEP, SWEEP, Shard};
use crate::consumer::OnReading;
use crate::error::Result;
use crate::event::{Position, StoredEvent};
use crate::store::{DeliveryState, Due, DueQuery, Progress, Store, UpdatedDelivery};
use crate::worker::decide::{Ended, LONGEST_WAIT, Next, new_delivery};
use crate::worker::queue::{Item, Source};
use crate::worker::shelf::Way;

/// Payload bytes of a page, roughly: it is sized by the mean of the last one. At most two are queued, and
/// as much again may wait on the shelf.
pub(crate) const PAGE_BYTES: usize = 8 * 1024 * 1024;

impl<S: Store> Shard<S> {
    pub(super) fn wants_events(&mut self) -> bool {
        !self.caught_up && self.may_read() && self.allowance() != Some(0)
    }

    /// Whether rows may be due.
    pub(super) fn wants_rows(&self) -> bool {
        self.next_due.is_some_and(|due| due <= Instant::now()) && self.may_fetch()
    }

    /// Whether the log may be read: one page at a time, not where the shard has stopped, and not while
    /// there is enough for another record. (Events that get a row do not fill the queue: what is read
    /// while a record is written must not make the next one longer and longer.)
    pub(super) fn may_read(&self) -> bool {
        !self.reading.is_open()
            && self.has_room()
            && self.completions < self.crew.options.record_after
            && !self.has_stopped()
    }

    /// Whether rows may be fetched. Not while a record is being written, which decides what is the
    /// head of its key, nor where the shard has stopped: nothing starts any more.
    pub(super) fn may_fetch(&self) -> bool {
        self.frozen.is_none() && self.has_room() && !self.has_stopped()
    }

    /// How many events may be read now; `None` for any number.
    fn allowance(&mut self) -> Option<u32> {
        let mark = self.cursor.mark();
        self.pacer.as_mut().and_then(|pacer| pacer.allowance(mark, Instant::now()))
    }

    /// Whether the queue is low enough to read more into it: a page is read while the one before it
    /// is handled.
    fn has_room(&self) -> bool {
        self.queue.len() < self.page_limit().max(self.batch_max()) as usize
    }

    fn batch_max(&self) -> u32 {
        self.consumer.options.batch.map_or(1, |batch| batch.max)
    }

    fn page_limit(&self) -> u32 {
        let wanted = self.crew.options.page_size.max(self.batch_max());
        let affordable = PAGE_BYTES / self.mean_bytes.max(1);
        wanted.min(u32::try_from(affordable).unwrap_or(u32::MAX)).max(1)
    }

    /// Begins to read the next page.
    pub(super) fn read(&mut self) {
        let limit = self.page_limit().min(self.allowance().unwrap_or(u32::MAX)).max(1);
        // Others share a page whatever they expect.
        let expected = self.burst.expects(limit, self.batch_max());
        let (crew, slice) = (Arc::clone(&self.crew), self.slice.clone());
        let (cursor, barrier) = (self.cursor.clone(), self.barrier().cloned());
        let line = self.reading_line.clone();
        // A page that somebody else read before says nothing of what the database is now, nor of all that
        // the worker before has seen.
        let is_alone = barrier.is_some() || self.in_doubt.is_some() || !self.unread.is_empty();
        let reader = (!is_alone).then(|| Arc::clone(&self.reader));
        let listener = Arc::clone(&self.listener);
        self.rung = false;
        self.reading.ask(async move {
            let mut shared = None;
            if let Some(reader) = &reader {
                match reader.look(&cursor, limit, listener.rings()) {
                    Way::Read(others) => shared = others,
                    Way::Wait(page) => {
                        if let Some(page) = page.page().await {
                            return Ok(page);
                        }
                    }
                }
            }
            let reading = crew.store.read(&line, &cursor, barrier.as_ref(), &slice, expected);
            let mut page = crew.seated("read the log", reading).await?;
            if let (Some(reader), Some(shared)) = (reader, shared) {
                reader.put(shared, &mut page);
            }
            Ok(page)
        });
    }

    /// Takes in the page that was read.
    pub(super) fn take_in_page(&mut self) -> Result<()> {
        let Some(page) = self.reading.take().transpose()? else { return Ok(()) };
        if self.frozen.is_none() {
            self.hear(self.reading.asked());
        }
        let unhandled = self.tracker.read(&page);
        self.cursor = page.end;
        if let Some(pacer) = &mut self.pacer {
            pacer.spend(page.events.len());
        }
        self.burst.learn(page.events.len(), page.caught_up);
        self.caught_up = page.caught_up && !self.rung;
        if !page.events.is_empty() {
            let bytes: usize = page.events.iter().map(|event| event.payload.get().len()).sum();
            self.mean_bytes = bytes / page.events.len();
        }
        for (event, unhandled) in page.events.into_iter().zip(unhandled) {
            if unhandled {
                self.admit(event, page.now);
            }
        }
        Ok(())
    }

    /// Decides what becomes of an event that was read: a handler, a row, or nothing.
    fn admit(&mut self, event: Arc<StoredEvent>, now: DateTime<Utc>) {
        let item = Item { event, attempts: 0, source: Source::Log, since: Instant::now() };
        if item.event.version > self.slice.event_version {
            tracing::info!(
                shard = %self.id, version = item.event.version,
                "an event of a newer version waits for a worker that knows it"
            );
            return self.divert(&item, DeliveryState::Waiting, Due::Never);
        }
        match self.on_reading(&item.event) {
            Err(panic) => {
                let ended = Ended::Panicked(panic);
                let next = Next::after(ended, 1, &self.consumer.options, fastrand::f64());
                return self.settle(&item, &next);
            }
            Ok(OnReading { wanted: false, .. }) => {
                return self.settle(&item, &Next::Done { outcome: "unwanted", note: None });
            }
            Ok(OnReading { delay: Some(delay), .. }) => {
                let delay = TimeDelta::from_std(delay.min(LONGEST_WAIT)).unwrap_or(TimeDelta::MAX);
                let due = item.event.created_at.checked_add_signed(delay);
                if let Some(due) = due.filter(|due| *due > now) {
                    self.wake_in((due - now).to_std().unwrap_or_default());
                    return self.divert(&item, DeliveryState::Delayed, Due::At(due));
                }
            }
            Ok(_) => {}
        }
        if self.is_held(&item) {
            return self.park(&item);
        }
        self.queue.push(item);
    }

    /// What the consumer's `when` and `delay` say; a payload that they cannot read goes on to the
    /// handler, which reports it.
    fn on_reading(&self, event: &StoredEvent) -> Result<OnReading, String> {
        const WANTED: OnReading = OnReading { wanted: true, delay: None };
        let Some(read) = self.consumer.read else { return Ok(WANTED) };
        match std::panic::catch_unwind(AssertUnwindSafe(|| read(event))) {
            Ok(decided) => Ok(decided.unwrap_or(WANTED)),
            Err(_panic) => Err("`when` or `delay` of the consumer".to_owned()),
        }
    }

    /// Gives an event a row instead of a handler.
    pub(super) fn divert(&mut self, item: &Item, state: DeliveryState, due: Due) {
        self.changes.insert.push(new_delivery(item, state, 0, due, None));
        self.complete(item);
        self.notice(item, state.into());
        if self.consumer.options.ordered
            && let Some(key) = item.key()
        {
            self.held.insert(key.to_owned());
        }
    }

    /// Puts an event behind the earlier deliveries of its key. If the head of the key happens to
    /// be gone by then, recording finds out and lets this one run.
    pub(super) fn park(&mut self, item: &Item) {
        if item.has_row() {
            // Not to be fetched before what it waits behind has been recorded: until then it would
            // look like the head of its key.
            self.settled_rows.push(item.position());
            self.touch();
            return;
        }
        self.divert(item, DeliveryState::Parked, Due::Never);
        if let Some(key) = item.key()
            && !self.paused.contains(key)
            && !self.changes.release.iter().any(|other| other == key)
        {
            self.changes.release.push(key.to_owned());
        }
    }

    pub(super) fn is_held(&self, item: &Item) -> bool {
        let ordered = self.consumer.options.ordered;
        !item.has_row()
            && item.key().is_some_and(|key| {
                self.paused.contains(key) || (ordered && self.held.contains(key))
            })
    }

    /// Lets rows go that waited for what lies before them in the log: once that was read, and the rows
    /// that earlier events of their keys got on the way have been recorded, so that these are the heads.
    pub(super) fn note_read_again(&mut self) {
        let is_recorded = self.changes.is_empty() && self.frozen.is_none() && !self.unit_running;
        if self.unread.is_empty() || !is_recorded {
            return;
        }
        let read_again = self.read_again();
        self.let_go(&read_again);
    }

    /// The rows of which all is read by now that lies before them.
    pub(super) fn read_again(&self) -> Vec<Position> {
        let is_read =
            |position: &&Position| self.caught_up || !self.tracker.is_recovered(**position);
        self.unread.iter().filter(is_read).copied().collect()
    }

    pub(super) fn let_go(&mut self, read_again: &[Position]) {
        for position in read_again {
            self.unread.remove(position);
        }
        if !read_again.is_empty() {
            self.next_due = Some(Instant::now());
        }
    }

    pub(super) async fn fetch_due(&mut self) -> Result<()> {
        let query = DueQuery {
            consumer: self.id.consumer,
            slice: self.slice.clone(),
            ordered: self.consumer.options.ordered,
            except: self.rows.union(&self.unread).copied().collect(),
            // Few enough to leave room for a page of the log: new events must not wait for all rows.
            limit: self.page_limit().div_ceil(4).min(500),
        };
        const DUE: &str = "look for due deliveries";
        let rows = self.crew.seated(DUE, self.crew.store.due(&query)).await?;
        self.answered = true;
        if rows.is_empty() {
            let consumer = [self.id.consumer];
            let next = self.crew.seated(DUE, self.crew.store.next_due(&consumer)).await?;
            self.next_due = match next.first() {
                // A row that is due and was not returned is already here, or not a head: whatever
                // changes that sets the time anew.
                Some(Some(wait)) if wait.is_zero() => Some(Instant::now() + SWEEP),
                Some(Some(wait)) => Some(Instant::now() + (*wait).min(LONGEST_SLEEP)),
                _ => None,
            };
            return Ok(());
        }
        for row in rows {
            let item = Item {
                event: Arc::new(row.event),
                attempts: row.attempts,
                source: Source::Row { crashed: row.crashed },
                since: Instant::now(),
            };
            self.rows.insert(item.position());
            if row.started {
                self.settle_crashed(&item);
            } else {
                self.admit_row(item);
            }
        }
        Ok(())
    }

    /// A row may hold an event that no worker has looked into yet: one that waited for its version,
    /// or whose `when` panicked. And its version may be newer than this worker, which is older than
    /// the one before.
    fn admit_row(&mut self, item: Item) {
        if item.event.version > self.slice.event_version {
            self.changes.update.push(UpdatedDelivery {
                position: item.position(),
                state: DeliveryState::Waiting,
                attempts: item.attempts,
                due: Due::Never,
                started: false,
                error: None,
            });
            self.settled_rows.push(item.position());
            return self.touch();
        }
        match self.on_reading(&item.event) {
            Ok(OnReading { wanted: true, .. }) => self.queue.push(item),
            Ok(_) => self.settle(&item, &Next::Done { outcome: "unwanted", note: None }),
            Err(panic) => {
                let ended = Ended::Panicked(panic);
                let options = &self.consumer.options;
                let next = Next::after(ended, item.attempt(), options, fastrand::f64());
                self.settle(&item, &next);
            }
        }
    }

    /// A dead letter that is discarded at the very moment when something is parked behind it may
    /// leave that behind: neither transaction sees the other. It is found here.
    pub(super) async fn sweep(&mut self) -> Result<()> {
        self.last_sweep = Instant::now();
        let keys: Vec<String> = self.held.iter().cloned().collect();
        let freeing = self.crew.store.free_parked(&self.id, &self.slice, &keys);
        let freed = self.crew.seated("free parked deliveries", freeing).await?;
        self.answered = true;
        if freed > 0 {
            self.next_due = Some(Instant::now());
        }
        Ok(())
    }

    /// An attempt was recorded as begun and never as ended: it killed its worker. It has been
    /// counted already.
    fn settle_crashed(&mut self, item: &Item) {
        let item = Item { source: Source::Begun, ..item.clone() };
        let options = &self.consumer.options;
        let next = Next::after(Ended::Crashed, item.attempts, options, fastrand::f64());
        self.settle(&item, &next);
    }

    /// Makes sure that due rows are looked for after this time.
    pub(super) fn wake_in(&mut self, wait: Duration) {
        let due = Instant::now() + wait.min(LONGEST_SLEEP);
        self.next_due = Some(self.next_due.map_or(due, |next| next.min(due)));
    }
}
