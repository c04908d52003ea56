//! Changing the number of shards while workers run: `operations/reshard.rs` and
//! `worker/shard/barrier.rs`, which say how it goes.
//!
//! Lives of shards take over (leases only decide who tries, so anybody may at any time), learn what
//! they were told after their fence, open windows, handle events in any order that keys allow, and
//! record. A life may notice a change, or die, at any step; one that was taken over can only collide,
//! or look once more whether all have stopped. An operator asks for another number. Lives that have
//! stopped say so, mark the log, and then look and commit in two steps with the consumer's row locked.
//! (The engine also compares what it saw with what is there when it commits, which is stricter.)
//!
//! The log is a row of events in the order of commits; a window ends where the log ended when it was
//! opened, and so does a mark (`store/postgres/model.rs` shows that windows make this true). One
//! more event has a delivery row that is due, of a key of its own.
//!
//! Bounds: 2 events of two keys, in the order of which nothing stands in the way; 2 shards to 3 or to
//! 1; at most 2 lives at a time of a shard; one death or one take-over more than needed.

use super::{Model, Next, holds, is_rejected};

const EVENTS: u8 = 2;
/// The event with a delivery row.
const ROW: u8 = EVENTS;
const MOST_SHARDS: usize = 3;

const TWICE: &str = "an event was recorded twice";
const REPEATED: &str = "the life that has the shard handled what was recorded";
const CUT_OFF: &str = "a step of the change cut off a life in the middle of something";
const LOST: &str = "from here there is no way to the goal";

/// A way to get it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// The mark may be older than the last shard's stop.
    MarkTooOld,
    /// Not all shards need have stopped.
    OneIsEnough,
    /// The barrier does not keep anybody from reading on.
    BarrierIgnored,
    /// A life that has stopped goes on with delivery rows.
    RowsWhileStopped,
    /// A life learns what it was told first, and appends its fence later.
    LearnsBeforeItsFence,
    /// A new shard that has a ledger from earlier keeps its progress.
    KeepsOldLedger,
}

struct Change {
    to: usize,
    faults: u8,
    broken: Broken,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    /// How many events have been committed.
    committed: u8,
    row: Orders,
    asked: bool,
    ledgers: [Ledger; MOST_SHARDS],
    lives: Vec<Life>,
    /// The consumer's row is locked by one who is about to take this step.
    meeting: Option<(Meeting, usize)>,
    faults: u8,
    /// As bits.
    recorded: u8,
    wrong: Option<&'static str>,
}

/// What the consumer's row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Orders {
    shards: usize,
    stop: Stop,
    revision: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Stop {
    Nowhere,
    Here,
    At(u8),
}

/// The last checkpoint of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
struct Ledger {
    /// Everything up to this is done, in a window that ends there, and beyond it those, as bits.
    progress: u8,
    window: u8,
    beyond: u8,
    stopped: bool,
}

/// What a task of some worker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Life {
    shard: usize,
    orders: Option<Orders>,
    /// The last checkpoint of the shard is its own; `None` while it has not appended any.
    current: Option<bool>,
    progress: u8,
    beyond: u8,
    /// Where its windows end: the one in which its progress is, and those read ahead, as bits.
    windows: u8,
    in_flight: u8,
    said: bool,
    mark: Option<u8>,
    met: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Meeting {
    Barrier { mark: u8 },
    Switch { at: u8 },
}

fn key_of(event: u8) -> u8 {
    match event {
        0 => 0,
        ROW => 2,
        _ => 1,
    }
}

/// Of two shards the second has only the row; then every key goes to another, or all to the first.
fn shard_of(event: u8, shards: usize) -> usize {
    match (key_of(event), shards) {
        (_, 1) => 0,
        (key, 2) => usize::from(key == 2),
        (key, _) => 2 - usize::from(key),
    }
}

fn bit(event: u8) -> u8 {
    1 << event
}

impl Life {
    /// How far it has read.
    fn cursor(&self) -> u8 {
        (0..=EVENTS).rev().find(|end| self.windows & bit(*end) != 0).unwrap_or(self.progress)
    }

    fn has_stopped(&self) -> bool {
        match self.orders.map(|orders| orders.stop) {
            Some(Stop::Nowhere) => false,
            Some(Stop::At(barrier)) => self.cursor() == barrier,
            Some(Stop::Here) | None => true,
        }
    }

