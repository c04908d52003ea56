//! Changing the number of shards while workers run.
//!
//! 1. *Begin*, one transaction: a fence (a checkpoint with the progress of the last) for every shard;
//!    then, in another transaction that reads after these were written, a mark of the log: the
//!    *barrier*; the barrier and the new number into the consumer's row; commit.
//! 2. Whoever takes a shard over learns number, slice and barrier together with its own fence, and
//!    reads up to the barrier. At the barrier, with nothing in flight, it appends a checkpoint that
//!    says *drained*, and from then on starts nothing, delivery rows included.
//! 3. *Switch*, by anybody who finds all shards drained, in one transaction: consumer row locked;
//!    fences for all old shards; checkpoints at the barrier for all new ones, above whatever their
//!    ledgers hold from earlier; the new number; no barrier.
//!
//! The log is a row of events in the order of commits, and grows while all this happens; a mark is
//! how many there are. (Windows make that true of the real log.) One more event failed before and
//! has a delivery row that is due: no barrier holds it back, and it belongs to whoever has its key.
//! Workers are lives of shards: anybody may take any shard over at any time, as leases only
//! decide who tries, and a life that was taken over goes on until it collides. Whoever begins dies,
//! and its transaction is undone, or does not; the switch is tried by two, who look and commit in
//! separate steps.
//!
//! Bounds: 2 events of a key, and the row of another; 2 shards to 3 or to 1; at most 2 lives at a
//! time of a shard, and 1 take-over more than needed.

use super::{Model, Next, holds, is_rejected};

const EVENTS: u8 = 2;
/// The event with a delivery row.
const ROW: u8 = EVENTS;
const MOST_SHARDS: usize = 3;

const TWICE: &str = "two shards, or two lives, both recorded an event";
const REPEATED: &str = "the life that has the shard handled what was recorded";
const CUT_OFF: &str = "the switch cut off a life in the middle of something";
const ORDER: &str = "an event was handled before an earlier one of its key";

/// A way to get it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// The barrier is marked before the fences are written.
    MarkedBeforeFences,
    /// No fences when it begins: lives learn of the barrier when they are taken over.
    BeginsWithoutFences,
    /// Not all shards need have drained.
    SwitchAtOnce,
    /// Drained is said although something is in flight.
    DrainedTooEarly,
    /// A life that has said that it is drained goes on with delivery rows.
    RowsAfterDrained,
    /// The fence of a new life repeats that the shard is drained.
    DrainedIsCopied,
    /// A life reads number and barrier first, and appends its fence later.
    LearnsBeforeItsFence,
    /// The barrier does not keep anybody from reading on.
    BarrierIgnored,
    /// A new shard that has a ledger already keeps its progress.
    KeepsOldLedger,
    /// The switch writes the new shards' checkpoints and fences no shard that is dropped.
    DroppedNotFenced,
}

struct Change {
    to: usize,
    in_transaction: bool,
    /// Take-overs of shards that are run already.
    take_overs: u8,
    broken: Broken,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    /// How many events have been committed.
    committed: u8,
    shards: usize,
    barrier: Option<u8>,
    target: Option<usize>,
    ledgers: [Ledger; MOST_SHARDS],
    lives: Vec<Life>,
    beginning: Beginning,
    switching: [Option<Looked>; 2],
    take_overs: u8,
    /// Bits: what was handled at least once, and what some ledger has recorded.
    handled: u8,
    recorded: u8,
    wrong: Option<&'static str>,
}

/// The last checkpoint of a shard. No ledger yet where `seq` is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
struct Ledger {
    seq: u8,
    /// All events of the shard up to this one are done, and those in `beyond`, as bits.
    progress: u8,
    beyond: u8,
    drained: bool,
}

/// What a task of some worker knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Life {
    shard: usize,
    shards: usize,
    barrier: Option<u8>,
    /// 0 while it has no fence.
    seq: u8,
    progress: u8,
    beyond: u8,
    in_flight: u8,
    said_drained: bool,
}

/// How far whoever begins the change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Beginning {
    Not,
    /// Written and not committed: whoever appends to these ledgers waits.
    Fences,
    Marked(u8),
    /// Broken: marked, and no fences yet.
    MarkedFirst(u8),
    Done,
}

/// The numbers of the last checkpoints, as the one who tries to switch saw them.
type Looked = [u8; MOST_SHARDS];

fn key_of(event: u8) -> u8 {
    u8::from(event == ROW)
}

