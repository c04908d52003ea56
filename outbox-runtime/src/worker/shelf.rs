//! Pages of the log that several consumers of this worker want: one reads them for all.
//!
//! Consumers of one event whose progress is the same would be given the same page. The first of them that
//! asks reads it; the others wait for it, or find it here. That is as safe as reading: a page says what was
//! in the log when it was read, and where the next one begins, whoever read it; to be given an older one is
//! to have read a little earlier. (So who has to know more than it may say reads for itself: see
//! `Shard::read`. Once they have shared a page they share the next one, too.)
//!
//! What tells two of them apart, though they have read the same, is that they have opened their windows at
//! different times. Who reads a page for itself and finds another one here, with the same events, goes on where
//! that one ends, if [`Progress::joins`] allows it.
//!
//! Only of one thing an older page knows too little: that there is nothing more. That is believed if no bell
//! has rung since the page was asked for: what one was woken for had been committed by then. Otherwise one
//! takes the page, and looks again where it ends.
//!
//! A page is here until as many have taken it as this worker has other consumers of the event (some of which
//! may be anywhere). Those that come later than [`MOST`] newer ones, or than [`LONGEST`], read for themselves.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::shard::PAGE_BYTES;
use crate::event::Position;
use crate::store::{Page, Progress, Slice};

/// So many pages of one part of the log are here at most.
const MOST: usize = 8;

/// A page that is older is not given to anybody.
const LONGEST: Duration = Duration::from_secs(1);

/// How long to wait for somebody else's.
const PATIENCE: Duration = Duration::from_millis(500);

/// The pages of all parts of the log that this worker reads.
pub(crate) struct Shelf<P> {
    /// How many consumers of this worker there are of an event.
    consumers: HashMap<&'static str, usize>,
    parts: Mutex<HashMap<Part, VecDeque<Shelved<P>>>>,
}

/// What a page is read of: as much of a [`Slice`] as a store looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Part {
    event_name: &'static str,
    shard: u32,
    shards: u32,
    not_before: Option<DateTime<Utc>>,
}

/// A page that somebody reads, or has read.
struct Shelved<P> {
    at: P,
    limit: u32,
    /// How often the bell had rung before it was asked for.
    rings: u64,
    since: Instant,
    page: watch::Receiver<Option<Arc<Put<P>>>>,
    /// How many have not taken it.
    untaken: usize,
}

/// A shard that reads a part of the log.
pub(crate) struct Reader<P> {
    shelf: Arc<Shelf<P>>,
    part: Part,
    /// How many others may want what this one reads.
    others: usize,
}

/// How a reader comes to its page.
pub(crate) enum Way<P> {
    /// It reads it itself.
    Read(Option<Shared<P>>),
    /// Somebody else does, or has.
    Wait(Awaited<P>),
}

/// Where a page goes that others may want. Dropped without one, they read for themselves.
pub(crate) struct Shared<P>(watch::Sender<Option<Arc<Put<P>>>>);

/// A page that was read.
struct Put<P> {
    page: Page<P>,
    /// Of its payloads.
    bytes: usize,
}

/// The page of somebody else.
pub(crate) struct Awaited<P> {
    page: watch::Receiver<Option<Arc<Put<P>>>>,
    is_current: bool,
}

impl<P: Progress> Shelf<P> {
    /// For consumers of these events.
    pub(crate) fn of(events: impl IntoIterator<Item = &'static str>) -> Self {
        let mut consumers = HashMap::new();
        for event in events {
            *consumers.entry(event).or_default() += 1;
        }
        Self { consumers, parts: Mutex::default() }
    }

    /// Reads a part of the log from now on.
    pub(crate) fn reader(self: &Arc<Self>, slice: &Slice) -> Reader<P> {
        let &Slice { event_name, shard, shards, not_before, .. } = slice;
        let others = self.consumers.get(event_name).map_or(0, |consumers| consumers - 1);
        let part = Part { event_name, shard, shards, not_before };
        Reader { shelf: Arc::clone(self), part, others }
    }

    /// Throws away what is old.
    pub(crate) fn tidy(&self) {
        self.retain(Shelved::is_worth_keeping);
    }

    /// Throws away whatever was read.
    pub(crate) fn clear(&self) {
        self.retain(Shelved::is_being_read);
    }

