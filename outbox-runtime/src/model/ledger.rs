//! Leases, take-overs, and the ledger of checkpoints as the fence.
//!
//! Workers take the lease of one shard when it is free or expired, take over by appending a
//! checkpoint, handle events, record them, renew, hand back, crash, and trim the ledger. A record's
//! answer may be lost: then the record may have been applied, or be applied at any later time, or
//! never, and the worker repeats it. Leases expire at any moment, so a worker may always be one
//! that was paused for long. An operator replays from the beginning.
//!
//! Left out: windows and pages (progress is the set of events that are done, and grows by any of
//! them), delivery rows, and the transactions inside the database: a statement happens at once,
//! which the primary key and its waiting guarantee.
//!
//! Bounds: 2 workers and 2 events, and in one exploration either two expiries under a living worker,
//! a lost answer, and a life that collides and starts anew; or one expiry and a lost answer with a
//! crash or a hand-back; or one expiry and a replay. All but the last 2 checkpoints may be trimmed.

use super::{Model, Next, holds, is_rejected};

const WORKERS: usize = 2;
const EVENTS: u8 = 2;
const ALL: u8 = (1 << EVENTS) - 1;
/// Rows before a worker's own that it does not trim.
const KEPT: u8 = 1;
/// Holds the lease of a worker that crashed.
const GONE: u8 = u8::MAX;

const STALE: &str = "a worker that lost the shard recorded something";
const TWICE: &str = "an effect that belongs to its record happened twice";
const REPEATED: &str = "the worker that has the shard handled what was recorded";
const LOST: &str = "from here there is no way to the goal";

/// A way to get it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// Taking over reads the last checkpoint and appends none.
    NoFence,
    /// Progress is one row, and the last to write it wins.
    Overwritten,
    /// Whoever has not noticed the loss of its lease may record.
    OwnClock,
    /// The lease is looked at in the database, and then the record is written.
    LeaseChecked,
    /// The effect's transaction commits, then the record's.
    EffectThenRecord,
    /// The record's transaction commits, then the effect's.
    RecordThenEffect,
    /// A record collides with its own number only.
    OwnNumberOnly,
    /// A record has to follow a checkpoint that is still there, whatever came after.
    FollowsAny,
    /// A repeated record that collides counts as recorded, whoever wrote the other.
    CollisionIsSuccess,
    /// A transaction without an answer is repeated under the next number.
    NextNumber,
}

#[derive(Clone)]
struct Ledger {
    /// `delivery = tx`.
    in_transaction: bool,
    may: Budget,
    broken: Broken,
}

