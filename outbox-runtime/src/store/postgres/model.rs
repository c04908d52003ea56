//! A model of reading the log in windows: see `crate::model`.
//!
//! Writers draw transaction ids and positions, commit and abort, in every order. A reader opens
//! windows (its snapshot, the sequence's last value and its own id are three steps, between which
//! writers act), reads pages of bounded length and span, hands events out in every order that keys
//! allow, records checkpoints, crashes, and starts again from the last one.
//!
//! The product's own code: [`WindowProgress`] and the worker's `Tracker`. Copied into the model: the
//! predicates of `open_window.sql` (those of `open_window_none_late.sql` and `open_window_few.sql` are the
//! same, without the late part) and `continue_window.sql`, and when an id is drawn. Taken for granted: what
//! Postgres says of snapshots (`xmax` is the latest *completed* id plus one), of sequences, and of row
//! locks. Left out: the slice of a shard, the name of an event, and delivery rows; a page's span is 2 or 3
//! positions instead of 10,000, and a growth of 2 is worth an id.
//!
//! Bounds: 3 transactions of one event, or 2 of up to two; one key that they may share (with its row
//! lock) and keys of their own; with a crash, 2 transactions, of two events where no key is shared.
//! Writers are interchangeable, so only schedules in which they begin in their order are explored.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde_json::value::to_raw_value;
use uuid::Uuid;

use super::window::{Window, WindowProgress};
use crate::event::{Position, StoredEvent};
use crate::headers::Headers;
use crate::model::{Model, Next, holds, is_rejected};
use crate::store::Page;
use crate::worker::Tracker;

const TWICE: &str = "an event was delivered twice";
const ORDER: &str = "an event was delivered before an earlier one of its key";
const LOST: &str = "from here there is no way to the goal";

/// Ids below are not for users.
const FIRST_ID: u64 = 3;
const WORTH_AN_ID: Position = 2;

/// A way to get it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// "Everything after the last position seen."
    PositionCursor,
    /// The snapshot's `xmax` is taken for the next transaction id.
    WithoutNext,
    /// The reader's id is drawn before its snapshot is taken.
    IdBeforeSnapshot,
    /// The same, clamped up to the snapshot's `xmax`.
    IdBeforeSnapshotClamped,
    /// The sequence is looked at after the reader's id was drawn.
    HighAfterId,
    /// The sequence is looked at before the snapshot is taken.
    HighBeforeSnapshot,
    /// The sequence is read as a table, which may show a value that nobody has drawn yet.
    HighAhead,
    /// Each page of a window has a snapshot of its own.
    UptoNotKept,
    /// A position is drawn before the transaction has its id: the columns in another order, or a
    /// sequence that caches.
    PositionBeforeId,
    /// A checkpoint says how far was read, not how far was handled.
    ReadIsRecorded,
}

