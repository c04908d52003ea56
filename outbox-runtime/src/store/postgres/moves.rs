//! Moving a reader back, on, or to a common end with others.
//!
//! What a reader has before it is: the *late* transactions of `done`, at any position (in an open
//! window, above `after`), and what is *new*, above `high` (or `after`). Moving changes that set and
//! nothing else: an event that was unread and is not meant stays unread, also one whose transaction
//! commits later with a position drawn long ago.

use std::collections::BTreeSet;

use super::window::{Window, WindowProgress, late};
use crate::event::Position;
use crate::store::Progress;

/// A measure of when a snapshot was taken. Of two snapshots of one server, the later has the greater
/// `xmax`; where they are the same, transactions have only ended since.
pub(super) fn age(snapshot: &str) -> (u64, std::cmp::Reverse<usize>) {
    let mut parts = snapshot.splitn(3, ':').skip(1);
    let xmax = parts.next().and_then(|xmax| xmax.parse().ok()).unwrap_or(0);
    let in_progress =
        parts.next().map_or(0, |xip| xip.split(',').filter(|id| !id.is_empty()).count());
    (xmax, std::cmp::Reverse(in_progress))
}

/// Everything from `to` on is before the reader, and what was before it already.
///
/// `next` is 0 then: every transaction is above it, so what is *new* is every event above `high`, and
/// `high` is the position before `to`. What is unread below `to` is *late*: the list of those
/// transactions becomes the `done` of the new progress, in the form of a snapshot.
pub(super) fn rewound(progress: &WindowProgress, to: Position) -> WindowProgress {
    if to > progress.new_after() {
        return progress.clone();
    }
    let (unread, window) = match &progress.window {
        // Everything below `to` that is visible in `upto` has been read.
        Some(window) if to <= window.after => (late(&window.upto, window.next), None),
        // The window has not come to `to` yet: it goes on where it is.
        window => (late(&progress.done, progress.next), window.clone()),
    };
    let server = progress.server;
    WindowProgress { done: snapshot_of(unread), next: 0, high: to - 1, window, server }
}

/// What `now` sees and lies before `to` is behind the reader: it is in a window to `now` and has read
/// it as far as that. What `now` does not see will be late, at any position.
pub(super) fn skipped(
    progress: &WindowProgress,
    to: Position,
    now: &WindowProgress,
) -> WindowProgress {
    let ahead = progress.end();
    let now = if age(&ahead.done) > age(&now.done) { ahead } else { now.clone() };
    if to > now.high {
        return now;
    }
    let read = progress.window.as_ref().map_or(0, |window| window.after);
    if to - 1 <= read {
        return progress.clone();
    }
    let window = Window { upto: now.done, next: now.next, high: now.high, after: to - 1 };
    WindowProgress { window: Some(window), ..progress.clone() }
}

/// The progress of a reader that goes on to `barrier` and no further; `None` where it has come to it.
pub(super) fn towards(
    progress: &WindowProgress,
    barrier: &WindowProgress,
) -> Option<WindowProgress> {
    if progress.window.is_some() {
        return Some(progress.clone());
    }
    if progress == barrier {
        return None;
    }
    let WindowProgress { done: upto, next, high, .. } = barrier.clone();
    let window = Some(Window { upto, next, high, after: 0 });
    Some(WindowProgress { window, ..progress.clone() })
}

/// Whether a reader that read a page on its way from `start` to `end` may go on from `other_end`, to which another
/// one came from `other_start` and was given the same events: then neither has read anything that the other
/// has not.
///
/// Each came from a mark, which the end of the other sees all of. So an event that only one of them had read
/// there is visible at the end of the other, which was given it, or comes to it later in its window. It was
/// not given it, since the first would have been, too. Later there is none: whatever a mark sees lies at or
/// below its `high`, and both have read as far as that.
pub(super) fn joins(
    (start, end): (&WindowProgress, &WindowProgress),
    (other_start, other_end): (&WindowProgress, &WindowProgress),
) -> bool {
    let is_mark = |start: &WindowProgress| {
        start.next > 0 && start.window.as_ref().is_none_or(|window| window.after == 0)
    };
    let sees_all_of = |end: &WindowProgress, start: &WindowProgress| {
        let end = end.end();
        end.server == start.server && end.high >= start.high && sees_all_of(&end.done, &start.done)
    };
    let high = start.high.max(other_start.high);
    let has_passed = |end: &WindowProgress| match &end.window {
        Some(window) => window.after >= high,
        None => true,
    };
    is_mark(start)
        && is_mark(other_start)
        && end.window.is_some() == other_end.window.is_some()
        && has_passed(end)
        && has_passed(other_end)
        && [start, other_start].iter().all(|start| sees_all_of(end, start))
        && [start, other_start].iter().all(|start| sees_all_of(other_end, start))
}