/// How often each thing that goes wrong may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Budget {
    expiries: u8,
    crashes: u8,
    lost_answers: u8,
    hand_backs: u8,
    again: u8,
    replays: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    holder: Option<u8>,
    expired: bool,
    /// Numbers and writers of the checkpoints that are kept.
    rows: Vec<(u8, u8)>,
    /// What the last checkpoint says is done, as bits.
    progress: u8,
    /// The number with which the last take-over began, of whoever may record.
    epoch: u8,
    /// The highest number that was ever used.
    highest: u8,
    /// Effects by event, since the last replay.
    effects: [u8; EVENTS as usize],
    workers: [Worker; WORKERS],
    on_the_wire: Vec<Record>,
    next_name: u8,
    /// Grows with every operation.
    revision: u8,
    may: Budget,
    wrong: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Worker {
    /// Another one after each crash.
    name: u8,
    phase: Phase,
    /// Of the consumer's row, read together with the fence.
    revision: u8,
    epoch: u8,
    seq: u8,
    known: u8,
    /// Handled outside, and not recorded.
    handled: u8,
    /// What is repeated until it is answered.
    frozen: Option<Record>,
    /// Broken variants only: it has looked at its lease, or owes an effect.
    checked: bool,
    owed: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Out,
    Leased,
    Running,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Record {
    writer: u8,
    epoch: u8,
    seq: u8,
    progress: u8,
    /// In the same transaction.
    effects: u8,
}

impl Worker {
    fn new(name: u8) -> Self {
        let phase = Phase::Out;
        let (revision, epoch, seq, known) = (0, 0, 0, 0);
        let (handled, frozen, checked, owed) = (0, None, false, 0);
        Self { name, phase, revision, epoch, seq, known, handled, frozen, checked, owed }
    }

    fn forget(&mut self, phase: Phase) {
        *self = Self { phase, ..Self::new(self.name) };
    }
}

impl World {
    fn last(&self) -> u8 {
        self.rows.iter().map(|row| row.0).max().unwrap_or(0)
    }

    fn append(&mut self, seq: u8, writer: u8) {
        self.rows.push((seq, writer));
        self.rows.sort_unstable();
        self.highest = self.highest.max(seq);
    }

    fn writer_of(&self, seq: u8) -> Option<u8> {
        self.rows.iter().find(|row| row.0 == seq).map(|row| row.1)
    }

    fn add_effects(&mut self, events: u8) {
        for event in 0..EVENTS {
            if events & (1 << event) != 0 {
                let effects = &mut self.effects[event as usize];
                *effects = (*effects + 1).min(2);
            }
        }
    }
}

impl Ledger {
    /// `append_checkpoint.sql`, and what is in the same transaction; whether it was accepted.
    fn write(&self, world: &mut World, record: &Record) -> bool {
        let follows = world.writer_of(record.seq - 1).is_some();
        let is_taken = world.writer_of(record.seq).is_some();
        let refused = match self.broken {
            Broken::Overwritten | Broken::OwnClock | Broken::LeaseChecked => false,
            Broken::OwnNumberOnly => is_taken,
            Broken::FollowsAny => is_taken || !follows,
            _ => is_taken || world.last() > record.seq,
        };
        if refused {
            return false;
        }
        let seq = match self.broken {
            Broken::Overwritten | Broken::OwnClock | Broken::LeaseChecked => world.last() + 1,
            _ => record.seq,
        };
        if seq <= world.highest || record.epoch != world.epoch {
            world.wrong = Some(STALE);
        } else if record.progress & world.progress != world.progress {
            world.wrong = Some("progress went back");
        }
        world.append(seq, record.writer);
        world.progress = record.progress;
        world.add_effects(record.effects);
        if self.in_transaction && world.effects.iter().any(|effects| *effects > 1) {
            world.wrong = world.wrong.or(Some(TWICE));
        }
        true
    }

    fn lease_steps(world: &World, who: usize, next: &mut Next<World>) {
        let worker = &world.workers[who];
        let holds = world.holder == Some(worker.name);
        if worker.phase == Phase::Out && (world.holder.is_none() || world.expired) {
            next.step(world, ("takes the lease", who), |to| {
                to.holder = Some(worker.name);
                to.expired = false;
                to.workers[who].phase = Phase::Leased;
            });
        }
        if worker.phase != Phase::Out && holds && world.expired {
            next.step(world, ("renews the lease", who), |to| to.expired = false);
        }
        if worker.phase != Phase::Out && !holds {
            next.step(world, ("finds its lease lost", who), |to| {
                to.workers[who].forget(Phase::Out);
            });
        }
        let is_clean = worker.handled == 0 && worker.frozen.is_none() && worker.owed == 0;
        if worker.phase == Phase::Running && holds && is_clean && world.may.hand_backs > 0 {
            next.step(world, ("hands the lease back", who), |to| {
                to.may.hand_backs -= 1;
                to.holder = None;
                to.workers[who].forget(Phase::Out);
            });
        }
        if worker.phase != Phase::Out && world.may.crashes > 0 {
            next.step(world, ("crashes and starts again", who), |to| {
                to.may.crashes -= 1;
                if holds {
                    to.holder = Some(GONE);
                }
                to.workers[who] = Worker::new(to.next_name);
                to.next_name += 1;
            });
        }
    }

    fn take_over_steps(&self, world: &World, who: usize, next: &mut Next<World>) {
        let worker = &world.workers[who];
        if worker.phase == Phase::Running && worker.revision != world.revision {
            // It may have nothing to record, and so nothing to collide with.
            next.step(world, ("notices the operation", who), |to| {
                to.workers[who].forget(Phase::Leased);
            });
        }
        // In the same statement: a worker that lost the lease must not throw out who has it.
        let holds = world.holder == Some(world.workers[who].name);
        if world.workers[who].phase != Phase::Leased || !holds {
            return;
        }
        next.step(world, ("takes over", who), |to| {
            let seq = to.last() + u8::from(self.broken != Broken::NoFence);
            if self.broken != Broken::NoFence {
                to.append(seq, to.workers[who].name);
            }
            // Without a checkpoint of its own a life still has a number, to tell whose turn it is.
            to.epoch = if self.broken == Broken::NoFence { to.epoch + 1 } else { seq };
            let name = to.workers[who].name;
            let (epoch, known) = (to.epoch, to.progress);
            let (phase, revision) = (Phase::Running, to.revision);
            to.workers[who] = Worker { phase, revision, epoch, seq, known, ..Worker::new(name) };
        });
    }

    fn handle_steps(&self, world: &World, who: usize, next: &mut Next<World>) {
        let worker = &world.workers[who];
        let free = ALL & !(worker.known | worker.handled);
        if worker.phase != Phase::Running || worker.frozen.is_some() || worker.owed != 0 {
            return;
        }
        let outside = !self.in_transaction || self.broken == Broken::EffectThenRecord;
        // The first of them: which one it is makes no difference to a set.
        for event in (0..EVENTS).filter(|event| free & (1 << event) != 0).take(1) {
            let step = ("handles an event", who);
            next.step(world, step, |to| {
                to.workers[who].handled |= 1 << event;
                if outside {
                    to.add_effects(1 << event);
                }
                let has_it = worker.epoch == to.epoch;
                if !self.in_transaction && has_it && to.progress & (1 << event) != 0 {
                    to.wrong = Some(REPEATED);
                }
                if self.in_transaction && to.effects[event as usize] > 1 {
                    to.wrong = Some(TWICE);
                }
            });
        }
    }

    fn record_steps(&self, world: &World, who: usize, next: &mut Next<World>) {
        let worker = &world.workers[who];
        if worker.phase != Phase::Running {
            return;
        }
        if worker.owed != 0 {
            return next.step(world, ("commits the effect", who), |to| {
                to.add_effects(worker.owed);
                to.workers[who].owed = 0;
            });
        }
        let checks = self.broken == Broken::LeaseChecked && !worker.checked;
        if checks && worker.handled != 0 {
            if world.holder == Some(worker.name) && !world.expired {
                next.step(world, ("sees that it has the lease", who), |to| {
                    to.workers[who].checked = true;
                });
            }
            return;
        }
        let together = self.in_transaction
            && !matches!(self.broken, Broken::EffectThenRecord | Broken::RecordThenEffect);
        let record = worker.frozen.clone().unwrap_or(Record {
            writer: worker.name,
            epoch: worker.epoch,
            seq: worker.seq + 1,
            progress: worker.known | worker.handled,
            effects: if together { worker.handled } else { 0 },
        });
        if worker.handled == 0 {
            return;
        }
        next.step(world, ("records", who), |to| self.record(to, who, &record));
        if world.may.lost_answers > 0 {
            next.step(world, ("records, and gets no answer", who), |to| {
                to.may.lost_answers -= 1;
                to.on_the_wire.push(record.clone());
                let again = Record { seq: record.seq + 1, ..record.clone() };
                let again = if self.broken == Broken::NextNumber { again } else { record };
                to.workers[who].frozen = Some(again);
            });
        }
    }

    /// A record that is answered.
    fn record(&self, world: &mut World, who: usize, record: &Record) {
        let accepted = self.write(world, record);
        let repeated = world.workers[who].frozen.is_some();
        // A unit starts anew instead: what it decided is in the database.
        let succeeded = accepted
            || repeated
                && !self.in_transaction
                && (self.broken == Broken::CollisionIsSuccess
                    || world.writer_of(record.seq) == Some(record.writer));
        let worker = &mut world.workers[who];
        if succeeded {
            if self.broken == Broken::RecordThenEffect {
                worker.owed = worker.handled;
            }
            (worker.seq, worker.known) = (record.seq, record.progress);
            (worker.handled, worker.frozen, worker.checked) = (0, None, false);
        } else if world.may.again > 0 {
            world.may.again -= 1;
            worker.forget(Phase::Leased);
        } else {
            worker.forget(Phase::Out);
        }
    }

    fn outside_steps(&self, world: &World, next: &mut Next<World>) {
        for (index, record) in world.on_the_wire.iter().enumerate() {
            next.step(world, ("a record arrives late", index), |to| {
                to.on_the_wire.remove(index);
                self.write(to, record);
            });
            next.step(world, ("a record never arrives", index), |to| {
                to.on_the_wire.remove(index);
            });
        }
        if let Some(holder) = world.holder.filter(|_| !world.expired) {
            let is_alive = world.workers.iter().any(|w| w.name == holder && w.phase != Phase::Out);
            if !is_alive || world.may.expiries > 0 {
                next.step(world, ("the lease expires", 0), |to| {
                    to.expired = true;
                    to.may.expiries -= u8::from(is_alive);
                });
            }
        }
        if world.may.replays > 0 {
            next.step(world, ("an operator replays", 0), |to| {
                to.may.replays -= 1;
                to.revision += 1;
                let seq = to.last() + 1;
                to.append(seq, GONE);
                // Nobody may record before somebody has taken over.
                to.epoch = seq;
                to.progress = 0;
                to.effects = [0; EVENTS as usize];
            });
        }
    }
}

impl Model for Ledger {
    type State = World;

    fn initial(&self) -> World {
        // Workers are interchangeable: the first has the lease.
        let mut workers = std::array::from_fn(|name| Worker::new(name as u8));
        workers[0].phase = Phase::Leased;
        World {
            holder: Some(0),
            expired: false,
            rows: vec![(0, GONE)],
            progress: 0,
            epoch: 0,
            highest: 0,
            effects: [0; EVENTS as usize],
            workers,
            on_the_wire: Vec::new(),
            next_name: WORKERS as u8,
            revision: 0,
            may: self.may,
            wrong: None,
        }
    }

    fn steps(&self, world: &World, next: &mut Next<World>) {
        for who in 0..WORKERS {
            Self::lease_steps(world, who, next);
            self.take_over_steps(world, who, next);
            self.handle_steps(world, who, next);
            self.record_steps(world, who, next);
            let worker = &world.workers[who];
            let last = worker.seq.saturating_sub(KEPT);
            let old = world.rows.iter().map(|row| row.0).filter(|seq| *seq < last);
            for seq in old.filter(|_| worker.phase == Phase::Running) {
                // One of a minute is kept for longer: so any may be there, and any may not.
                next.step(world, ("trims a checkpoint", usize::from(seq)), |to| {
                    to.rows.retain(|row| row.0 != seq);
                });
            }
        }
        self.outside_steps(world, next);
    }

    fn wrong(&self, world: &World) -> Option<&'static str> {
        world.wrong
    }

    /// Everything is recorded, and has had its effect: once, where the effect is in the record.
    fn is_goal(&self, world: &World) -> bool {
        world.progress == ALL && world.effects.iter().all(|effects| *effects > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A worker is paused beyond its lease, twice, and an answer is lost.
    const PAUSES: Budget =
        Budget { expiries: 2, crashes: 0, lost_answers: 1, hand_backs: 0, again: 1, replays: 0 };
    const CRASH: Budget = Budget { expiries: 1, crashes: 1, again: 0, ..PAUSES };
    const REPLAY: Budget = Budget { expiries: 1, again: 0, lost_answers: 0, replays: 1, ..PAUSES };
    const HAND_BACK: Budget = Budget { expiries: 1, again: 0, hand_backs: 1, ..PAUSES };

    fn ledger(in_transaction: bool, may: Budget, broken: Broken) -> Ledger {
        Ledger { in_transaction, may, broken }
    }

    #[test]
    fn model_of_the_ledger_holds_at_least_once() {
        holds("ledger, pauses", &ledger(false, PAUSES, Broken::Nothing));
        holds("ledger, a crash", &ledger(false, CRASH, Broken::Nothing));
        holds("ledger, a replay", &ledger(false, REPLAY, Broken::Nothing));
        holds("ledger, a hand-back", &ledger(false, HAND_BACK, Broken::Nothing));
    }

    #[test]
    fn model_of_the_ledger_holds_for_effects_in_transactions() {
        holds("ledger, in transactions, pauses", &ledger(true, PAUSES, Broken::Nothing));
        holds("ledger, in transactions, a crash", &ledger(true, CRASH, Broken::Nothing));
        holds("ledger, in transactions, a replay", &ledger(true, REPLAY, Broken::Nothing));
        holds("ledger, in transactions, a hand-back", &ledger(true, HAND_BACK, Broken::Nothing));
    }

    #[test]
    fn model_of_the_ledger_rejects_what_is_broken() {
        for (broken, because) in [
            (Broken::NoFence, STALE),
            (Broken::Overwritten, STALE),
            (Broken::OwnClock, STALE),
            (Broken::LeaseChecked, STALE),
            (Broken::OwnNumberOnly, STALE),
            (Broken::FollowsAny, STALE),
            (Broken::CollisionIsSuccess, STALE),
        ] {
            is_rejected(&format!("{broken:?}"), &ledger(false, PAUSES, broken), because);
        }
        for (broken, because) in [
            (Broken::EffectThenRecord, TWICE),
            (Broken::RecordThenEffect, LOST),
            (Broken::OwnNumberOnly, STALE),
            (Broken::NextNumber, TWICE),
        ] {
            let may = if broken == Broken::OwnNumberOnly { PAUSES } else { CRASH };
            let name = format!("{broken:?}, in transactions");
            is_rejected(&name, &ledger(true, may, broken), because);
        }
    }
}
