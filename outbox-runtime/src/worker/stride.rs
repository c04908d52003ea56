//! Several attempts in one task, for as long as each ends at once.
//!
//! A task for every event costs more than what a handler does that waits for nothing. So a shard
//! gives a task several events. It begins one after another; where one has to wait, it hands back the
//! others at that moment, so that nobody waits for anybody, and where time is up, it hands back what
//! it has not begun. Handlers that wait therefore get tasks of one event, and those that do not get
//! longer and longer ones.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::attempt::{Frame, attempted};
use super::decide::Ended;
use super::queue::Item;
use crate::consumer::{ConsumerOptions, RunEach};

/// Most events of one task.
const LONGEST: usize = 64;

/// Most events in tasks of a shard, where its handlers' concurrency does not make more of them.
pub(super) const MOST_IN_TASKS: u32 = 128;

/// A task begins no event when it has run for so long: by then it has cost little beside what its
/// handlers did, and others of the process want to run. Nor when the process was frozen meanwhile and
/// somebody else may have the shard.
const SLICE: Duration = Duration::from_micros(200);

/// How many events the next task of a shard gets.
#[derive(Debug)]
pub(super) struct Stride(usize);

impl Stride {
    pub(super) fn new() -> Self {
        Self(1)
    }

    pub(super) fn events(&self) -> usize {
        self.0
    }

    /// A task came back.
    pub(super) fn learn(&mut self, ended_at_once: bool) {
        self.0 = if ended_at_once { (self.0 * 2).min(LONGEST) } else { 1 };
    }
}

/// What a task brings back, at its end or when it has to wait.
pub(super) struct Attempts {
    pub(super) ended: Vec<(Item, Ended)>,
    /// Events that it has not begun.
    pub(super) rest: Vec<Item>,
    /// Whether it had to wait for nothing and was done in time.
    pub(super) at_once: bool,
}

impl Attempts {
    /// How many events it had.
    pub(super) fn len(&self) -> u32 {
        (self.ended.len() + self.rest.len()) as u32
    }
}

/// Handles events one after another. When one has to wait, what ended before and what has not begun
/// are handed back `early`.
pub(super) async fn attempt(
    handler: Arc<dyn RunEach>,
    options: ConsumerOptions,
    items: Vec<Item>,
    stop: CancellationToken,
    early: UnboundedSender<Attempts>,
) -> Attempts {
    let began = Instant::now();
    let mut ended = Vec::with_capacity(items.len());
    let mut at_once = true;
    let mut items = items.into_iter();
    while let Some(item) = items.next() {
        let frame = Frame::new(&options, &item, &stop);
        let handling = handler.run(attempted(&item), frame.context.clone());
        let mut running = pin!(frame.run(handling));
        let verdict = match futures_util::poll!(running.as_mut()) {
            Poll::Ready(verdict) => verdict,
            Poll::Pending => {
                at_once = false;
                let others = Attempts {
                    ended: std::mem::take(&mut ended),
                    rest: items.by_ref().collect(),
                    at_once,
                };
                if others.len() > 0 {
                    // Nobody is there to take them while the shard is being dropped.
                    drop(early.send(others));
                }
                running.await
            }
        };
        ended.push((item, verdict.map_or_else(|ended| ended, Ended::from)));
        at_once &= began.elapsed() < SLICE;
        if !at_once {
            break;
        }
    }
    Attempts { ended, rest: items.collect(), at_once }
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;
    use tokio::sync::mpsc::unbounded_channel;
    use tokio::sync::watch;

    use super::*;
    use crate::consumer::{Attempted, Context, Outcome, Verdict};
    use crate::worker::queue::tests::item;

    /// Waits for `open` at one position, and takes a while at another.
    struct Scripted {
        waits_at: i64,
        takes_long_at: i64,
        open: watch::Sender<bool>,
    }

    impl RunEach for Scripted {
        fn run(&self, attempted: Attempted, _context: Context) -> BoxFuture<'static, Verdict> {
            let position = attempted.event.position;
            let (waits, takes_long) = (position == self.waits_at, position == self.takes_long_at);
            let mut open = self.open.subscribe();
            Box::pin(async move {
                if waits {
                    // The sender outlives the test's task.
                    drop(open.wait_for(|open| *open).await);
                }
                if takes_long {
                    std::thread::sleep(SLICE);
                }
                Ok(Outcome::Done(None))
            })
        }
    }

    async fn five(scripted: Arc<Scripted>, early: UnboundedSender<Attempts>) -> Attempts {
        let items = (1..=5).map(|position| item(position, None)).collect();
        attempt(scripted, ConsumerOptions::new("c"), items, CancellationToken::new(), early).await
    }

    fn scripted(waits_at: i64, takes_long_at: i64) -> Arc<Scripted> {
        Arc::new(Scripted { waits_at, takes_long_at, open: watch::Sender::new(false) })
    }

    fn positions(attempts: &Attempts) -> (Vec<i64>, Vec<i64>) {
        let ended = attempts.ended.iter().map(|(item, _)| item.position()).collect();
        (ended, attempts.rest.iter().map(Item::position).collect())
    }

    // However slow the machine is, time is not up.
    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_a_handler_that_waits() {
        let scripted = scripted(3, 0);
        let (early, mut handed_back) = unbounded_channel();
        let task = tokio::spawn(five(Arc::clone(&scripted), early));
        let others = handed_back.recv().await.expect("the others");
        assert_eq!(positions(&others), (vec![1, 2], vec![4, 5]));
        scripted.open.send_replace(true);
        let last = task.await.expect("an end");
        assert_eq!(positions(&last), (vec![3], vec![]));
        assert!(!others.at_once && !last.at_once);
    }

    #[tokio::test]
    async fn what_has_not_begun_when_time_is_up_is_handed_back() {
        let (early, mut handed_back) = unbounded_channel();
        let attempts = five(scripted(0, 2), early).await;
        let (ended, rest) = positions(&attempts);
        assert!(ended.len() <= 2 && !attempts.at_once, "{ended:?}");
        assert_eq!([ended, rest].concat(), [1, 2, 3, 4, 5]);
        assert!(handed_back.recv().await.is_none());
    }

    #[test]
    fn strides_grow_while_handlers_end_at_once() {
        let mut stride = Stride::new();
        let grown: Vec<_> = (0..8)
            .map(|_| {
                stride.learn(true);
                stride.events()
            })
            .collect();
        assert_eq!(grown, [2, 4, 8, 16, 32, 64, 64, 64]);
        stride.learn(false);
        assert_eq!(stride.events(), 1);
    }
}