/// One key moves to a shard that was there and one to a new one, or both to the first.
fn shard_of(event: u8, shards: usize) -> usize {
    match (key_of(event), shards) {
        (_, 1) => 0,
        (key, 2) => usize::from(key),
        (key, _) => 2 - 2 * usize::from(key),
    }
}

impl Life {
    fn is_current(&self, world: &World) -> bool {
        self.seq > 0 && world.ledgers[self.shard].seq == self.seq
    }

    /// What it may handle next; in the order of each key. Nothing once it has said that it is
    /// drained: the switch would cut it off, and a row would be handled twice.
    fn due(&self, world: &World, broken: Broken) -> Vec<u8> {
        if self.said_drained && broken != Broken::RowsAfterDrained {
            return Vec::new();
        }
        let is_mine = |event: &u8| shard_of(*event, self.shards) == self.shard;
        let is_free = |event: &u8| (self.beyond | self.in_flight) & (1 << event) == 0;
        let limit = match self.barrier.filter(|_| broken != Broken::BarrierIgnored) {
            Some(barrier) => barrier.min(world.committed),
            None => world.committed,
        };
        let mut due: Vec<u8> = Vec::new();
        for event in (self.progress..limit).filter(is_mine).filter(is_free) {
            // Only the first of a key, and only when none of the key is in flight.
            let held = |other: u8| key_of(other) == key_of(event);
            let running = (0..=ROW).any(|o| self.in_flight & (1 << o) != 0 && o != ROW && held(o));
            if !running && !due.iter().any(|other| held(*other)) {
                due.push(event);
            }
        }
        let row_is_there = world.recorded & (1 << ROW) == 0;
        due.extend(Some(ROW).filter(is_mine).filter(is_free).filter(|_| row_is_there));
        due
    }

    /// The progress that it would record with everything in flight.
    fn recording(&self, world: &World) -> (u8, u8) {
        let mut beyond = self.beyond | self.in_flight & !(1 << ROW);
        let limit = self.barrier.unwrap_or(world.committed).min(world.committed);
        let mut progress = self.progress;
        let is_done =
            |event: u8| shard_of(event, self.shards) != self.shard || beyond & (1 << event) != 0;
        while progress < limit && is_done(progress) {
            progress += 1;
        }
        beyond &= !((1 << progress) - 1);
        (progress, beyond)
    }
}

impl World {
    fn handle(&mut self, life: usize, event: u8, in_transaction: bool) {
        let is_current = self.lives[life].is_current(self);
        if !in_transaction {
            self.effect(event);
            if is_current && self.recorded & (1 << event) != 0 {
                self.wrong = Some(REPEATED);
            }
        }
        self.lives[life].in_flight |= 1 << event;
    }

    fn effect(&mut self, event: u8) {
        let before = (0..event).filter(|other| event != ROW && key_of(*other) == key_of(event));
        if before.into_iter().any(|other| self.handled & (1 << other) == 0) {
            self.wrong = Some(ORDER);
        }
        self.handled |= 1 << event;
    }

    /// What is in flight is done; whether the ledger took it.
    fn record(&mut self, life: usize, in_transaction: bool, drained: bool) {
        let this = self.lives[life];
        if !this.is_current(self) {
            self.lives.remove(life);
            return;
        }
        let (progress, beyond) = this.recording(self);
        self.ledgers[this.shard] = Ledger { seq: this.seq + 1, progress, beyond, drained };
        for event in (0..=ROW).filter(|event| this.in_flight & (1 << event) != 0) {
            if in_transaction {
                self.effect(event);
            }
            if self.recorded & (1 << event) != 0 {
                self.wrong = Some(TWICE);
            }
            self.recorded |= 1 << event;
        }
        let seq = this.seq + 1;
        self.lives[life] =
            Life { seq, progress, beyond, in_flight: 0, said_drained: drained, ..this };
    }

    fn fence(&mut self, shard: usize) {
        let ledger = &mut self.ledgers[shard];
        *ledger = Ledger { seq: ledger.seq + 1, drained: false, ..*ledger };
    }
}