struct Windows {
    writers: usize,
    /// Most events of a transaction.
    events: usize,
    /// Whether there is a key that transactions serialise on, besides keys of their own.
    shared_key: bool,
    page: usize,
    span: Position,
    crashes: u8,
    broken: Broken,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    writers: Vec<Writer>,
    next_id: u64,
    latest_completed: u64,
    sequence: Position,
    commits: u8,
    reader: Reader,
    /// The last checkpoint.
    recorded: (WindowProgress, Vec<Position>),
    /// Positions, as bits: ever delivered, delivered since the last crash, and told by a checkpoint.
    delivered: u16,
    delivered_now: u16,
    told: u16,
    crashes: u8,
    wrong: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
struct Writer {
    /// 0 for none.
    id: u64,
    positions: Vec<Position>,
    /// It holds the row lock of the shared key.
    shares: bool,
    ended: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum End {
    Aborted,
    /// And how many had committed before.
    Committed(u8),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reader {
    cursor: WindowProgress,
    tracker: Tracker<WindowProgress>,
    /// Read and not handled.
    queue: Vec<Position>,
    opening: Opening,
    /// The commits and the last position when it opened a window last. It opens another one only
    /// when these have changed: in between it would find nothing, for ever.
    looked: Option<(u8, Position)>,
}

/// What a reader that opens a window has asked so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
struct Opening {
    upto: Option<String>,
    high: Option<Position>,
    own: Option<u64>,
}

impl Reader {
    fn starting(progress: WindowProgress, completed: Vec<Position>) -> Self {
        Self {
            cursor: progress.clone(),
            tracker: Tracker::new(progress, completed),
            queue: Vec::new(),
            opening: Opening::default(),
            looked: None,
        }
    }
}

/// As it is compared: wherever it was read.
impl Hash for WindowProgress {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.done, self.next, self.high, &self.window).hash(state);
    }
}

fn bit(position: Position) -> u16 {
    1 << position
}

/// `pg_visible_in_snapshot`, from the text of a snapshot.
fn is_in_snapshot(id: u64, snapshot: &str) -> bool {
    let mut parts = snapshot.split(':').skip(1);
    let xmax: u64 = parts.next().and_then(|xmax| xmax.parse().ok()).unwrap_or(0);
    let running = parts.next().unwrap_or("");
    id < xmax && !running.split(',').any(|running| running == id.to_string())
}

impl World {
    /// `pg_current_snapshot()`; `own` is the reader's id, if it has one already.
    fn snapshot(&self, own: Option<u64>) -> String {
        let xmax = self.latest_completed + 1;
        let open = self.writers.iter().filter(|writer| writer.ended.is_none() && writer.id > 0);
        let mut running: Vec<u64> = open.map(|writer| writer.id).chain(own).collect();
        running.retain(|id| *id < xmax);
        running.sort_unstable();
        let xmin = running.first().copied().unwrap_or(xmax);
        let running: Vec<String> = running.iter().map(u64::to_string).collect();
        format!("{xmin}:{xmax}:{}", running.join(","))
    }

    fn end(&mut self, writer: usize, end: End) {
        self.writers[writer].ended = Some(end);
        // A transaction that drew no id leaves no trace.
        self.latest_completed = self.latest_completed.max(self.writers[writer].id);
        self.commits += u8::from(end != End::Aborted);
    }

    fn draw_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// The rows that are visible in a snapshot: transaction id and position.
    fn visible(&self, snapshot: &str) -> Vec<(u64, Position)> {
        let committed = self
            .writers
            .iter()
            .filter(|writer| matches!(writer.ended, Some(End::Committed(_))))
            .filter(|writer| is_in_snapshot(writer.id, snapshot));
        committed.flat_map(|w| w.positions.iter().map(|position| (w.id, *position))).collect()
    }

    fn writer_of(&self, position: Position) -> Option<&Writer> {
        self.writers.iter().find(|writer| writer.positions.contains(&position))
    }

    fn deliver(&mut self, position: Position) {
        let this = self.writer_of(position).cloned().unwrap_or_default();
        let is_earlier = |writer: &&Writer| match (writer.ended, this.ended) {
            (Some(End::Committed(one)), Some(End::Committed(other))) => one < other,
            _ => false,
        };
        let earlier = self.writers.iter().filter(|writer| writer.shares).filter(is_earlier);
        let mut before = earlier
            .flat_map(|writer| &writer.positions)
            .chain(this.positions.iter().take_while(|other| **other < position));
        let in_order = !this.shares || before.all(|other| self.delivered & bit(*other) != 0);
        if !matches!(this.ended, Some(End::Committed(_))) {
            self.wrong = Some("an event was delivered that was not committed");
        } else if (self.delivered_now | self.told) & bit(position) != 0 {
            self.wrong = Some(TWICE);
        } else if !in_order {
            self.wrong = Some(ORDER);
        }
        self.delivered |= bit(position);
        self.delivered_now |= bit(position);
        self.reader.tracker.complete(position);
        self.reader.queue.retain(|other| *other != position);
    }
}

impl Windows {
    fn writer_steps(&self, world: &World, who: usize, next: &mut Next<World>) {
        let writer = &world.writers[who];
        if writer.ended.is_some() {
            return;
        }
        let has_begun = |writer: &Writer| writer.id > 0 || !writer.positions.is_empty();
        if who > 0 && !has_begun(&world.writers[who - 1]) {
            return;
        }
        if writer.id == 0 {
            next.step(world, ("draws an id", who), |to| to.writers[who].id = to.draw_id());
        }
        let early = self.broken == Broken::PositionBeforeId;
        if (writer.id > 0 || early) && writer.positions.len() < self.events {
            let mut draw = |step: &'static str, shares: bool| {
                next.step(world, (step, who), |to| {
                    to.sequence += 1;
                    to.writers[who].positions.push(to.sequence);
                    to.writers[who].shares = shares;
                });
            };
            let first = writer.positions.is_empty();
            if first || !writer.shares {
                draw("draws a position, with a key of its own", false);
            }
            let locked = world.writers.iter().any(|other| other.shares && other.ended.is_none());
            if writer.shares || (first && !locked && self.shared_key) {
                draw("draws a position, with the shared key", true);
            }
        }
        if writer.id > 0 {
            next.step(world, ("aborts", who), |to| to.end(who, End::Aborted));
            if !writer.positions.is_empty() {
                next.step(world, ("commits", who), |to| to.end(who, End::Committed(to.commits)));
            }
        }
    }

