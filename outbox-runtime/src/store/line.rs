//! A connection that somebody keeps from one statement to the next, while there is much to do.
//!
//! What is taken from sqlx's pool is asked whether it is well, asked again when it is given back, and
//! before a record asked by us what it is in: two of three round trips of a read, and three of four of a
//! record, say nothing new while a shard goes on and on. And the pool hands out the connection that has
//! waited longest, so that each statement wakes another process of the server, whose caches have gone
//! cold. So a shard has two lines, one to read by and one to record by, on which a connection stays
//! between two statements, if they follow one another at once. It is given back
//!
//! * after [`A_MOMENT`] without a statement, whatever its shard waits for meanwhile;
//! * when it was away from the pool for [`LONGEST`], so that the pool's own limits hold;
//! * at once when as many are kept as the worker may use at once, or when the pool has no other one that is
//!   idle (whoever takes that one meanwhile leaves the next to wait for a moment), and the worker keeps others,
//!   a quarter of the pool with this one, or that has been so for a quarter of a second. That many stay for so
//!   long, since a reader would wait behind all those who want to emit: a commit that stalls makes a queue of
//!   them, and what was emitted before would be delivered when the queue has gone;
//! * after a statement that failed, or was given up.
//!
//! Between its statements a connection is in no transaction of ours, and one of somebody else, forgotten
//! there, is ended before the second statement, or before it is given back.

// The signatures of `Store` name these types, and `Store` is named by the public `Backend`; the
// module itself is private.
#![allow(unreachable_pub)]

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::Backend;
use super::loan::Loan;

/// How long a connection waits for the next statement of its line.
const A_MOMENT: Duration = Duration::from_millis(10);

/// How long it stays away from the pool, however much there is to do. Not less: Postgres plans a prepared
/// statement anew for each of its first five executions on a connection, which makes them some 2 ms
/// slower; a line that moves on every second to another connection has such a read for every fortieth of
/// 200 events a second.
const LONGEST: Duration = Duration::from_secs(30);

/// A place for one connection. Whoever has a line uses it for one statement at a time.
pub struct Line<DB: Backend> {
    slot: Arc<Slot<DB>>,
    moment: Duration,
}

type Slot<DB> = Mutex<Option<Kept<DB>>>;

/// A connection between two statements.
struct Kept<DB: Backend> {
    held: Held<DB>,
    at: Instant,
    _place: OwnedSemaphorePermit,
    /// Gives it back in a moment.
    _clock: AbortOnDropHandle<()>,
}

/// A connection that a statement of a line runs on; given back on drop.
pub struct Held<DB: Backend> {
    loan: Loan<DB>,
    /// When it was taken from the pool.
    since: Instant,
    /// Since when the pool has had no other one that is idle, as far as anybody has looked.
    last_since: Option<Instant>,
}

impl<DB: Backend> Line<DB> {
    fn lasting(moment: Duration) -> Self {
        Self { slot: Arc::default(), moment }
    }

    /// The connection that was kept. Not if that is long ago: the process may have been frozen since.
    pub(super) fn take(&self) -> Option<Held<DB>> {
        let kept = self.slot().take()?;
        (kept.at.elapsed() <= self.moment * 2).then_some(kept.held)
    }

    /// Keeps a connection whose statement has succeeded, in one of the places for such, unless it has
    /// been away from the pool for too long.
    pub(super) fn keep(&self, held: Held<DB>, place: OwnedSemaphorePermit) {
        if held.since.elapsed() >= LONGEST {
            return;
        }
        // With the last clone of the line, the connection goes as well.
        let (slot, moment) = (Arc::downgrade(&self.slot), self.moment);
        // Before there is a clock, which would otherwise find nothing if this thread is held up.
        let mut kept = self.slot();
        let clock = tokio::spawn(async move {
            sleep(moment).await;
            if let Some(slot) = slot.upgrade() {
                let kept = locked(&slot).take();
                // Not under the lock: giving back runs other code.
                drop(kept);
            }
        });
        let clock = AbortOnDropHandle::new(clock);
        *kept = Some(Kept { held, at: Instant::now(), _place: place, _clock: clock });
    }

