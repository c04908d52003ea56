//! Events that were read and wait for a handler, in their order.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use crate::event::{Position, StoredEvent};

/// An event on its way to the consumer.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) event: Arc<StoredEvent>,
    /// Attempts made before.
    pub(crate) attempts: u32,
    pub(crate) source: Source,
    /// When it was queued.
    pub(crate) since: Instant,
}

/// Where an item came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Read from the log; has no row.
    Log,
    /// A delivery row that was due.
    Row {
        /// Its last attempt killed a worker, so the next one is recorded before it begins.
        crashed: bool,
    },
    /// A delivery row whose attempt has been recorded as begun.
    Begun,
}

impl Item {
    pub(crate) fn position(&self) -> Position {
        self.event.position
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.event.key.as_deref()
    }

    /// The number of the attempt that is made now.
    pub(crate) fn attempt(&self) -> u32 {
        match self.source {
            Source::Begun => self.attempts,
            Source::Log | Source::Row { .. } => self.attempts + 1,
        }
    }

    pub(crate) fn has_row(&self) -> bool {
        self.source != Source::Log
    }
}

/// First in, first out; where ordered, one at a time of each key.
#[derive(Debug)]
pub(crate) struct Queue {
    ordered: bool,
    ready: VecDeque<Item>,
    /// For each key that has an item in `ready` or in a handler: the items behind it.
    behind: HashMap<String, VecDeque<Item>>,
    len: usize,
}

impl Queue {
    pub(crate) fn new(ordered: bool) -> Self {
        Self { ordered, ready: VecDeque::new(), behind: HashMap::new(), len: 0 }
    }

    /// How many items wait, including those behind another of their key.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, item: Item) {
        self.len += 1;
        if let Some(key) = self.key_of(&item) {
            if let Some(behind) = self.behind.get_mut(key) {
                behind.push_back(item);
                return;
            }
            self.behind.insert(key.to_owned(), VecDeque::new());
        }
        self.ready.push_back(item);
    }

    /// Puts items back that were popped and not begun, before all others and in their order.
    pub(crate) fn put_back(&mut self, items: Vec<Item>) {
        self.len += items.len();
        for item in items.into_iter().rev() {
            self.ready.push_front(item);
        }
    }

    /// The next item that may start.
    pub(crate) fn pop(&mut self) -> Option<Item> {
        let item = self.ready.pop_front()?;
        self.len -= 1;
        Some(item)
    }

    /// The item that would be popped next.
    pub(crate) fn peek(&self) -> Option<&Item> {
        self.ready.front()
    }

    /// How many items may start now.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// An item that was popped is done with: the next of its key may start. (Of one that was not, the
    /// key may be in a handler at this moment.)
    pub(crate) fn done(&mut self, item: &Item) {
        let Some(key) = self.key_of(item) else { return };
        let Some(behind) = self.behind.get_mut(key) else { return };
        match behind.pop_front() {
            Some(next) => self.ready.push_back(next),
            None => {
                self.behind.remove(key);
            }
        }
    }

    /// The item holds its key back: returns those behind it. If it was popped, it is still to be
    /// [`done`](Self::done) with.
    pub(crate) fn hold(&mut self, item: &Item) -> VecDeque<Item> {
        let Some(key) = item.key() else { return VecDeque::new() };
        let behind = if self.ordered {
            self.behind.get_mut(key).map(std::mem::take).unwrap_or_default()
        } else {
            let ready = std::mem::take(&mut self.ready);
            let (behind, others) = ready.into_iter().partition(|other| other.key() == Some(key));
            self.ready = others;
            behind
        };
        self.len -= behind.len();
        behind
    }

    fn key_of<'a>(&self, item: &'a Item) -> Option<&'a str> {
        if self.ordered { item.event.key.as_deref() } else { None }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::headers::Headers;

    pub(in crate::worker) fn item(position: Position, key: Option<&str>) -> Item {
        Item {
            event: Arc::new(StoredEvent {
                position,
                id: uuid::Uuid::nil(),
                name: "a".to_owned(),
                version: 1,
                key: key.map(str::to_owned),
                payload: serde_json::value::to_raw_value(&1).expect("a number is JSON"),
                headers: Headers::default(),
                created_at: chrono::Utc::now(),
            }),
            attempts: 0,
            source: Source::Log,
            since: Instant::now(),
        }
    }

    fn pop(queue: &mut Queue) -> Option<Position> {
        queue.pop().map(|item| item.position())
    }

    #[tokio::test]
    async fn events_of_one_key_come_one_after_another_and_other_keys_pass() {
        let mut queue = Queue::new(true);
        for (position, key) in
            [(1, Some("a")), (2, Some("a")), (3, Some("b")), (4, None), (5, None)]
        {
            queue.push(item(position, key));
        }
        assert_eq!(queue.len(), 5);
        assert_eq!(pop(&mut queue), Some(1));
        assert_eq!(pop(&mut queue), Some(3));
        assert_eq!(pop(&mut queue), Some(4));
        assert_eq!(pop(&mut queue), Some(5));
        assert_eq!(pop(&mut queue), None);
        queue.done(&item(1, Some("a")));
        assert_eq!(pop(&mut queue), Some(2));
        assert_eq!(queue.len(), 0);
    }

    #[tokio::test]
    async fn a_held_key_gives_up_what_is_behind_it() {
        let mut queue = Queue::new(true);
        for position in 1..=3 {
            queue.push(item(position, Some("a")));
        }
        let first = queue.pop().expect("one is ready");
        let behind: Vec<_> = queue.hold(&first).iter().map(Item::position).collect();
        assert_eq!(behind, [2, 3]);
        assert_eq!(queue.len(), 0);
        queue.done(&first);
        queue.push(item(4, Some("a")));
        assert_eq!(pop(&mut queue), Some(4));
    }

    /// As one that is not wanted, or whose `when` panicked.
    #[tokio::test]
    async fn an_event_that_never_came_into_the_queue_lets_nobody_overtake() {
        let mut queue = Queue::new(true);
        queue.push(item(1, Some("a")));
        let first = queue.pop().expect("one is ready");
        queue.push(item(2, Some("a")));
        let behind: Vec<_> = queue.hold(&item(3, Some("a"))).iter().map(Item::position).collect();
        assert_eq!(behind, [2]);
        queue.push(item(3, Some("a")));
        assert_eq!(pop(&mut queue), None, "the first is still being handled");
        queue.done(&first);
        assert_eq!(pop(&mut queue), Some(3));
    }

    #[tokio::test]
    async fn without_order_keys_do_not_matter() {
        let mut queue = Queue::new(false);
        queue.push(item(1, Some("a")));
        queue.push(item(2, Some("a")));
        assert_eq!((pop(&mut queue), pop(&mut queue)), (Some(1), Some(2)));
    }
}