    fn reader_steps(&self, world: &World, next: &mut Next<World>) {
        let reader = &world.reader;
        for (index, position) in reader.queue.iter().enumerate() {
            let shares = |position| world.writer_of(position).is_some_and(|w| w.shares);
            let waits = shares(*position) && reader.queue[..index].iter().any(|o| shares(*o));
            if !waits {
                let step = ("delivers the event at", *position as usize);
                next.step(world, step, |to| to.deliver(*position));
            }
        }
        if reader.queue.len() <= 1 {
            match &reader.cursor.window {
                Some(window) => next.step(world, ("reads on in the window", 0), |to| {
                    self.continue_window(to, window);
                }),
                None => self.open_steps(world, next),
            }
        }
        if world.crashes == self.crashes {
            return;
        }
        let (mut progress, completed) = reader.tracker.checkpoint();
        if self.broken == Broken::ReadIsRecorded {
            progress = reader.cursor.clone();
        }
        if (&progress, &completed) != (&world.recorded.0, &world.recorded.1) {
            next.step(world, ("records", 0), |to| {
                to.recorded = (progress, completed);
                to.told |= to.delivered_now;
            });
        }
        next.step(world, ("crashes and starts again", 0), |to| {
            let (progress, completed) = to.recorded.clone();
            to.reader = Reader::starting(progress, completed);
            to.delivered_now = 0;
            to.crashes += 1;
        });
    }

    /// Snapshot, last position, own id: in this order, where nothing is broken.
    fn open_steps(&self, world: &World, next: &mut Next<World>) {
        let Opening { upto, high, own } = &world.reader.opening;
        let now = (world.commits, world.sequence);
        if world.reader.opening == Opening::default() && world.reader.looked == Some(now) {
            return;
        }
        let (wants_upto, wants_high, wants_own) = match self.broken {
            Broken::IdBeforeSnapshot | Broken::IdBeforeSnapshotClamped => {
                (own.is_some(), upto.is_some(), true)
            }
            Broken::HighAfterId => (true, own.is_some(), upto.is_some()),
            Broken::HighBeforeSnapshot => (high.is_some(), true, upto.is_some()),
            _ => (true, upto.is_some(), high.is_some()),
        };
        let mut step = |what, change: &dyn Fn(&mut World)| {
            next.step(world, (what, 0), |to| {
                if to.reader.opening == Opening::default() {
                    to.reader.looked = Some(now);
                }
                change(to);
                self.open_window(to);
            });
        };
        if upto.is_none() && wants_upto {
            step("takes its snapshot", &|to| {
                to.reader.opening.upto = Some(to.snapshot(to.reader.opening.own));
            });
        } else if high.is_none() && wants_high {
            step("looks at the sequence", &|to| to.reader.opening.high = Some(to.sequence));
            if self.broken == Broken::HighAhead {
                let ahead = |to: &mut World| to.reader.opening.high = Some(to.sequence + 1);
                step("looks at the sequence and sees it ahead", &ahead);
            }
        } else if own.is_none() && wants_own {
            step("draws its id", &|to| to.reader.opening.own = Some(to.draw_id()));
        }
    }