impl Change {
    fn take_over_steps(&self, world: &World, next: &mut Next<World>) {
        let locked = matches!(world.beginning, Beginning::Fences | Beginning::Marked(_));
        let early = self.broken == Broken::LearnsBeforeItsFence;
        for shard in 0..world.shards {
            let of_shard = |life: &&Life| life.shard == shard;
            let is_run =
                world.lives.iter().any(|life| life.is_current(world) && life.shard == shard);
            let room = world.lives.iter().filter(of_shard).count() < 2;
            if room && (early || !locked) && (!is_run || world.take_overs > 0) {
                next.step(world, ("takes over shard", shard), |to| {
                    to.take_overs -= u8::from(is_run);
                    let (shards, barrier) = (to.shards, to.barrier);
                    to.lives.push(Life {
                        shard,
                        shards,
                        barrier,
                        seq: 0,
                        progress: 0,
                        beyond: 0,
                        in_flight: 0,
                        said_drained: false,
                    });
                    if !early {
                        self.append_fence(to, to.lives.len() - 1);
                    }
                });
            }
        }
        for (index, life) in world.lives.iter().enumerate() {
            if life.seq == 0 && !locked {
                let step = ("appends its fence to shard", life.shard);
                next.step(world, step, |to| self.append_fence(to, index));
            }
        }
    }

    fn append_fence(&self, world: &mut World, life: usize) {
        let shard = world.lives[life].shard;
        let drained = world.ledgers[shard].drained;
        world.fence(shard);
        world.ledgers[shard].drained = drained && self.broken == Broken::DrainedIsCopied;
        let Ledger { seq, progress, beyond, .. } = world.ledgers[shard];
        let new = Life { seq, progress, beyond, ..world.lives[life] };
        world.lives[life] = new;
    }

    fn life_steps(&self, world: &World, index: usize, next: &mut Next<World>) {
        let life = &world.lives[index];
        if life.seq == 0 {
            return;
        }
        for event in life.due(world, self.broken) {
            let step = ("handles, in shard and event", life.shard * 10 + usize::from(event));
            next.step(world, step, |to| to.handle(index, event, self.in_transaction));
        }
        let locked = matches!(world.beginning, Beginning::Fences | Beginning::Marked(_));
        if locked && life.shard < world.shards {
            return;
        }
        if life.in_flight != 0 {
            let step = ("records, in shard", life.shard);
            next.step(world, step, |to| to.record(index, self.in_transaction, false));
        }
        let mut at = *life;
        if self.broken != Broken::DrainedTooEarly {
            at.in_flight = 0;
        }
        let (progress, _) = at.recording(world);
        let is_quiet = life.in_flight == 0 || self.broken == Broken::DrainedTooEarly;
        let reached = life.barrier.is_some_and(|barrier| progress >= barrier);
        if is_quiet && reached && !life.said_drained {
            let step = ("says that it is drained, shard", life.shard);
            next.step(world, step, |to| {
                // Too early: what is in flight stays so.
                let in_flight = to.lives[index].in_flight;
                let before = to.lives.len();
                to.lives[index].in_flight = 0;
                to.record(index, self.in_transaction, true);
                if to.lives.len() == before {
                    to.lives[index].in_flight = in_flight;
                }
            });
        }
        // One that was taken over may end without a collision: its lease is gone, or it dies.
        if !life.is_current(world) {
            next.step(world, ("ends, of shard", life.shard), |to| {
                to.lives.remove(index);
            });
        }
    }

    fn begin_steps(&self, world: &World, next: &mut Next<World>) {
        match world.beginning {
            Beginning::Not if self.broken == Broken::MarkedBeforeFences => {
                next.step(world, ("marks the barrier", 0), |to| {
                    to.beginning = Beginning::MarkedFirst(to.committed);
                });
            }
            Beginning::MarkedFirst(barrier) => {
                next.step(world, ("writes the fences", 0), |to| {
                    to.beginning = Beginning::Marked(barrier);
                });
            }
            Beginning::Not => next.step(world, ("writes the fences", 0), |to| {
                to.beginning = Beginning::Fences;
            }),
            Beginning::Fences => {
                next.step(world, ("marks the barrier", 0), |to| {
                    to.beginning = Beginning::Marked(to.committed);
                });
                next.step(world, ("dies, and the change is undone", 0), |to| {
                    to.beginning = Beginning::Not;
                });
            }
            Beginning::Marked(barrier) => {
                next.step(world, ("commits the beginning of the change", 0), |to| {
                    to.beginning = Beginning::Done;
                    to.barrier = Some(barrier);
                    to.target = Some(self.to);
                    if self.broken != Broken::BeginsWithoutFences {
                        (0..to.shards).for_each(|shard| to.fence(shard));
                    }
                });
            }
            Beginning::Done => {}
        }
    }