    fn retain(&self, keep: impl Fn(&Shelved<P>) -> bool) {
        self.parts().retain(|_, pages| {
            pages.retain(&keep);
            !pages.is_empty()
        });
    }

    fn parts(&self) -> MutexGuard<'_, HashMap<Part, VecDeque<Shelved<P>>>> {
        // Nothing in here can panic half-way, so a poisoned lock is as good as any.
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Progress> Shelved<P> {
    fn is_worth_keeping(&self) -> bool {
        match self.put() {
            // A reader that is given nothing would ask for it again and again.
            Some(put) => self.since.elapsed() < LONGEST && !put.page.end.is_same(&put.page.start),
            None => self.is_being_read(),
        }
    }

    fn is_being_read(&self) -> bool {
        // As long as it is, somebody holds the other end.
        self.put().is_none() && self.page.has_changed().is_ok()
    }

    fn bytes(&self) -> usize {
        self.put().map_or(0, |put| put.bytes)
    }

    /// The page, if it is here. (A borrow of the channel that lasts would be in the way of the next one:
    /// whoever puts the page may wait in between.)
    fn put(&self) -> Option<Arc<Put<P>>> {
        self.page.borrow().clone()
    }
}

impl<P: Progress> Reader<P> {
    /// How to come to the page that begins at a progress; the bell has rung so often.
    pub(crate) fn look(&self, at: &P, limit: u32, rings: u64) -> Way<P> {
        if self.others == 0 {
            return Way::Read(None);
        }
        let mut parts = self.shelf.parts();
        let pages = parts.entry(self.part.clone()).or_default();
        pages.retain(Shelved::is_worth_keeping);
        let is_it = |shelved: &Shelved<P>| shelved.limit == limit && shelved.at.is_same(at);
        if let Some(index) = pages.iter().position(is_it) {
            let shelved = &mut pages[index];
            let page = shelved.page.clone();
            let is_current = shelved.rings == rings;
            shelved.untaken -= 1;
            if shelved.untaken == 0 {
                pages.remove(index);
            }
            return Way::Wait(Awaited { page, is_current });
        }
        let (here, page) = watch::channel(None);
        let since = Instant::now();
        pages.push_back(Shelved {
            at: at.clone(),
            limit,
            rings,
            since,
            page,
            untaken: self.others,
        });
        while pages.len() > MOST || pages.iter().map(Shelved::bytes).sum::<usize>() > PAGE_BYTES {
            pages.pop_front();
        }
        Way::Read(Some(Shared(here)))
    }