    /// Once it has asked everything: reads the first page. Where there is none and the log has
    /// hardly grown, it draws no id and stays where it is.
    fn open_window(&self, world: &mut World) {
        let Opening { upto, high, own } = world.reader.opening.clone();
        let (Some(upto), Some(high)) = (upto, high) else { return };
        let cursor = world.reader.cursor.clone();
        let bound = match cursor.late().is_empty() {
            // That statement does not ask for the first event that is left.
            true => cursor.high + self.span,
            false => self.bound(world, cursor.high, &upto),
        };
        let page = self.page(world, &cursor, (0, cursor.high, bound), &upto);
        if self.broken == Broken::PositionCursor {
            let high = page.last().copied().unwrap_or(cursor.high);
            let end = WindowProgress::seen(cursor.done.clone(), cursor.next, high);
            return read(world, page, cursor, end);
        }
        let Some(own) = own else {
            if page.is_empty() && high - cursor.high < WORTH_AN_ID {
                world.reader.opening = Opening::default();
            }
            return;
        };
        let xmax: u64 = upto.split(':').nth(1).and_then(|xmax| xmax.parse().ok()).unwrap_or(0);
        let next = match self.broken {
            Broken::WithoutNext => xmax - 1,
            Broken::IdBeforeSnapshotClamped => own.max(xmax - 1),
            _ => own,
        };
        // Its transaction ends with the statement.
        world.latest_completed = world.latest_completed.max(own);
        let mut start = cursor;
        start.window = Some(Window { upto, next, high, after: 0 });
        let end = start.clone().advanced(self.last_of_full(&page), bound);
        read(world, page, start, end);
    }

    fn continue_window(&self, world: &mut World, window: &Window) {
        let mut cursor = world.reader.cursor.clone();
        let mut upto = window.upto.clone();
        if self.broken == Broken::UptoNotKept {
            upto = world.snapshot(None);
            cursor.window = Some(Window { upto: upto.clone(), ..window.clone() });
        }
        let new_after = cursor.new_after();
        let bound = self.bound(world, new_after, &world.snapshot(None));
        let page = self.page(world, &cursor, (window.after, new_after, bound), &upto);
        let end = cursor.clone().advanced(self.last_of_full(&page), bound);
        read(world, page, cursor, end);
    }

    /// `span` in the statements that have one: it begins at the first event that the statement sees.
    fn bound(&self, world: &World, after: Position, now: &str) -> Position {
        let positions = world.visible(now).into_iter().map(|(_, position)| position);
        let first = positions.filter(|position| *position > after).min().unwrap_or(after + 1);
        first - 1 + self.span
    }

    /// The union of `late` and `new`.
    fn page(
        &self,
        world: &World,
        cursor: &WindowProgress,
        (late_after, new_after, bound): (Position, Position, Position),
        upto: &str,
    ) -> Vec<Position> {
        let late = cursor.late();
        let cursor_only = self.broken == Broken::PositionCursor;
        let wanted = |(id, position): &(u64, Position)| {
            let is_late = late.contains(&id.to_string()) && *position > late_after;
            let is_new = *id > cursor.next && *position > new_after;
            is_late && *position <= cursor.late_upto(bound)
                || is_new && *position <= bound
                || cursor_only && *position > new_after
        };
        let rows = world.visible(upto).into_iter().filter(wanted);
        let mut page: Vec<Position> = rows.map(|(_, position)| position).collect();
        page.sort_unstable();
        page.truncate(self.page);
        page
    }

    fn last_of_full(&self, page: &[Position]) -> Option<Position> {
        page.last().copied().filter(|_| page.len() == self.page)
    }
}

