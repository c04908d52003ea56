//! Retention: deleting events that are old enough and that no consumer needs, in small ranges from
//! the old end, and saying who keeps the others.
//!
//! It runs on a task of its own, away from what renews leases: a slow deletion delays nothing. Every
//! worker does it; the store lets one at a time delete.
//!
//! What a round looks at is bounded however much is kept. Everything up to `end` has been examined;
//! what is left there is needed by a shard, and lies beyond what that shard had handled. So a round
//! goes on from `end`, and back only to what a shard has handled since. Once in a while it starts at
//! the old end again, for the odd event that was committed behind it, after having been open for
//! longer than events are kept.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::crew::Crew;
use super::outage::over;
use crate::error::Result;
use crate::event::Position;
use crate::store::Store;
use crate::store::retention::{Need, Range};

/// How soon to go on where a round had not enough.
const AGAIN: Duration = Duration::from_secs(1);

const RETAIN: &str = "delete old events";

/// Positions in a range, and ranges in a round.
const POSITIONS: u32 = 1_000;
const RANGES: u32 = 200;

/// How often to begin at the old end.
const AFRESH: Duration = Duration::from_secs(3600);

/// How often to say who keeps old events.
const REMIND: Duration = Duration::from_secs(3600);

/// Looks for old events until told to stop.
pub(in crate::worker) async fn run<S: Store>(crew: Arc<Crew<S>>, stop: CancellationToken) {
    let mut keeper = Keeper::new();
    let mut clock = crew.store.clock().watch();
    let mut watch = crew.outage.watch("deleting old events");
    loop {
        let round = keeper.round(&crew, &stop).await;
        let mut pause = None;
        let mut rest = AGAIN;
        match &round {
            Ok(more) => {
                watch.succeeded();
                if !more {
                    rest = crew.options.retention_interval();
                }
            }
            Err(error) => pause = Some(watch.failed(error)),
        }
        tokio::select! {
            () = sleep(rest), if round.is_ok() => {}
            () = over(&mut pause) => {}
            () = super::shard::moved(&mut clock), if round.is_ok() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// One round, for a worker that does not stay.
pub(in crate::worker) async fn once<S: Store>(crew: &Crew<S>) {
    if let Err(error) = Keeper::new().round(crew, &CancellationToken::new()).await {
        crew.outage.note("deleting old events", &error);
    }
}

/// What a worker remembers between rounds.
struct Keeper {
    sweep: Sweep,
    begun_afresh: Instant,
    told: bool,
    /// Whether anything old was kept when it was last seen, and when that was last said.
    holding: bool,
    reminded: Option<Instant>,
}

impl Keeper {
    fn new() -> Self {
        Self {
            sweep: Sweep::default(),
            begun_afresh: Instant::now(),
            told: false,
            holding: false,
            reminded: None,
        }
    }

    /// Whether there was more than a round may do.
    async fn round<S: Store>(&mut self, crew: &Crew<S>, stop: &CancellationToken) -> Result<bool> {
        let (store, age) = (&crew.store, crew.options.retain);
        if !self.told {
            crew.seated(RETAIN, store.note_retention(age)).await?;
            self.told = true;
        }
        let Some(age) = age else { return Ok(false) };
        if self.begun_afresh.elapsed() >= AFRESH {
            self.begun_afresh = Instant::now();
            self.sweep = Sweep::default();
        }
        let needs = crew.seated(RETAIN, store.needs()).await?;
        self.sweep.begin(&needs);
        for _ in 0..RANGES {
            let Some((after, until)) = self.sweep.next() else { break };
            if stop.is_cancelled() {
                return Ok(false);
            }
            let begun = Instant::now();
            let examining = store.examine_range(&needs, after, until, POSITIONS, age);
            let range = crew.seated(RETAIN, examining).await?;
            if let (1.., Some((first, last))) = (range.deletable, range.bounds) {
                match crew.seated(RETAIN, store.delete_range(first, last, age)).await? {
                    Some(deleted) => tracing::debug!(first, last, deleted, "deleted old events"),
                    // Another worker is at it.
                    None => return Ok(false),
                }
            }
            self.holding |= range.held > 0;
            self.sweep.examined(&range);
            // At most half of the time, so that others get at the database, and on SQLite at its
            // only write lock.
            sleep(begun.elapsed().clamp(Duration::from_millis(1), AGAIN)).await;
        }
        let trimmed = crew.seated(RETAIN, store.trim_audit(age)).await?;
        self.remind(crew).await?;
        Ok(self.sweep.next().is_some() || trimmed >= 10_000)
    }

    /// Names the consumers that keep events from being deleted.
    async fn remind<S: Store>(&mut self, crew: &Crew<S>) -> Result<()> {
        if !self.holding || self.reminded.is_some_and(|at| at.elapsed() < REMIND) {
            return Ok(());
        }
        self.holding = false;
        for consumer in crew.seated(RETAIN, crew.store.stats()).await? {
            if let Some(held) = consumer.holds_retention {
                self.holding = true;
                self.reminded = Some(Instant::now());
                tracing::warn!(
                    consumer = consumer.consumer, events = consumer.lag_events, oldest = ?consumer.lag,
                    beyond_retention = ?held,
                    "a consumer keeps old events from being deleted: let it catch up, or retire it"
                );
            }
        }
        Ok(())
    }
}

/// Which ranges to look at. Pure.
#[derive(Debug, Default)]
struct Sweep {
    /// What is left up to here is needed, by a shard that had handled no more than `handled`.
    end: Position,
    handled: HashMap<Key, Position>,
    /// What shards have handled since: after, and up to.
    redo: Option<(Position, Position)>,
    /// Where this round has come to beyond `end`; `None` where there is no more.
    front: Option<Position>,
    /// An event beyond `end` is too young: it does not move in this round.
    stays: bool,
}

/// A shard, and what it reads: if that changes, it is another one.
type Key = (String, u32, u32, String);

impl Sweep {
    fn begin(&mut self, needs: &[Need]) {
        let key =
            |need: &Need| (need.consumer.clone(), need.shard, need.shards, need.event_name.clone());
        let now: HashMap<Key, Position> =
            needs.iter().map(|need| (key(need), need.handled)).collect();
        for (key, before) in &self.handled {
            // A shard that is no more needs nothing.
            let handled = now.get(key).copied().unwrap_or(Position::MAX).min(self.end);
            if handled > *before {
                let (after, until) = self.redo.unwrap_or((*before, handled));
                self.redo = Some((after.min(*before), until.max(handled)));
            }
        }
        self.handled = now;
        self.front = Some(self.end);
        self.stays = false;
    }

    /// The range to look at: after, and up to.
    fn next(&self) -> Option<(Position, Option<Position>)> {
        match (self.redo, self.front) {
            (Some((after, until)), _) => Some((after, Some(until))),
            (None, Some(front)) => Some((front, None)),
            (None, None) => None,
        }
    }

    fn examined(&mut self, range: &Range) {
        if let Some((_, until)) = self.redo {
            let last = range.bounds.map(|(_, last)| last);
            self.redo = last.filter(|last| *last < until).map(|last| (last, until));
            return;
        }
        let Some((_, last)) = range.bounds else {
            self.front = None;
            return;
        };
        match range.young_from {
            None if !self.stays => self.end = last,
            Some(young) if !self.stays => {
                self.end = young - 1;
                self.stays = true;
            }
            _ => {}
        }
        // Ages follow positions, nearly: there is no more after a range with nothing old.
        self.front = range.old_up_to.map(|_| last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(consumer: &str, handled: Position) -> Need {
        Need {
            consumer: consumer.to_owned(),
            event_name: "a".to_owned(),
            shard: 0,
            shards: 1,
            handled,
            not_before: None,
            late: Vec::new(),
            late_after: 0,
            late_in_window: Vec::new(),
        }
    }

    /// A log of which everything up to `old` is old enough.
    fn look(sweep: &mut Sweep, log: Position, old: Position) -> Vec<(Position, Position)> {
        let mut looked = Vec::new();
        while let Some((after, until)) = sweep.next() {
            let (first, last) = (after + 1, (after + 1_000).min(until.unwrap_or(Position::MAX)));
            let range = Range {
                bounds: (first <= log).then_some((first, last)),
                young_from: (last > old && first <= log).then_some(first.max(old + 1)),
                old_up_to: (first <= old).then_some(last.min(old)),
                ..Range::default()
            };
            looked.extend(range.bounds);
            sweep.examined(&range);
        }
        looked
    }

    #[test]
    fn a_round_goes_on_where_the_last_one_ended() {
        let mut sweep = Sweep::default();
        let needs = [need("a", 10_000)];
        sweep.begin(&needs);
        assert_eq!(look(&mut sweep, 5_000, 1_500), [(1, 1_000), (1_001, 2_000), (2_001, 3_000)]);
        assert_eq!(sweep.end, 1_500);
        sweep.begin(&needs);
        assert_eq!(look(&mut sweep, 5_000, 2_200), [(1_501, 2_500), (2_501, 3_500)]);
        assert_eq!(sweep.end, 2_200);
    }

    #[test]
    fn what_is_kept_is_not_looked_at_again_before_its_shard_has_moved() {
        let mut sweep = Sweep::default();
        sweep.begin(&[need("slow", 100), need("fast", 10_000)]);
        look(&mut sweep, 5_000, 5_000);
        assert_eq!(sweep.end, 5_000);
        sweep.begin(&[need("slow", 100), need("fast", 20_000)]);
        assert_eq!(look(&mut sweep, 5_000, 5_000), []);
        sweep.begin(&[need("slow", 300), need("fast", 20_000)]);
        assert_eq!(look(&mut sweep, 5_000, 5_000), [(101, 300)]);
        // Retired: whatever it kept is free.
        sweep.begin(&[need("fast", 20_000)]);
        let looked = look(&mut sweep, 5_000, 5_000);
        assert_eq!((looked.first(), looked.last()), (Some(&(301, 1_300)), Some(&(4_301, 5_000))));
    }

    #[test]
    fn what_a_replay_needs_again_is_looked_at_once_it_has_been_handled() {
        let mut sweep = Sweep::default();
        sweep.begin(&[need("a", 5_000)]);
        look(&mut sweep, 5_000, 4_000);
        sweep.begin(&[need("a", 2_000)]);
        look(&mut sweep, 5_000, 4_500);
        sweep.begin(&[need("a", 2_500)]);
        assert_eq!(look(&mut sweep, 5_000, 4_500)[0], (2_001, 2_500));
    }

    #[test]
    fn an_event_of_the_future_does_not_hide_older_ones_behind_it() {
        let mut sweep = Sweep::default();
        sweep.begin(&[]);
        let mixed = |first, last, young_from, old_up_to| Range {
            bounds: Some((first, last)),
            young_from,
            old_up_to,
            ..Range::default()
        };
        sweep.examined(&mixed(1, 1_000, Some(500), Some(1_000)));
        assert_eq!(sweep.next(), Some((1_000, None)));
        sweep.examined(&mixed(1_001, 2_000, Some(1_600), Some(1_599)));
        sweep.examined(&mixed(2_001, 3_000, Some(2_001), None));
        assert_eq!(sweep.next(), None);
        sweep.begin(&[]);
        assert_eq!(sweep.next(), Some((499, None)), "the young one is looked at again");
    }
}
