//! How many events share a transaction.
//!
//! A commit waits for the disk, for as long as dozens of small handlers take; a transaction that lasts
//! keeps others waiting for its locks, and repeats the more where one of its events fails. So
//! transactions grow while they are short, and shrink where they last.

use std::time::Duration;

/// Events of a shard's first transaction.
const FIRST: u32 = 100;

/// A transaction that took less may take twice as many events.
const SHORT: Duration = Duration::from_millis(20);

/// One that took longer takes half as many.
const LONG: Duration = Duration::from_millis(50);

/// How many events a shard's next transaction takes.
#[derive(Debug)]
pub(in crate::worker) struct UnitSize {
    events: u32,
    most: u32,
}

impl UnitSize {
    pub(in crate::worker) fn new(most: u32) -> Self {
        Self { events: FIRST.min(most), most }
    }

    pub(in crate::worker) fn events(&self) -> usize {
        self.events as usize
    }

    /// A transaction of so many events was committed. One that had fewer than it might says nothing
    /// of how long more would have taken.
    pub(in crate::worker) fn committed(&mut self, events: usize, took: Duration) {
        if took > LONG {
            self.events = (self.events / 2).max(1);
        } else if took < SHORT && events >= self.events() {
            self.events = self.events.saturating_mul(2).min(self.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_grow_while_they_are_short_and_shrink_where_they_last() {
        let mut size = UnitSize::new(500);
        let mut sizes = Vec::new();
        for millis in [5, 19, 5, 30, 51, 51, 1] {
            size.committed(size.events(), Duration::from_millis(millis));
            sizes.push(size.events());
        }
        assert_eq!(sizes, [200, 400, 500, 500, 250, 125, 250]);
    }

    #[test]
    fn what_was_not_full_does_not_grow() {
        let mut size = UnitSize::new(500);
        size.committed(3, Duration::from_millis(1));
        assert_eq!(size.events(), 100);
    }

    #[test]
    fn there_is_at_least_one_and_no_more_than_was_asked_for() {
        let mut size = UnitSize::new(4);
        size.committed(4, Duration::ZERO);
        assert_eq!(size.events(), 4);
        for _ in 0..9 {
            size.committed(size.events(), Duration::from_secs(1));
        }
        assert_eq!(size.events(), 1);
    }
}