/// What the worker does with a page.
fn read(world: &mut World, page: Vec<Position>, start: WindowProgress, end: WindowProgress) {
    let event = |position: &Position| StoredEvent {
        position: *position,
        id: Uuid::nil(),
        name: String::new(),
        version: 1,
        key: None,
        payload: to_raw_value(&1).expect("a number is JSON"),
        headers: Headers::default(),
        created_at: chrono::DateTime::UNIX_EPOCH,
    };
    let events = page.iter().map(event).map(Arc::new).collect();
    let now = chrono::DateTime::UNIX_EPOCH;
    let read = Page { events, start, end: end.clone(), caught_up: false, now };
    let unhandled = world.reader.tracker.read(&read);
    let queue = page.iter().zip(unhandled).filter(|(_, unhandled)| *unhandled);
    world.reader.queue.extend(queue.map(|(position, _)| *position));
    world.reader.cursor = end;
    world.reader.opening = Opening::default();
}

impl Model for Windows {
    type State = World;

    fn initial(&self) -> World {
        let start = WindowProgress::beginning();
        World {
            writers: vec![Writer::default(); self.writers],
            next_id: FIRST_ID,
            latest_completed: FIRST_ID - 1,
            sequence: 0,
            commits: 0,
            reader: Reader::starting(start.clone(), Vec::new()),
            recorded: (start, Vec::new()),
            delivered: 0,
            delivered_now: 0,
            told: 0,
            crashes: 0,
            wrong: None,
        }
    }

    fn steps(&self, world: &World, next: &mut Next<World>) {
        for who in 0..self.writers {
            self.writer_steps(world, who, next);
        }
        self.reader_steps(world, next);
    }

    fn wrong(&self, world: &World) -> Option<&'static str> {
        world.wrong
    }

    /// Nobody writes any more, and everything that was committed has been delivered.
    fn is_goal(&self, world: &World) -> bool {
        world.writers.iter().all(|writer| match writer.ended {
            Some(End::Committed(_)) => {
                writer.positions.iter().all(|position| world.delivered & bit(*position) != 0)
            }
            Some(End::Aborted) => true,
            None => writer.id == 0 && writer.positions.is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(broken: Broken, page: usize, span: Position) -> Windows {
        Windows { writers: 2, events: 2, shared_key: true, page, span, crashes: 0, broken }
    }

    #[test]
    fn model_of_windows_holds_for_three_transactions() {
        let model = Windows { writers: 3, events: 1, ..two(Broken::Nothing, 2, 2) };
        holds("windows, three transactions", &model);
    }

    #[test]
    fn model_of_windows_holds_for_transactions_of_two_events() {
        holds("windows, pages of 1", &two(Broken::Nothing, 1, 3));
        holds("windows, pages of 2", &two(Broken::Nothing, 2, 2));
    }

    #[test]
    fn model_of_windows_holds_for_a_reader_that_crashes() {
        let crashing = Windows { crashes: 1, ..two(Broken::Nothing, 2, 3) };
        holds("windows, a crash, one event", &Windows { events: 1, ..crashing });
        let crashing = Windows { crashes: 1, ..two(Broken::Nothing, 2, 3) };
        holds("windows, a crash, keys of their own", &Windows { shared_key: false, ..crashing });
    }

    #[test]
    fn model_of_windows_rejects_what_is_broken() {
        for (broken, because) in [
            (Broken::PositionCursor, LOST),
            (Broken::WithoutNext, LOST),
            (Broken::IdBeforeSnapshot, ORDER),
            (Broken::IdBeforeSnapshotClamped, ORDER),
            (Broken::HighAfterId, ORDER),
            (Broken::UptoNotKept, TWICE),
            (Broken::PositionBeforeId, LOST),
            (Broken::HighAhead, LOST),
        ] {
            let model = Windows { events: 1, ..two(broken, 1, 2) };
            is_rejected(&format!("{broken:?}"), &model, because);
        }
        // Lost are those beyond a page's span.
        let broken = Broken::HighBeforeSnapshot;
        is_rejected(&format!("{broken:?}"), &two(broken, 1, 2), LOST);
        let broken = Broken::ReadIsRecorded;
        let model = Windows { crashes: 1, events: 1, shared_key: false, ..two(broken, 2, 3) };
        is_rejected(&format!("{broken:?}"), &model, LOST);
    }
}