    fn slot(&self) -> MutexGuard<'_, Option<Kept<DB>>> {
        locked(&self.slot)
    }
}

fn locked<DB: Backend>(slot: &Slot<DB>) -> MutexGuard<'_, Option<Kept<DB>>> {
    // Nothing in here can panic half-way, so a poisoned lock is as good as any.
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<DB: Backend> Default for Line<DB> {
    fn default() -> Self {
        Self::lasting(A_MOMENT)
    }
}

impl<DB: Backend> Clone for Line<DB> {
    fn clone(&self) -> Self {
        Self { slot: Arc::clone(&self.slot), moment: self.moment }
    }
}

impl<DB: Backend> fmt::Debug for Line<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("is_open", &self.slot().is_some()).finish()
    }
}

impl<DB: Backend> Held<DB> {
    /// A connection that has just come from the pool.
    pub(super) fn new(loan: Loan<DB>) -> Self {
        Self { loan, since: Instant::now(), last_since: None }
    }

    /// Whether the pool has no other one that is idle now; for how long it has had none.
    pub(super) fn others_wait(&mut self, is_last: bool) -> Duration {
        self.last_since = is_last.then(|| self.last_since.unwrap_or_else(Instant::now));
        self.last_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether it is known to be in no transaction.
    pub(super) fn is_free(&self) -> bool {
        self.loan.is_free()
    }

    /// It was asked what it is in.
    pub(super) fn freed(self) -> Self {
        Self { loan: self.loan.freed(), ..self }
    }

    /// Closes it instead of giving it back.
    pub(super) fn discard(self) {
        self.loan.discard();
    }
}

impl<DB: Backend> Deref for Held<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.loan
    }
}

impl<DB: Backend> DerefMut for Held<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.loan
    }
}

#[cfg(test)]
#[cfg(feature = "postgres")]
mod tests {
    use sqlx::{Executor, Postgres};

    use super::*;
    use crate::store::idle_pool::{DEADLINE, IdlePool, process};

    /// A line whose connection does not go away, however slow the machine is.
    fn long() -> Line<Postgres> {
        Line::lasting(DEADLINE * 2)
    }

    impl IdlePool {
        /// Of so many connections, of which so many may be kept.
        async fn keeping(count: u32, kept: usize) -> Self {
            let mut pool = Self::of(count).await;
            pool.connections.keep(kept);
            pool
        }

        /// A statement on a line; returns which server process it ran on.
        async fn statement(&self, line: &Line<Postgres>) -> i32 {
            let mut held = self.connections.on_line(line, true).await.unwrap();
            let process = process(&mut held).await.unwrap();
            self.connections.keep_on(line, held);
            process
        }
    }

    #[tokio::test]
    async fn a_connection_stays_for_the_next_statement() {
        let pool = IdlePool::keeping(3, 2).await;
        let line = long();
        let first = pool.statement(&line).await;
        assert_eq!(pool.pool().num_idle(), 2, "one is kept");
        assert_eq!(pool.statement(&line).await, first);
        assert_ne!(pool.statement(&long()).await, first, "that of another line");
    }

    #[tokio::test]
    async fn a_connection_is_given_back_after_a_moment() {
        let pool = IdlePool::keeping(2, 1).await;
        let line = Line::default();
        pool.statement(&line).await;
        pool.all_are_idle().await;
        assert!(line.take().is_none());
    }

    /// The clock may be late: where the process was frozen, by hours.
    #[tokio::test]
    async fn a_connection_that_was_kept_for_long_is_not_used() {
        let pool = IdlePool::keeping(2, 1).await;
        let line = long();
        pool.statement(&line).await;
        if let Some(kept) = line.slot().as_mut() {
            kept.at = kept.at.checked_sub(DEADLINE * 5).expect("the machine has run for longer");
        }
        assert!(line.take().is_none());
        pool.all_are_idle().await;
    }

    #[tokio::test]
    async fn a_line_that_is_dropped_gives_back() {
        let pool = IdlePool::keeping(2, 1).await;
        let line = long();
        pool.statement(&line).await;
        drop(line);
        pool.all_are_idle().await;
    }