/// Whether everything that is visible in one snapshot is visible in this one of the same server.
fn sees_all_of(snapshot: &str, other: &str) -> bool {
    let (ended, other_ended) = (age(snapshot).0, age(other).0);
    let unseen: BTreeSet<u64> = late(other, 0).into_iter().collect();
    other_ended <= ended
        && late(snapshot, 0).iter().all(|id| *id >= other_ended || unseen.contains(id))
}

/// A snapshot in which just these transactions are in progress.
fn snapshot_of(mut in_progress: Vec<u64>) -> String {
    in_progress.sort_unstable();
    in_progress.dedup();
    let (Some(first), Some(last)) = (in_progress.first(), in_progress.last()) else {
        return WindowProgress::beginning().done;
    };
    let list: Vec<String> = in_progress.iter().map(u64::to_string).collect();
    format!("{first}:{}:{}", last + 1, list.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A transaction with one event: its id, when it began (and got its id), its position, when it
    /// drew that, and when it commits.
    #[derive(Clone, Copy)]
    struct Written {
        tx: u64,
        begun: u32,
        position: Position,
        drawn: u32,
        committed: u32,
    }

    struct Log {
        events: Vec<Written>,
    }

    impl Log {
        fn random(random: &mut fastrand::Rng) -> Self {
            let mut events: Vec<Written> = (0..30)
                .map(|n| {
                    let begun = n * 2;
                    let drawn = begun + 1 + random.u32(0..12);
                    let committed = drawn + 1 + random.u32(0..30);
                    // The odd ids are the readers'.
                    Written { tx: u64::from(n) * 2 + 10, begun, position: 0, drawn, committed }
                })
                .collect();
            events.sort_by_key(|event| event.drawn);
            for (position, event) in (1..).zip(&mut events) {
                event.position = position;
            }
            Self { events }
        }

        /// The mark that a reader takes at this moment, all in one instant.
        fn mark(&self, now: u32) -> WindowProgress {
            let begun = || self.events.iter().filter(|event| event.begun <= now);
            let completed = begun().filter(|event| event.committed <= now);
            let xmax = completed.map(|event| event.tx + 1).max().unwrap_or(10);
            let open = begun().filter(|event| event.committed > now && event.tx < xmax);
            let mut open: Vec<u64> = open.map(|event| event.tx).collect();
            open.sort_unstable();
            let list: Vec<String> = open.iter().map(u64::to_string).collect();
            let xmin = open.first().copied().unwrap_or(xmax);
            let next = begun().map(|event| event.tx + 1).max().unwrap_or(10);
            let drawn = self.events.iter().filter(|event| event.drawn <= now);
            let high = drawn.map(|event| event.position).max().unwrap_or(0);
            WindowProgress::seen(format!("{xmin}:{xmax}:{}", list.join(",")), next, high)
        }

        fn sees(snapshot: &str, tx: u64) -> bool {
            let xmax: u64 = snapshot.split(':').nth(1).unwrap().parse().unwrap();
            tx < xmax && !late(snapshot, 0).contains(&tx)
        }

        /// What a reader still has before it, by the definition in window.rs.
        fn unread(&self, progress: &WindowProgress) -> BTreeSet<Position> {
            let late = late(&progress.done, progress.next);
            let read_in_window = |tx, position| {
                progress
                    .window
                    .as_ref()
                    .is_some_and(|window| position <= window.after && Self::sees(&window.upto, tx))
            };
            self.events
                .iter()
                .filter(|Written { tx, position, .. }| {
                    let is_late =
                        late.contains(tx) && *position <= progress.late_upto(Position::MAX);
                    let is_new = *tx > progress.next && *position > progress.high;
                    assert!(!(is_late && is_new), "{tx} comes twice in {progress:?}");
                    (is_late || is_new) && !read_in_window(*tx, *position)
                })
                .map(|event| event.position)
                .collect()
        }

        /// The page that a reader at a mark is given at this moment, and where it begins and ends.
        fn page(
            &self,
            start: &WindowProgress,
            now: u32,
            limit: usize,
        ) -> (Vec<Position>, [WindowProgress; 2]) {
            let WindowProgress { done: upto, next, high, .. } = self.mark(now);
            let window = Window { upto, next, high, after: 0 };
            let visible = |position: &Position| {
                let event = self.events.iter().find(|event| event.position == *position);
                Self::sees(&window.upto, event.expect("an event").tx)
            };
            let unread = self.unread(start).into_iter();
            let events: Vec<_> = unread.filter(visible).take(limit).collect();
            let last = events.last().filter(|_| events.len() == limit).copied();
            let opened = WindowProgress { window: Some(window), ..start.clone() };
            let end = opened.clone().advanced(last, high);
            (events, [opened, end])
        }

        /// A reader somewhere: at a mark, or in a window between two.
        fn reader(&self, random: &mut fastrand::Rng) -> WindowProgress {
            let first = random.u32(0..70);
            let mut progress = self.mark(first);
            if random.bool() {
                let WindowProgress { done: upto, next, high, .. } =
                    self.mark(first + random.u32(0..40));
                let after = random.i64(0..=high.max(1));
                progress.window = Some(Window { upto, next, high, after });
            }
            progress
        }
    }

    #[test]
    fn a_reader_that_is_moved_back_has_what_it_had_and_everything_from_there() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..3_000 {
            let log = Log::random(&mut random);
            let reader = log.reader(&mut random);
            let to = random.i64(1..32);
            let mut expected = log.unread(&reader);
            if to <= reader.new_after() {
                let positions = log.events.iter().map(|event| event.position);
                expected.extend(positions.filter(|position| *position >= to));
            }
            assert_eq!(log.unread(&reader.rewound(to)), expected, "{reader:?} to {to}");
        }
    }

    #[test]
    fn a_reader_that_is_moved_back_twice_is_where_the_farther_one_says() {
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..3_000 {
            let log = Log::random(&mut random);
            let reader = log.reader(&mut random);
            let (one, other) = (random.i64(1..32), random.i64(1..32));
            let twice = log.unread(&reader.rewound(one).rewound(other));
            let mut expected = log.unread(&reader.rewound(one));
            expected.extend(log.unread(&reader.rewound(other)));
            assert_eq!(twice, expected, "{reader:?} to {one} and {other}");
        }
    }

    #[test]
    fn a_reader_that_is_moved_on_skips_what_is_committed_and_nothing_else() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..3_000 {
            let log = Log::random(&mut random);
            let reader = log.reader(&mut random);
            let now = log.mark(random.u32(110..150));
            let to = random.i64(1..32);
            let read = reader.window.as_ref().map_or(0, |window| window.after);
            let unread = log.unread(&reader);
            let expected: BTreeSet<_> = log
                .events
                .iter()
                .filter(|Written { tx, position, .. }| {
                    let skipped = *position < to && to - 1 > read && Log::sees(&now.done, *tx);
                    unread.contains(position) && !skipped
                })
                .map(|event| event.position)
                .collect();
            assert_eq!(log.unread(&reader.skipped(to, &now)), expected, "{reader:?} to {to}");
        }
    }

    #[test]
    fn a_reader_goes_to_the_barrier_and_stops_there() {
        let mut random = fastrand::Rng::with_seed(4);
        for _ in 0..3_000 {
            let log = Log::random(&mut random);
            let reader = log.reader(&mut random);
            let other = log.reader(&mut random);
            let barrier = [reader.end(), other.end()]
                .into_iter()
                .max_by_key(|end| age(&end.done))
                .expect("two");
            // At the end of its own window, then at the end of the one to the barrier.
            let Some(window) = towards(&reader.end(), &barrier) else {
                assert_eq!(reader.end(), barrier);
                continue;
            };
            assert_eq!(window.end(), barrier);
            let between: BTreeSet<_> =
                log.unread(&reader.end()).difference(&log.unread(&barrier)).copied().collect();
            let visible = |position: &Position| {
                let event = log.events.iter().find(|event| event.position == *position);
                Log::sees(&barrier.done, event.expect("an event").tx)
            };
            assert!(between.iter().all(visible));
            assert!(log.unread(&window).is_superset(&between));
        }
    }

    #[test]
    fn readers_that_are_given_the_same_join_and_neither_lose_nor_repeat_anything() {
        let mut random = fastrand::Rng::with_seed(5);
        let (mut joined, mut refused) = ([0, 0], 0);
        for _ in 0..20_000 {
            let log = Log::random(&mut random);
            // They have read nearly the same, and read again at nearly the same time.
            let (began, reads) = (random.u32(0..60), random.u32(50..110));
            let [one, other] = std::array::from_fn(|_| log.mark(began + random.u32(0..4)));
            let limit = random.usize(1..12);
            let (events, [start, end]) = log.page(&one, reads + random.u32(0..4), limit);
            let (others, [other_start, other_end]) =
                log.page(&other, reads + random.u32(0..4), limit);
            if events != others || end == other_end {
                continue;
            }
            if !joins((&start, &end), (&other_start, &other_end)) {
                refused += 1;
                continue;
            }
            joined[usize::from(end.window.is_some())] += 1;
            let given: BTreeSet<Position> = events.into_iter().collect();
            let left: BTreeSet<_> = log.unread(&one).difference(&given).copied().collect();
            assert_eq!(log.unread(&other_end), left, "{one:?} {end:?}, {other:?} {other_end:?}");
        }
        assert!(joined.iter().all(|joined| *joined > 50) && refused > 50, "{joined:?} {refused}");
    }

    #[test]
    fn the_later_of_two_snapshots_has_seen_more() {
        let before = WindowProgress::seen("5:9:5,7".to_owned(), 10, 3);
        let ended = WindowProgress::seen("7:9:7".to_owned(), 10, 3);
        let later = WindowProgress::seen("7:12:7,9,10,11".to_owned(), 13, 3);
        assert!(age(&before.done) < age(&ended.done) && age(&ended.done) < age(&later.done));
    }
}
