//! A connection that goes from a transaction that has ended to the next one.
//!
//! To begin a transaction on a connection of sqlx's pool takes two round trips more than `begin`: sqlx
//! asks the connection whether it is well, before and after. The pool hands out the connection that has
//! waited longest, so that each transaction wakes another process of the server, whose caches have gone
//! cold; and nobody knows what that connection is in, so `begin` carries a question that costs the server
//! more than `begin` itself (see `connections.rs`). Of one that has just committed all this is known. So
//! while the pool has others that are idle, it is handed on: the one that ended last is the first to be
//! taken. It is given back
//!
//! * when nobody has taken it for [`A_MOMENT`], or two;
//! * when it was away from the pool for [`LONGEST`], so that the pool's own limits hold;
//! * at once when the pool has no other one that is idle: whoever waits there waits in turn;
//! * when its transaction was rolled back or given up, or could not be committed.

// The signatures of `Store` name these types, and `Store` is named by the public `Backend`; the
// module itself is private.
#![allow(unreachable_pub)]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sqlx::Pool;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::Backend;
use super::loan::Loan;

/// How long a connection waits for the next transaction: longer than a task takes to go on to it.
const A_MOMENT: Duration = Duration::from_millis(2);

/// How long it stays away from the pool, however much there is to do.
const LONGEST: Duration = Duration::from_secs(30);

/// The connections between two transactions.
pub struct Relay<DB: Backend> {
    pool: Pool<DB>,
    moment: Duration,
    waiting: Mutex<Waiting<DB>>,
}

struct Waiting<DB: Backend> {
    /// In the order in which they came.
    runners: Vec<(Instant, Runner<DB>)>,
    /// Whether a task gives back those that nobody takes.
    is_watched: bool,
}

/// A connection, away from the pool.
pub struct Runner<DB: Backend> {
    pub(super) loan: Loan<DB>,
    since: Instant,
}

impl<DB: Backend> Runner<DB> {
    /// A connection that has just come from the pool.
    pub(super) fn new(loan: Loan<DB>) -> Self {
        Self { loan, since: Instant::now() }
    }

    /// Leaves this one without its connection.
    pub(super) fn take(&mut self) -> Self {
        Self { loan: self.loan.take(), since: self.since }
    }
}

impl<DB: Backend> Relay<DB> {
    pub(super) fn new(pool: Pool<DB>) -> Self {
        Self::resting(pool, A_MOMENT)
    }

    fn resting(pool: Pool<DB>, moment: Duration) -> Self {
        let waiting = Waiting { runners: Vec::new(), is_watched: false };
        Self { pool, moment, waiting: Mutex::new(waiting) }
    }

    /// The one that came last. Not if that is long ago: the process may have been frozen since.
    pub(super) fn next(&self) -> Option<Runner<DB>> {
        let (came, runner) = self.waiting().runners.pop()?;
        (!self.is_long_ago(came) && !self.pool.is_closed()).then_some(runner)
    }

    fn is_long_ago(&self, came: Instant) -> bool {
        came.elapsed() > self.moment * 3
    }

    /// Takes a connection whose transaction has committed, for the next one, or gives it back.
    pub(super) fn hand_on(self: &Arc<Self>, runner: Runner<DB>) {
        let may_wait = self.pool.num_idle() > 0 && !self.pool.is_closed();
        let Ok(runtime) = Handle::try_current() else { return };
        if !may_wait || runner.since.elapsed() >= LONGEST {
            return;
        }
        let was_watched = {
            let mut waiting = self.waiting();
            // Not by a task of a runtime that nobody drives just now.
            let is_watch_late =
                waiting.runners.first().is_some_and(|&(came, _)| self.is_long_ago(came));
            waiting.runners.push((Instant::now(), runner));
            std::mem::replace(&mut waiting.is_watched, true) && !is_watch_late
        };
        if !was_watched {
            let watch = Watch(Arc::downgrade(self));
            // Not under the lock: a runtime that shuts down drops it here and now.
            runtime.spawn(watch.run(self.moment));
        }
    }