    #[tokio::test]
    async fn the_last_idle_connection_is_not_kept() {
        let pool = IdlePool::keeping(2, 2).await;
        let others = pool.connections.asked().await.unwrap();
        let line = long();
        pool.statement(&line).await;
        assert!(line.take().is_none());
        drop(others);
        pool.all_are_idle().await;
    }

    #[tokio::test]
    async fn a_quarter_is_kept_for_a_while_whoever_waits() {
        let pool = IdlePool::keeping(8, 8).await;
        let (one, other, third) = (long(), long(), long());
        let mut others = Vec::new();
        for _ in 0..6 {
            others.push(pool.connections.asked().await.unwrap());
        }
        // However slow the machine is, others have not waited for long.
        let statement = async |line: &Line<Postgres>| {
            let mut held = pool.connections.on_line(line, true).await.unwrap();
            held.last_since = held.last_since.map(|_| Instant::now() + DEADLINE);
            let process = process(&mut held).await.unwrap();
            pool.connections.keep_on(line, held);
            process
        };
        let (first, second) = (statement(&one).await, statement(&other).await);
        assert_eq!(pool.pool().num_idle(), 0);
        assert_eq!(statement(&one).await, first);
        assert_eq!(statement(&other).await, second);
        assert!(one.slot().is_some() && other.slot().is_some());
        others.pop();
        statement(&third).await;
        assert!(third.take().is_none(), "it would be the third of eight");
        others.push(pool.connections.asked().await.unwrap());
        let mut held = one.take().expect("it was kept");
        held.last_since = Instant::now().checked_sub(DEADLINE);
        pool.connections.keep_on(&one, held);
        assert!(one.take().is_none(), "others have waited for long enough");
    }

    #[tokio::test]
    async fn no_more_are_kept_than_there_are_places() {
        let pool = IdlePool::keeping(4, 1).await;
        let (one, other) = (long(), long());
        pool.statement(&one).await;
        pool.statement(&other).await;
        assert!(other.take().is_none());
        drop(one.take().expect("the first is kept"));
        pool.statement(&other).await;
        assert!(other.take().is_some(), "the place is free again");
    }

    #[tokio::test]
    async fn nothing_stays_away_from_the_pool_for_long() {
        let pool = IdlePool::keeping(2, 1).await;
        let line = long();
        let mut held = pool.connections.on_line(&line, true).await.unwrap();
        held.since = Instant::now().checked_sub(LONGEST).expect("the machine has run for longer");
        pool.connections.keep_on(&line, held);
        assert!(line.take().is_none());
        pool.all_are_idle().await;
    }

    /// A connection that only reads is not asked when it comes. When it comes again, it is.
    #[tokio::test]
    async fn a_transaction_that_was_left_open_is_ended_before_the_second_statement() {
        let pool = IdlePool::keeping(2, 1).await;
        for _ in 0..2 {
            let mut left = pool.pool().acquire().await.unwrap();
            left.execute("begin; select pg_current_xact_id()").await.unwrap();
            drop(left);
        }
        pool.all_are_idle().await;
        let line = long();
        let is_in_one = "select pg_current_xact_id_if_assigned() is not null";
        for expected in [true, false] {
            let mut held = pool.connections.on_line(&line, false).await.unwrap();
            let found: bool = sqlx::query_scalar(is_in_one).fetch_one(&mut *held).await.unwrap();
            assert_eq!(found, expected);
            pool.connections.keep_on(&line, held);
        }
    }

    /// Its next statement fails, and the one after that has another connection.
    #[tokio::test]
    async fn a_connection_that_was_ended_meanwhile_is_used_only_once_more() {
        let pool = IdlePool::keeping(2, 1).await;
        let line = long();
        let first = pool.statement(&line).await;
        let mut held = pool.connections.on_line(&line, true).await.unwrap();
        pool.terminate(first).await;
        process(&mut held).await.expect_err("there is nobody any more");
        drop(held);
        assert_ne!(pool.statement(&line).await, first);
    }
}