    fn switch_steps(&self, world: &World, next: &mut Next<World>) {
        let (Some(barrier), Some(target)) = (world.barrier, world.target) else { return };
        let old = &world.ledgers[..world.shards];
        let ready = old.iter().all(|ledger| ledger.drained) || self.broken == Broken::SwitchAtOnce;
        for who in 0..world.switching.len() {
            match world.switching[who] {
                None if ready => next.step(world, ("finds all drained", who), |to| {
                    to.switching[who] = Some(to.ledgers.map(|ledger| ledger.seq));
                }),
                Some(looked) => next.step(world, ("switches", who), |to| {
                    to.switching[who] = None;
                    // What it appends collides with what was appended since it looked.
                    let fenced = match self.broken {
                        Broken::DroppedNotFenced => to.shards.min(target),
                        _ => to.shards,
                    };
                    if (0..fenced).any(|shard| to.ledgers[shard].seq != looked[shard]) {
                        return;
                    }
                    self.switch(to, barrier, target);
                }),
                None => {}
            }
        }
    }

    fn switch(&self, world: &mut World, barrier: u8, target: usize) {
        if world.lives.iter().any(|life| life.is_current(world) && life.in_flight != 0) {
            world.wrong = Some(CUT_OFF);
        }
        for shard in 0..world.shards.max(target) {
            let ledger = world.ledgers[shard];
            let (kept, drained) = (self.broken == Broken::KeepsOldLedger, false);
            world.ledgers[shard] = if shard < target && !(kept && ledger.seq > 0) {
                Ledger { seq: ledger.seq + 1, progress: barrier, beyond: 0, drained }
            } else if shard >= target && self.broken == Broken::DroppedNotFenced {
                ledger
            } else {
                Ledger { seq: ledger.seq + 1, drained, ..ledger }
            };
        }
        world.shards = target;
        (world.barrier, world.target) = (None, None);
        world.switching = [None; 2];
    }
}

impl Model for Change {
    type State = World;

    fn initial(&self) -> World {
        let mut ledgers = [Ledger { seq: 1, ..Ledger::default() }; MOST_SHARDS];
        if self.to != 3 {
            ledgers[2] = Ledger::default();
        }
        World {
            committed: 1,
            shards: 2,
            barrier: None,
            target: None,
            ledgers,
            lives: Vec::new(),
            beginning: Beginning::Not,
            switching: [None; 2],
            take_overs: self.take_overs,
            handled: 0,
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
        self.take_over_steps(world, next);
        for index in 0..world.lives.len() {
            self.life_steps(world, index, next);
        }
        self.begin_steps(world, next);
        self.switch_steps(world, next);
        // Lives are interchangeable.
        next.each(|to| to.lives.sort_unstable());
    }

    fn wrong(&self, world: &World) -> Option<&'static str> {
        world.wrong
    }

    /// The change is over, and everything is recorded.
    fn is_goal(&self, world: &World) -> bool {
        let all = (1 << (EVENTS + 1)) - 1;
        world.shards == self.to && world.barrier.is_none() && world.recorded == all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(to: usize, in_transaction: bool, broken: Broken) -> Change {
        Change { to, in_transaction, take_overs: 1, broken }
    }

    #[test]
    fn model_of_a_change_of_shards_holds_for_more() {
        holds("2 shards to 3", &change(3, false, Broken::Nothing));
        holds("2 shards to 3, in transactions", &change(3, true, Broken::Nothing));
    }

    #[test]
    fn model_of_a_change_of_shards_holds_for_fewer() {
        holds("2 shards to 1", &change(1, false, Broken::Nothing));
        holds("2 shards to 1, in transactions", &change(1, true, Broken::Nothing));
    }

    #[test]
    fn model_of_a_change_of_shards_rejects_what_is_broken() {
        for (to, broken, because) in [
            (3, Broken::MarkedBeforeFences, REPEATED),
            (3, Broken::BeginsWithoutFences, REPEATED),
            (3, Broken::SwitchAtOnce, CUT_OFF),
            (3, Broken::DrainedTooEarly, CUT_OFF),
            (3, Broken::RowsAfterDrained, CUT_OFF),
            (3, Broken::DrainedIsCopied, CUT_OFF),
            (3, Broken::BarrierIgnored, REPEATED),
            (3, Broken::KeepsOldLedger, REPEATED),
            (1, Broken::DroppedNotFenced, CUT_OFF),
        ] {
            is_rejected(&format!("{broken:?}"), &change(to, false, broken), because);
        }
        let broken = Broken::LearnsBeforeItsFence;
        let model = Change { take_overs: 0, ..change(1, false, broken) };
        is_rejected(&format!("{broken:?}"), &model, TWICE);
    }
}