    /// Gives back those that nobody takes; all of them, if this is the end of the watch. Returns
    /// whether any are left, and otherwise ends the watch.
    fn give_back(&self, all: bool) -> bool {
        let mut waiting = self.waiting();
        let young = |(came, _): &(Instant, _)| !all && came.elapsed() < self.moment;
        let old = waiting.runners.iter().position(young).unwrap_or(waiting.runners.len());
        let old: Vec<_> = waiting.runners.drain(..old).collect();
        waiting.is_watched = !waiting.runners.is_empty();
        let is_watched = waiting.is_watched;
        // Not under the lock: giving back runs other code.
        drop(waiting);
        drop(old);
        is_watched
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<DB>> {
        // Nothing in here can panic half-way, so a poisoned lock is as good as any.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that gives back; with its runtime, it ends.
struct Watch<DB: Backend>(Weak<Relay<DB>>);

impl<DB: Backend> Watch<DB> {
    async fn run(mut self, moment: Duration) {
        loop {
            sleep(moment).await;
            match self.0.upgrade() {
                Some(relay) if relay.give_back(false) => {}
                _ => break,
            }
        }
        // Another one may watch by now.
        self.0 = Weak::new();
    }
}

impl<DB: Backend> Drop for Watch<DB> {
    fn drop(&mut self) {
        if let Some(relay) = self.0.upgrade() {
            relay.give_back(true);
        }
    }
}

#[cfg(test)]
#[cfg(feature = "postgres")]
mod tests {
    use sqlx::{Executor, Postgres};
    use tokio::time::timeout;

    use super::*;
    use crate::store::idle_pool::{DEADLINE, IdlePool, process};
    use crate::store::loan::Transaction;

    /// A pool of so many connections; what is handed on waits for long, however slow the machine is.
    async fn patient(count: u32) -> IdlePool {
        let mut pool = IdlePool::of(count).await;
        let relay = Relay::resting(pool.pool().clone(), DEADLINE * 2);
        pool.connections.set_relay(Arc::new(relay));
        pool
    }

    async fn begin(pool: &IdlePool) -> (Transaction<Postgres>, i32) {
        let mut tx = pool.connections.begin().await.unwrap();
        let process = process(&mut tx).await.unwrap();
        (tx, process)
    }

    fn waiting(pool: &IdlePool) -> usize {
        pool.connections.relay().waiting().runners.len()
    }

    #[tokio::test]
    async fn the_connection_that_ended_last_is_the_first_to_go_on() {
        let pool = patient(3).await;
        let (first, one) = begin(&pool).await;
        let (second, other) = begin(&pool).await;
        first.commit().await.unwrap();
        second.commit().await.unwrap();
        assert_eq!(pool.pool().num_idle(), 1, "two are kept");
        assert_eq!(begin(&pool).await.1, other);
        let (again, two) = begin(&pool).await;
        again.rollback().await.unwrap();
        assert_ne!(one, other);
        assert_ne!(two, other, "what was dropped in a transaction is not handed on");
    }

    #[tokio::test]
    async fn what_nobody_takes_is_given_back() {
        let pool = IdlePool::of(3).await;
        begin(&pool).await.0.commit().await.unwrap();
        pool.all_are_idle().await;
        assert_eq!(waiting(&pool), 0);
        assert!(!pool.connections.relay().waiting().is_watched);
        begin(&pool).await.0.commit().await.unwrap();
        pool.all_are_idle().await;
    }

    #[tokio::test]
    async fn the_last_idle_connection_is_not_handed_on() {
        let pool = patient(2).await;
        let others = pool.connections.asked().await.unwrap();
        begin(&pool).await.0.commit().await.unwrap();
        assert_eq!(waiting(&pool), 0);
        drop(others);
        pool.all_are_idle().await;
    }

    #[tokio::test]
    async fn nothing_is_handed_on_where_that_is_not_wanted() {
        let mut pool = patient(2).await;
        let relay = Arc::clone(pool.connections.relay());
        pool.connections.hand_nothing_on();
        begin(&pool).await.0.commit().await.unwrap();
        assert!(relay.waiting().runners.is_empty());
        pool.all_are_idle().await;
    }

    #[tokio::test]
    async fn only_what_has_committed_is_handed_on() {
        let pool = patient(2).await;
        drop(begin(&pool).await);
        pool.all_are_idle().await;
        begin(&pool).await.0.rollback().await.unwrap();
        pool.all_are_idle().await;
        let (mut failed, _) = begin(&pool).await;
        failed.execute("select 1 / 0").await.unwrap_err();
        drop(failed);
        pool.all_are_idle().await;
    }

    #[tokio::test]
    async fn nothing_stays_away_from_the_pool_for_long() {
        let pool = patient(2).await;
        let relay = pool.connections.relay();
        let mut runner = Runner::new(pool.connections.asked().await.unwrap());
        runner.since = Instant::now().checked_sub(LONGEST).expect("the machine has run for longer");
        relay.hand_on(runner);
        assert_eq!(waiting(&pool), 0);
        pool.all_are_idle().await;
    }

    /// The watch may be late: where the process was frozen, by hours.
    #[tokio::test]
    async fn a_connection_that_has_waited_for_long_is_not_used() {
        let pool = patient(2).await;
        begin(&pool).await.0.commit().await.unwrap();
        for (came, _) in &mut pool.connections.relay().waiting().runners {
            *came = came.checked_sub(DEADLINE * 7).expect("the machine has run for longer");
        }
        assert!(pool.connections.relay().next().is_none());
        pool.all_are_idle().await;
    }

    #[tokio::test]
    async fn a_connection_that_was_ended_meanwhile_is_replaced() {
        let pool = patient(2).await;
        let (tx, ended) = begin(&pool).await;
        tx.commit().await.unwrap();
        pool.terminate(ended).await;
        assert_eq!(waiting(&pool), 1);
        let (tx, another) = begin(&pool).await;
        assert_ne!(another, ended);
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn a_pool_that_is_closed_gets_back_what_waits() {
        let pool = IdlePool::of(2).await;
        begin(&pool).await.0.commit().await.unwrap();
        timeout(DEADLINE, pool.pool().close()).await.expect("it waits for all of its connections");
    }

    /// A transaction may be used on another runtime than the pool was made on, and that one may end.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_runtime_that_ends_gives_back() {
        let pool = patient(2).await;
        let tx = begin(&pool).await.0;
        let elsewhere = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(tx.commit()).unwrap();
        });
        elsewhere.join().unwrap();
        assert_eq!(waiting(&pool), 0);
        let _both = (begin(&pool).await, begin(&pool).await);
    }

    /// A watch on a runtime that goes on to do nothing does not stand for those of others.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_runtime_that_stands_still_holds_up_nobody_else() {
        let pool = IdlePool::of(4).await;
        let (first, second) = (begin(&pool).await.0, begin(&pool).await.0);
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (here, committed) = tokio::sync::oneshot::channel();
        let elsewhere = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.unwrap();
            runtime.block_on(first.commit()).unwrap();
            here.send(()).unwrap();
            stopped.recv().unwrap_err();
        });
        committed.await.unwrap();
        sleep(A_MOMENT * 4).await;
        second.commit().await.unwrap();
        pool.all_are_idle().await;
        drop(stop);
        elsewhere.join().unwrap();
    }
}