    /// What it may handle next; in the order of each key.
    fn due(&self, world: &World, broken: Broken) -> Vec<u8> {
        // Taken over where it is to stop, it reads nothing, not even the rest of its window.
        let told = self.orders.filter(|orders| orders.stop != Stop::Here);
        let rows_only = broken == Broken::RowsWhileStopped;
        let Some(orders) = told.or(self.orders.filter(|_| rows_only)) else { return Vec::new() };
        let is_mine = |event: &u8| shard_of(*event, orders.shards) == self.shard;
        let is_free = |event: &u8| (self.beyond | self.in_flight) & bit(*event) == 0;
        let mut due: Vec<u8> = Vec::new();
        let upto = if told.is_some() { self.cursor() } else { 0 };
        for event in (self.progress..upto).filter(is_mine).filter(is_free) {
            let same_key = |other: u8| key_of(other) == key_of(event);
            let runs = (0..EVENTS).any(|other| self.in_flight & bit(other) != 0 && same_key(other));
            if !runs && !due.iter().any(|other| same_key(*other)) {
                due.push(event);
            }
        }
        let takes_rows = !self.has_stopped() || broken == Broken::RowsWhileStopped;
        let row_is_there = world.recorded & bit(ROW) == 0;
        let row =
            Some(ROW).filter(|row| takes_rows && row_is_there && is_mine(row) && is_free(row));
        due.extend(row);
        due
    }

    /// The checkpoint with everything in flight; closed windows are left behind.
    fn checkpoint(&mut self) -> Ledger {
        self.beyond |= self.in_flight & !bit(ROW);
        self.in_flight = 0;
        let shards = self.orders.map_or(1, |orders| orders.shards);
        while self.progress < self.cursor()
            && (shard_of(self.progress, shards) != self.shard
                || self.beyond & bit(self.progress) != 0)
        {
            self.beyond &= !bit(self.progress);
            self.progress += 1;
        }
        self.windows &= !(bit(self.progress + 1) - 1);
        let window = (0..=EVENTS).find(|end| self.windows & bit(*end) != 0);
        Ledger {
            progress: self.progress,
            window: window.unwrap_or(self.progress),
            beyond: self.beyond,
            stopped: false,
        }
    }
}

impl World {
    fn handle(&mut self, life: usize, event: u8) {
        if self.recorded & bit(event) != 0 {
            self.wrong = Some(REPEATED);
        }
        self.lives[life].in_flight |= bit(event);
    }

    fn record(&mut self, index: usize, stopped: bool) {
        let mut life = self.lives[index];
        for event in (0..=ROW).filter(|event| life.in_flight & bit(*event) != 0) {
            if self.recorded & bit(event) != 0 {
                self.wrong = Some(TWICE);
            }
            self.recorded |= bit(event);
        }
        let checkpoint = Ledger { stopped, ..life.checkpoint() };
        self.ledgers[life.shard] = checkpoint;
        life.said = stopped;
        self.lives[index] = life;
    }

    /// From here on, whoever ran the shard collides.
    fn fence(&mut self, shard: usize) -> Ledger {
        for life in self.lives.iter_mut().filter(|life| life.shard == shard) {
            life.current = life.current.map(|_| false);
        }
        self.ledgers[shard].stopped = false;
        self.ledgers[shard]
    }

    fn all_have_stopped(&self) -> bool {
        self.ledgers[..self.row.shards].iter().all(|ledger| ledger.stopped)
    }
}

impl Change {
    fn take_over_steps(&self, world: &World, next: &mut Next<World>) {
        let early = self.broken == Broken::LearnsBeforeItsFence;
        for shard in 0..world.row.shards {
            let mut of_shard = world.lives.iter().filter(|life| life.shard == shard);
            let is_run = of_shard.clone().any(|life| life.current != Some(false));
            if of_shard.by_ref().count() >= 2 || is_run && world.faults == 0 {
                continue;
            }
            next.step(world, ("takes over shard", shard), |to| {
                to.faults -= u8::from(is_run);
                let orders = early.then_some(to.row);
                to.lives.push(Life {
                    shard,
                    orders,
                    current: None,
                    progress: 0,
                    beyond: 0,
                    windows: 0,
                    in_flight: 0,
                    said: false,
                    mark: None,
                    met: false,
                });
                if !early {
                    Self::append_fence(to, to.lives.len() - 1);
                }
            });
        }
    }

