//! What has been handled of what was read: contiguous progress, and the positions beyond it.
//!
//! Pages are read in order and handled in any order. A checkpoint may say "everything up to here"
//! only as far as nothing before is unfinished; what is finished beyond that is listed by position,
//! so that a restart repeats none of it. The list is bounded by what is read ahead.

use std::collections::{BTreeSet, VecDeque};

use crate::event::Position;
use crate::store::{Page, Progress};

#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq, Hash))]
pub(crate) struct Tracker<P> {
    /// Where the first of the pages begins: everything before is handled.
    base: P,
    /// Of the first page, everything up to this position is handled. By itself, since progress costs
    /// more to make than to ask for.
    reached: Option<Position>,
    pages: VecDeque<TrackedPage<P>>,
    /// Handled by a worker before us, beyond its progress; dropped as they are read again.
    recovered: BTreeSet<Position>,
}

#[derive(Clone, Debug)]
#[cfg_attr(test, derive(PartialEq, Eq, Hash))]
struct TrackedPage<P> {
    start: P,
    end: P,
    /// Positions in ascending order, and whether each is handled.
    slots: VecDeque<(Position, bool)>,
}

impl<P: Progress> Tracker<P> {
    pub(crate) fn new(base: P, recovered: Vec<Position>) -> Self {
        let recovered = recovered.into_iter().collect();
        Self { base, reached: None, pages: VecDeque::new(), recovered }
    }

    /// Takes note of a page; returns for each of its events whether it is still to be handled.
    pub(crate) fn read(&mut self, page: &Page<P>) -> Vec<bool> {
        let mut slots = VecDeque::with_capacity(page.events.len());
        let mut unhandled = Vec::with_capacity(page.events.len());
        for event in &page.events {
            let handled = self.recovered.remove(&event.position);
            slots.push_back((event.position, handled));
            unhandled.push(!handled);
        }
        self.pages.push_back(TrackedPage {
            start: page.start.clone(),
            end: page.end.clone(),
            slots,
        });
        self.settle();
        unhandled
    }

    /// Takes note that the event at this position is handled, or has a delivery row.
    pub(crate) fn complete(&mut self, position: Position) {
        for page in &mut self.pages {
            if let Ok(index) = page.slots.binary_search_by_key(&position, |slot| slot.0) {
                page.slots[index].1 = true;
                break;
            }
        }
        self.settle();
    }

    /// What a checkpoint says: everything before the progress is handled, and these positions.
    pub(crate) fn checkpoint(&self) -> (P, Vec<Position>) {
        let beyond = self.pages.iter().flat_map(|page| &page.slots).filter(|slot| slot.1);
        let completed = beyond.map(|slot| slot.0).chain(self.recovered.iter().copied());
        (self.progress(), completed.collect())
    }

    /// Whether the worker before had done with this position, and it was not read again yet.
    pub(crate) fn is_recovered(&self, position: Position) -> bool {
        self.recovered.contains(&position)
    }

    /// How far the contiguous progress has come, as a measure.
    pub(crate) fn mark(&self) -> Position {
        self.progress().mark()
    }

    /// Everything before this is handled.
    fn progress(&self) -> P {
        match (self.reached, self.pages.front()) {
            (Some(reached), Some(page)) => page.start.at(reached),
            _ => self.base.clone(),
        }
    }

    fn settle(&mut self) {
        while let Some(page) = self.pages.front_mut() {
            while let Some((position, true)) = page.slots.front() {
                self.reached = Some(*position);
                page.slots.pop_front();
            }
            if !page.slots.is_empty() {
                return;
            }
            self.base = page.end.clone();
            self.reached = None;
            self.pages.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::Utc;
    use serde::{Deserialize, Serialize};
    use uuid::Uuid;

    use super::*;
    use crate::event::StoredEvent;
    use crate::headers::Headers;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Plain(Position);

    impl Progress for Plain {
        fn is_same(&self, other: &Self) -> bool {
            self == other
        }

        fn at(&self, position: Position) -> Self {
            Self(position)
        }

        fn mark(&self) -> Position {
            self.0
        }

        fn end(&self) -> Self {
            self.clone()
        }

        fn rewound(&self, to: Position) -> Self {
            Self(self.0.min(to - 1))
        }

        fn skipped(&self, to: Position, now: &Self) -> Self {
            Self(self.0.max(now.0.min(to - 1)))
        }
    }

    fn page(start: Position, positions: &[Position], end: Position) -> Page<Plain> {
        let events = positions.iter().map(|position| StoredEvent {
            position: *position,
            id: Uuid::nil(),
            name: "a".to_owned(),
            version: 1,
            key: None,
            payload: serde_json::value::to_raw_value(&1).expect("a number is JSON"),
            headers: Headers::default(),
            created_at: Utc::now(),
        });
        Page {
            events: events.map(Arc::new).collect(),
            start: Plain(start),
            end: Plain(end),
            caught_up: false,
            now: Utc::now(),
        }
    }

    #[test]
    fn progress_stops_before_the_first_unfinished_event() {
        let mut tracker = Tracker::new(Plain(0), vec![]);
        assert_eq!(tracker.read(&page(0, &[1, 2, 3], 9)), [true, true, true]);
        tracker.complete(2);
        assert_eq!(tracker.checkpoint(), (Plain(0), vec![2]));
        tracker.complete(1);
        assert_eq!(tracker.checkpoint(), (Plain(2), vec![]));
        tracker.complete(3);
        assert_eq!(tracker.checkpoint(), (Plain(9), vec![]));
    }

    #[test]
    fn pages_are_finished_in_their_order() {
        let mut tracker = Tracker::new(Plain(0), vec![]);
        tracker.read(&page(0, &[5], 9));
        tracker.read(&page(9, &[2, 12], 20));
        tracker.complete(2);
        tracker.complete(12);
        assert_eq!(tracker.checkpoint(), (Plain(0), vec![2, 12]));
        tracker.complete(5);
        assert_eq!(tracker.checkpoint(), (Plain(20), vec![]));
    }

    #[test]
    fn an_empty_page_moves_on_by_itself() {
        let mut tracker = Tracker::new(Plain(0), vec![]);
        tracker.read(&page(0, &[], 500));
        assert_eq!(tracker.checkpoint(), (Plain(500), vec![]));
    }

    #[test]
    fn what_a_worker_before_us_handled_is_not_handled_again_nor_forgotten() {
        let mut tracker = Tracker::new(Plain(0), vec![3, 4]);
        assert_eq!(tracker.checkpoint(), (Plain(0), vec![3, 4]));
        assert_eq!(tracker.read(&page(0, &[1, 3], 3)), [true, false]);
        assert_eq!(tracker.checkpoint(), (Plain(0), vec![3, 4]));
        tracker.complete(1);
        assert_eq!(tracker.checkpoint(), (Plain(3), vec![4]));
        assert_eq!(tracker.read(&page(3, &[4], 4)), [false]);
        assert_eq!(tracker.checkpoint(), (Plain(4), vec![]));
    }
}
