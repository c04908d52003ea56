//! Emitters that go on whatever happens, and remember what they were told about each transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use outbox_runtime::{Outbox, Result};
use outbox_tests::victim::PingV2;
use outbox_tests::{Db, Ping};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::scene::{Emits, Scene};

const EMITTERS: u64 = 2;
/// Enough for every shard to have some.
const KEYS: u64 = 64;

/// Emitters at work.
pub(crate) struct Load {
    stop: CancellationToken,
    /// The number of the next event.
    next: Arc<AtomicU64>,
    emitters: JoinSet<Book>,
}

/// What became of what was emitted.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Committed, as the database said.
    pub(crate) committed: Vec<u64>,
    /// Rolled back, or never committed.
    pub(crate) undone: Vec<u64>,
    /// The commit failed, and whether it was before or after the fact is not known.
    pub(crate) unknown: Vec<u64>,
}

impl Load {
    /// Starts emitting, a few hundred events a second.
    pub(crate) fn start<DB: Db>(scene: &Scene<DB>, seed: u64) -> Self {
        Self::emit(&scene.outbox, seed, |_| false)
    }

    /// The same, where some events are of the second version.
    pub(crate) fn emit<DB: Db>(
        outbox: &Outbox<Emits, DB>,
        seed: u64,
        is_new: impl Fn(u64) -> bool + Clone + Send + 'static,
    ) -> Self {
        let stop = CancellationToken::new();
        let next = Arc::new(AtomicU64::new(1));
        let mut emitters = JoinSet::new();
        for number in 0..EMITTERS {
            let emitter = Emitter {
                outbox: outbox.clone(),
                number,
                next: Arc::clone(&next),
                random: fastrand::Rng::with_seed(seed * EMITTERS + number),
                is_new: is_new.clone(),
                book: Book::default(),
            };
            emitters.spawn(emitter.run(stop.clone()));
        }
        Self { stop, next, emitters }
    }

    /// Waits until so many more events were emitted.
    pub(crate) async fn until_emitted(&self, more: u64) {
        let enough = self.next.load(Ordering::Relaxed) + more;
        let emitted = || async { self.next.load(Ordering::Relaxed) >= enough };
        outbox_tests::wait::until("the emitters to emit", emitted).await;
    }

    /// Stops; returns what was emitted by all.
    pub(crate) async fn stop(self) -> Book {
        self.stop.cancel();
        let books = outbox_tests::wait::for_signal("the emitters", self.emitters.join_all()).await;
        let mut all = Book::default();
        for book in books {
            all.committed.extend(book.committed);
            all.undone.extend(book.undone);
            all.unknown.extend(book.unknown);
        }
        all
    }
}

/// One after another, each with keys of its own, so that the events of a key are numbered in the
/// order in which they were committed.
struct Emitter<DB: Db, N> {
    outbox: Outbox<Emits, DB>,
    number: u64,
    next: Arc<AtomicU64>,
    random: fastrand::Rng,
    is_new: N,
    book: Book,
}

/// How a transaction ended.
enum End {
    Committed,
    Undone,
    Unknown,
}

impl<DB: Db, N: Fn(u64) -> bool> Emitter<DB, N> {
    async fn run(mut self, stop: CancellationToken) -> Book {
        while !stop.is_cancelled() {
            let count = self.random.u64(1..=4);
            let first = self.next.fetch_add(count, Ordering::Relaxed);
            let numbers = first..first + count;
            match self.transact(numbers.clone().collect()).await {
                Ok(End::Committed) => self.book.committed.extend(numbers),
                Ok(End::Undone) => self.book.undone.extend(numbers),
                Ok(End::Unknown) => self.book.unknown.extend(numbers),
                Err(_) => {
                    // Before the commit, so nothing of it is there.
                    self.book.undone.extend(numbers);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(self.random.u64(5..15))).await;
        }
        self.book
    }

    async fn transact(&mut self, numbers: Vec<u64>) -> Result<End> {
        let mut tx = self.outbox.begin().await?;
        for number in numbers {
            let key = format!("k{}", self.random.u64(0..KEYS / EMITTERS) * EMITTERS + self.number);
            if (self.is_new)(number) {
                self.outbox.emit(&mut tx, PingV2 { key: Some(key), number }).await?;
            } else {
                self.outbox.emit(&mut tx, Ping::keyed(&key, number)).await?;
            }
        }
        if self.random.u8(..) < 25 {
            tx.rollback().await?;
            return Ok(End::Undone);
        }
        Ok(if tx.commit().await.is_ok() { End::Committed } else { End::Unknown })
    }
}