    fn append_fence(world: &mut World, life: usize) {
        let shard = world.lives[life].shard;
        let Ledger { progress, window, beyond, .. } = world.fence(shard);
        let windows = if window > progress { bit(window) } else { 0 };
        let current = Some(true);
        let new = Life { current, progress, windows, beyond, ..world.lives[life] };
        world.lives[life] = new;
    }

    fn life_steps(&self, world: &World, index: usize, next: &mut Next<World>) {
        let life = &world.lives[index];
        let shard = life.shard;
        if life.current.is_none() {
            return next.step(world, ("appends its fence to shard", shard), |to| {
                Self::append_fence(to, index);
            });
        }
        let Some(orders) = life.orders else {
            return next.step(world, ("learns what it was told, shard", shard), |to| {
                to.lives[index].orders = Some(to.row);
            });
        };
        let end = match orders.stop {
            _ if self.broken == Broken::BarrierIgnored => world.committed,
            Stop::Nowhere => world.committed,
            Stop::Here => 0,
            Stop::At(barrier) => barrier,
        };
        if life.cursor() < end {
            next.step(world, ("opens a window, shard", shard), |to| {
                to.lives[index].windows |= bit(end);
            });
        }
        for event in life.due(world, self.broken) {
            let step = ("handles, by shard and event", shard * 10 + usize::from(event));
            next.step(world, step, |to| to.handle(index, event));
        }
        let mut recorded = *life;
        let changes = recorded.checkpoint();
        let is_news = life.in_flight != 0 || changes.progress != life.progress;
        if is_news {
            next.step(world, ("records, shard", shard), |to| {
                to.record(index, false);
            });
        }
        // One that notices the change, or was taken over: once what ran has been recorded.
        let is_over = orders.revision != world.row.revision;
        if is_over && life.in_flight == 0 {
            next.step(world, ("ends, of shard", shard), |to| {
                to.lives.remove(index);
            });
        }
        if world.faults > 0 {
            next.step(world, ("dies, of shard", shard), |to| {
                to.faults -= 1;
                to.lives.remove(index);
            });
        }
        self.meeting_steps(world, index, is_news, next);
    }

    /// Says that it has stopped, marks the log, and looks whether all have.
    fn meeting_steps(&self, world: &World, index: usize, is_news: bool, next: &mut Next<World>) {
        let life = &world.lives[index];
        let shard = life.shard;
        if life.said {
            if life.met {
                return;
            }
            if life.mark.is_none() {
                // Only once it has seen that all have stopped: see `operations/reshard.rs`.
                let may = world.all_have_stopped() || self.broken == Broken::MarkTooOld;
                let step = if may { "marks the log, shard" } else { "sees that others run, shard" };
                next.step(world, (step, shard), |to| {
                    to.lives[index].mark = may.then_some(to.committed);
                    to.lives[index].met = !may;
                });
            } else if world.meeting.is_none() {
                next.step(world, ("looks, shard", shard), |to| self.look(to, index));
            }
            return;
        }
        let is_done = life.due(world, Broken::Nothing).is_empty();
        let changes = life.orders.is_some_and(|orders| orders.stop != Stop::Nowhere);
        if changes && life.has_stopped() && life.in_flight == 0 && !is_news {
            let queued =
                life.cursor() > life.progress && life.orders.map(|o| o.stop) != Some(Stop::Here);
            if is_done && !queued {
                next.step(world, ("says that it has stopped, shard", shard), |to| {
                    to.record(index, true);
                });
            }
        }
    }

    fn look(&self, world: &mut World, index: usize) {
        let life = &mut world.lives[index];
        let (mark, shard) = (life.mark.take().unwrap_or(0), life.shard);
        life.met = true;
        let all = world.all_have_stopped() || self.broken == Broken::OneIsEnough;
        let meeting = match world.row.stop {
            Stop::Here if all => Some(Meeting::Barrier { mark }),
            Stop::At(at) => {
                let old = &world.ledgers[..world.row.shards];
                let there = |ledger: &Ledger| ledger.progress == at && ledger.beyond == 0;
                let there = old.iter().all(there) || self.broken == Broken::OneIsEnough;
                (all && there).then_some(Meeting::Switch { at })
            }
            _ => None,
        };
        world.meeting = meeting.map(|meeting| (meeting, shard));
    }