    /// Gives a page that was read to the others. If there is one with the same events, it ends where that one
    /// does from now on, so that the next one is the same for both.
    pub(crate) fn put(&self, shared: Shared<P>, page: &mut Page<P>) {
        // One at a time, so that of two that could join one does.
        let parts = self.shelf.parts();
        let others = parts.get(&self.part).into_iter().flatten().filter_map(Shelved::put);
        let joined = others.filter(|_| !page.events.is_empty()).find(|other| {
            let other = &other.page;
            positions(other).eq(positions(page))
                && page.start.joins(&page.end, &other.start, &other.end)
        });
        if let Some(other) = joined {
            page.end = other.page.end.clone();
        }
        shared.put(page);
    }
}

fn positions<P>(page: &Page<P>) -> impl Iterator<Item = Position> {
    page.events.iter().map(|event| event.position)
}

impl<P: Progress> Shared<P> {
    fn put(self, page: &Page<P>) {
        let bytes = page.events.iter().map(|event| event.payload.get().len()).sum();
        self.0.send_replace(Some(Arc::new(Put { page: page.clone(), bytes })));
    }
}

impl<P: Progress> Awaited<P> {
    /// The page, unless whoever was to read it has failed, or takes long: perhaps a connection has fallen
    /// silent, and one's own is well.
    pub(crate) async fn page(mut self) -> Option<Page<P>> {
        let come = timeout(PATIENCE, self.page.wait_for(Option::is_some)).await;
        let put = come.ok()?.ok()?.clone()?;
        let caught_up = put.page.caught_up && self.is_current;
        Some(Page { caught_up, ..put.page.clone() })
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::value::to_raw_value;
    use uuid::Uuid;

    use super::*;
    use crate::event::StoredEvent;
    use crate::headers::Headers;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Place {
        after: Position,
        server: u8,
    }

    impl Progress for Place {
        fn is_same(&self, other: &Self) -> bool {
            self == other
        }

        fn joins(&self, end: &Self, other: &Self, other_end: &Self) -> bool {
            [end, other, other_end].iter().all(|place| place.server == self.server)
        }

        fn at(&self, after: Position) -> Self {
            Self { after, ..*self }
        }

        fn mark(&self) -> Position {
            self.after
        }

        fn end(&self) -> Self {
            self.clone()
        }

        fn rewound(&self, to: Position) -> Self {
            Self { after: self.after.min(to - 1), ..*self }
        }

        fn skipped(&self, to: Position, _now: &Self) -> Self {
            Self { after: self.after.max(to - 1), ..*self }
        }
    }

    const LIMIT: u32 = 2;

    fn at(after: Position) -> Place {
        Place { after, server: 0 }
    }

    /// The page of the two events after a position.
    fn page_after(after: Position, caught_up: bool) -> Page<Place> {
        let event = |position| StoredEvent {
            position,
            id: Uuid::nil(),
            name: "a".to_owned(),
            version: 1,
            key: None,
            payload: to_raw_value(&1).expect("a number is JSON"),
            headers: Headers::default(),
            created_at: DateTime::UNIX_EPOCH,
        };
        let events = [after + 1, after + 2].map(event).map(Arc::new).into();
        let (start, end, now) = (at(after), at(after + 2), DateTime::UNIX_EPOCH);
        Page { events, start, end, caught_up, now }
    }

    fn readers<const N: usize>() -> (Arc<Shelf<Place>>, [Reader<Place>; N]) {
        let shelf = Arc::new(Shelf::of(["a"; N]));
        let readers = std::array::from_fn(|_| shelf.reader(&Slice::whole("a")));
        (shelf, readers)
    }

    fn pages(shelf: &Shelf<Place>) -> usize {
        shelf.parts().values().map(VecDeque::len).sum()
    }

    fn to_read(way: Way<Place>) -> Shared<Place> {
        match way {
            Way::Read(Some(shared)) => shared,
            Way::Read(None) => panic!("others want it"),
            Way::Wait(_) => panic!("nobody reads it"),
        }
    }

    fn to_wait_for(way: Way<Place>) -> Awaited<Place> {
        match way {
            Way::Wait(page) => page,
            Way::Read(_) => panic!("somebody reads it"),
        }
    }

    #[tokio::test]
    async fn one_reads_for_all_of_them() {
        let (shelf, [first, second, third]) = readers();
        let reading = to_read(first.look(&at(0), LIMIT, 0));
        let waits = to_wait_for(second.look(&at(0), LIMIT, 0));
        reading.put(&page_after(0, false));
        let finds = to_wait_for(third.look(&at(0), LIMIT, 5));
        assert_eq!(pages(&shelf), 0, "each of them has it");
        for page in [waits, finds] {
            let page = page.page().await.expect("a page");
            assert!(positions(&page).eq([1, 2]));
            assert_eq!(page.end, at(2));
        }
    }

    #[tokio::test]
    async fn whoever_waits_for_one_that_fails_reads_itself() {
        let (_, [first, second, third]) = readers();
        let reading = to_read(first.look(&at(0), LIMIT, 0));
        let one = to_wait_for(second.look(&at(0), LIMIT, 0));
        let other = to_wait_for(third.look(&at(0), LIMIT, 0));
        drop(reading);
        assert!(one.page().await.is_none() && other.page().await.is_none());
        to_read(second.look(&at(0), LIMIT, 0)).put(&page_after(0, false));
        assert!(to_wait_for(third.look(&at(0), LIMIT, 0)).page().await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_long_reads_itself() {
        let (_, [first, second]) = readers();
        let _reading = to_read(first.look(&at(0), LIMIT, 0));
        assert!(to_wait_for(second.look(&at(0), LIMIT, 0)).page().await.is_none());
    }

    #[tokio::test]
    async fn few_bytes_are_kept() {
        let (shelf, [first, _]) = readers();
        for page in 0..4 {
            let mut read = page_after(page * 2, false);
            let payload = to_raw_value(&"a".repeat(PAGE_BYTES / 2 - 10)).expect("JSON");
            read.events = read.events.into_iter().take(1).collect();
            Arc::get_mut(&mut read.events[0]).expect("nobody has it").payload = payload;
            to_read(first.look(&at(page * 2), LIMIT, 0)).put(&read);
        }
        to_read(first.look(&at(8), LIMIT, 0));
        assert_eq!(pages(&shelf), 3, "two with half as much as there may be, and the new one");
        shelf.clear();
        assert_eq!(pages(&shelf), 0);
    }

    /// It was read before what the bell has rung for.
    #[tokio::test]
    async fn that_there_is_no_more_is_believed_only_if_no_bell_has_rung() {
        let (_, [first, second, third]) = readers();
        let reading = to_read(first.look(&at(0), LIMIT, 7));
        let same = to_wait_for(second.look(&at(0), LIMIT, 7));
        let rung = to_wait_for(third.look(&at(0), LIMIT, 8));
        reading.put(&page_after(0, true));
        assert!(same.page().await.expect("a page").caught_up);
        let page = rung.page().await.expect("a page");
        assert_eq!((page.events.len(), page.caught_up), (2, false));
        to_read(third.look(&page.end, LIMIT, 8));
    }

    #[tokio::test]
    async fn a_page_that_leads_nowhere_is_given_only_to_those_who_wait_for_it() {
        let (shelf, [first, second, third]) = readers();
        let reading = to_read(first.look(&at(0), LIMIT, 7));
        let waits = to_wait_for(second.look(&at(0), LIMIT, 7));
        reading.put(&Page::nothing(at(0), DateTime::UNIX_EPOCH));
        assert!(waits.page().await.expect("a page").caught_up);
        shelf.tidy();
        assert_eq!(pages(&shelf), 0);
        to_read(third.look(&at(0), LIMIT, 8));
    }

    #[tokio::test]
    async fn nobody_is_given_the_page_of_another_place() {
        let (shelf, [first, second]) = readers();
        to_read(first.look(&at(0), LIMIT, 0)).put(&page_after(0, false));
        let restarted = Place { after: 0, server: 1 };
        to_read(second.look(&at(1), LIMIT, 0));
        to_read(second.look(&restarted, LIMIT, 0));
        to_read(second.look(&at(0), LIMIT + 1, 0));
        let second_shard = shelf.reader(&Slice { shard: 1, shards: 2, ..Slice::whole("a") });
        to_read(second_shard.look(&at(0), LIMIT, 0));
    }

    #[tokio::test]
    async fn who_was_given_the_same_from_elsewhere_goes_on_where_the_other_does() {
        let (_, [first, second, third]) = readers();
        to_read(first.look(&at(1), LIMIT, 0)).put(&page_after(1, false));
        let from = |start: Place, first: Position| {
            let mut page = page_after(first - 1, false);
            page.end = Place { after: 100, ..start };
            Page { start, ..page }
        };
        let joined = |start, first| {
            let mut page = from(start, first);
            let shared = to_read(second.look(&page.start, LIMIT, 0));
            second.put(shared, &mut page);
            page.end
        };
        assert_eq!(joined(at(0), 2), at(3), "as they have the same events");
        assert_eq!(joined(at(-1), 1), at(100), "one of its events is another one");
        let restarted = Place { after: 0, server: 1 };
        assert_eq!(joined(restarted.clone(), 2), Place { after: 100, ..restarted });
        let mut nothing = Page::nothing(at(0), DateTime::UNIX_EPOCH);
        third.put(to_read(third.look(&at(9), LIMIT, 0)), &mut nothing);
        assert_eq!(nothing.end, at(0));
    }

    #[tokio::test]
    async fn nothing_is_kept_for_one_alone() {
        let (shelf, [only]) = readers();
        assert!(matches!(only.look(&at(0), LIMIT, 0), Way::Read(None)));
        assert_eq!(pages(&shelf), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn few_pages_are_kept_and_not_for_long() {
        let (shelf, [first, second]) = readers();
        let most = Position::try_from(MOST).expect("a small number");
        for page in 0..=most {
            to_read(first.look(&at(page * 2), LIMIT, 0)).put(&page_after(page * 2, false));
        }
        assert_eq!(pages(&shelf), MOST);
        to_read(second.look(&at(0), LIMIT, 0));
        to_wait_for(second.look(&at(most * 2), LIMIT, 0));
        tokio::time::advance(LONGEST).await;
        let reading = to_read(second.look(&at(most * 2 - 2), LIMIT, 0));
        assert_eq!(pages(&shelf), 1, "the one that is being read");
        drop(reading);
        shelf.tidy();
        assert!(shelf.parts().is_empty());
    }
}