    fn commit(&self, world: &mut World, meeting: Meeting) {
        if world.lives.iter().any(|life| life.current == Some(true) && life.in_flight != 0) {
            world.wrong = Some(CUT_OFF);
        }
        world.row.revision += 1;
        let old = world.row.shards;
        match meeting {
            Meeting::Barrier { mark } => {
                let mut at = mark;
                for shard in 0..old {
                    let Ledger { window, .. } = world.fence(shard);
                    at = at.max(window);
                }
                world.row.stop = Stop::At(at);
            }
            Meeting::Switch { at } => {
                for shard in 0..old.max(self.to) {
                    world.fence(shard);
                    if shard >= old && self.broken != Broken::KeepsOldLedger {
                        world.ledgers[shard] =
                            Ledger { progress: at, window: at, beyond: 0, stopped: false };
                    }
                }
                (world.row.shards, world.row.stop) = (self.to, Stop::Nowhere);
            }
        }
    }
}

impl Model for Change {
    type State = World;

    fn initial(&self) -> World {
        // The third was a shard before, when there were more of them.
        let ledgers = [Ledger::default(); MOST_SHARDS];
        World {
            committed: 1,
            row: Orders { shards: 2, stop: Stop::Nowhere, revision: 0 },
            asked: false,
            ledgers,
            lives: Vec::new(),
            meeting: None,
            faults: self.faults,
            recorded: 0,
            wrong: None,
        }
    }

    fn steps(&self, world: &World, next: &mut Next<World>) {
        if world.committed < EVENTS {
            next.step(world, ("commits an event", usize::from(world.committed)), |to| {
                to.committed += 1;
            });
        }
        if !world.asked {
            next.step(world, ("asks for shards", self.to), |to| {
                to.asked = true;
                to.row.stop = Stop::Here;
                to.row.revision += 1;
            });
        }
        self.take_over_steps(world, next);
        for index in 0..world.lives.len() {
            self.life_steps(world, index, next);
        }
        if let Some((meeting, shard)) = world.meeting {
            next.step(world, ("commits the next step", 0), |to| {
                to.meeting = None;
                self.commit(to, meeting);
            });
            if world.faults > 0 {
                next.step(world, ("dies before it commits", 0), |to| {
                    to.meeting = None;
                    to.faults -= 1;
                    to.lives.retain(|life| life.shard != shard || !life.met);
                });
            }
        }
        // One that was taken over can only collide, or look once more whether all have stopped. And
        // lives are interchangeable.
        next.each(|to| {
            to.lives.retain(|life| life.current != Some(false) || life.said && !life.met);
            to.lives.sort_unstable();
        });
    }

    fn wrong(&self, world: &World) -> Option<&'static str> {
        world.wrong
    }

    /// The change is over, and everything is recorded.
    fn is_goal(&self, world: &World) -> bool {
        let all = bit(EVENTS + 1) - 1;
        world.asked
            && (world.row.shards, world.row.stop) == (self.to, Stop::Nowhere)
            && world.recorded == all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(to: usize, faults: u8, broken: Broken) -> Change {
        Change { to, faults, broken }
    }

    #[test]
    fn model_of_a_change_of_shards_holds_for_more() {
        holds("2 shards to 3", &change(3, 0, Broken::Nothing));
    }

    #[test]
    fn model_of_a_change_of_shards_holds_for_fewer() {
        holds("2 shards to 1, with a fault", &change(1, 1, Broken::Nothing));
    }

    #[test]
    fn model_of_a_change_of_shards_rejects_what_is_broken() {
        for (to, broken, because) in [
            (1, Broken::MarkTooOld, LOST),
            (1, Broken::OneIsEnough, CUT_OFF),
            (1, Broken::BarrierIgnored, CUT_OFF),
            (1, Broken::RowsWhileStopped, CUT_OFF),
            (1, Broken::LearnsBeforeItsFence, CUT_OFF),
            (3, Broken::KeepsOldLedger, REPEATED),
        ] {
            let faults = u8::from(broken == Broken::LearnsBeforeItsFence);
            is_rejected(&format!("{broken:?}"), &change(to, faults, broken), because);
        }
    }
}
