//! Telling workers in other processes that something was committed.
//!
//! Never in the transaction that commits it: a `NOTIFY` there makes commits wait for one another. A task
//! of its own sends it afterwards, on a connection of its own: at once while there are few, and one for
//! many if there are many; or a little later where this process has the only worker, since it would be
//! heard by nobody, or by one that has just come, and takes the processor from the consumer that was woken
//! here. It carries the names of the events that were committed, so that whoever hears it can wake their
//! consumers without asking the database first; or nothing, where anything may have happened. (The log
//! says what is new: a name too many costs a read, and one too few a little time.)

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::listen::{Outage, answered, backend_of, own_options};
use crate::backoff::Backoff;
use crate::name::is_valid_name;
use crate::store::{Signal, Sql};

/// The time between two notifications of one outbox, in the long run.
const EVERY: Duration = Duration::from_millis(4);

/// So many may follow each other at once after a pause: commits that come one by one, but not in step,
/// wait for nothing.
const BURST: u32 = 25;

/// How long what is not urgent waits: longer than a consumer of this process takes to read it.
const A_WHILE: Duration = Duration::from_millis(2);

/// Longest list of names in a notification. (Postgres takes less than 8,000 bytes.)
const MOST_BYTES: usize = 7_000;

/// Sends notifications for as long as a clone of it lives.
#[derive(Clone, Debug)]
pub(super) struct Notifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    task: Task,
    running: Mutex<Option<JoinHandle<()>>>,
    _stop: DropGuard,
}

/// What the task that sends needs; nothing that keeps the notifier alive.
#[derive(Clone, Debug)]
struct Task {
    pool: PgPool,
    statement: Sql,
    wanted: Arc<Notify>,
    /// What is to be told with the next notification.
    untold: Arc<Mutex<News>>,
    /// The server process behind the connection, or 0.
    backend: Arc<AtomicU32>,
    stop: CancellationToken,
}

impl Notifier {
    pub(super) fn new(pool: PgPool, statement: Sql) -> Self {
        let stop = CancellationToken::new();
        let task = Task {
            pool,
            statement,
            wanted: Arc::default(),
            untold: Arc::default(),
            backend: Arc::default(),
            stop: stop.clone(),
        };
        Self(Arc::new(Inner { task, running: Mutex::default(), _stop: stop.drop_guard() }))
    }

    /// Asks for a notification and returns at once.
    pub(super) fn notify(&self, signal: Signal<'_>, urgent: bool) {
        let Inner { task, running, .. } = &*self.0;
        task.untold().add(signal, urgent);
        task.wanted.notify_one();
        let Ok(runtime) = Handle::try_current() else { return };
        if task.pool.is_closed() {
            return;
        }
        // Nothing in here can panic half-way, so a poisoned lock is as good as any.
        let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
        // The runtime of the task that was started before may have ended, and the task with it.
        if running.as_ref().is_none_or(JoinHandle::is_finished) {
            *running = Some(runtime.spawn(task.clone().run()));
        }
    }

    /// Whether a notification came from here: the consumers of this process know already then.
    pub(super) fn sent_by(&self, backend: u32) -> bool {
        self.0.task.backend.load(Ordering::Relaxed) == backend
    }
}

impl Task {
    async fn run(self) {
        let mut connection = None;
        let mut news = News::default();
        tokio::select! {
            () = self.send_all(&mut connection, &mut news) => {}
            () = self.stop.cancelled() => {}
            () = self.pool.close_event() => {}
        }
        // A worker's last word is that it hands its leases back.
        news.append(self.take_untold());
        if !news.is_empty() {
            drop(self.send(&mut connection, &news).await);
        }
        self.backend.store(0, Ordering::Relaxed);
        if let Some(connection) = connection {
            // The server notices anyway, a little later.
            let _ = answered(connection.close()).await;
        }
    }

    /// Whatever is in `news` may not have been sent.
    async fn send_all(&self, connection: &mut Option<PgConnection>, news: &mut News) {
        let mut outage = Outage::of("NOTIFY");
        let mut backoff = Backoff::default();
        let mut allowance = Allowance::full();
        loop {
            self.wanted().await;
            // What it was wanted for may have been told with the one before.
            news.append(self.take_untold());
            while !news.is_empty() {
                // An idle connection may have ended unnoticed; that is no outage if there is another.
                let idle = connection.is_some();
                match self.send(connection, news).await {
                    Ok(()) => {
                        *news = News::default();
                        outage.over();
                        backoff.reset();
                        tokio::time::sleep(allowance.spend()).await;
                    }
                    Err(error) => {
                        *connection = None;
                        self.backend.store(0, Ordering::Relaxed);
                        if !idle {
                            outage.failed(&error);
                            tokio::time::sleep(backoff.next_pause()).await;
                        }
                        news.append(self.take_untold());
                    }
                }
            }
        }
    }

    /// Waits for something to tell: until it is urgent, or has waited for a while.
    async fn wanted(&self) {
        self.wanted.notified().await;
        let mut while_is_over = pin!(tokio::time::sleep(A_WHILE));
        while !self.untold().urgent {
            tokio::select! {
                () = &mut while_is_over => return,
                () = self.wanted.notified() => {}
            }
        }
    }

    fn take_untold(&self) -> News {
        std::mem::take(&mut *self.untold())
    }

    fn untold(&self) -> MutexGuard<'_, News> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, connection: &mut Option<PgConnection>, news: &News) -> sqlx::Result<()> {
        // What is quoted has no quotes in it.
        let statement = format!("{}, '{}'", self.statement.text(), news.names());
        let sending = async {
            let connection = match connection {
                Some(connection) => connection,
                None => {
                    let options = own_options(&self.pool, "notify");
                    let mut new = PgConnection::connect_with(&options).await?;
                    self.backend.store(backend_of(&mut new).await?, Ordering::Relaxed);
                    connection.insert(new)
                }
            };
            connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
            Ok(())
        };
        answered(sending).await
    }
}

/// What others have not been told.
#[derive(Debug, Default)]
struct News {
    events: BTreeSet<String>,
    /// Whether there is something that names do not say.
    more: bool,
    /// Whether it may not wait for a while.
    urgent: bool,
}

impl News {
    fn add(&mut self, signal: Signal<'_>, urgent: bool) {
        self.urgent |= urgent;
        match signal {
            Signal::Committed(names) if names.iter().all(|name| is_valid_name(name)) => {
                for name in names {
                    if !self.events.contains(*name) {
                        self.events.insert((*name).to_owned());
                    }
                }
            }
            Signal::Committed(_) | Signal::Look => self.more = true,
        }
    }

    fn is_empty(&self) -> bool {
        self.events.is_empty() && !self.more
    }

    fn append(&mut self, other: Self) {
        self.events.extend(other.events);
        self.more |= other.more;
    }

    /// The names with spaces between them; nothing where they are not all that there is to tell.
    fn names(&self) -> String {
        let bytes: usize = self.events.iter().map(|name| name.len() + 1).sum();
        if self.more || bytes > MOST_BYTES {
            return String::new();
        }
        self.events.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// How soon one may follow another: at most [`BURST`] at once, and one for each [`EVERY`] in the long
/// run (a token bucket).
#[derive(Debug)]
struct Allowance {
    /// When the bucket will be full.
    full_at: Instant,
}

impl Allowance {
    fn full() -> Self {
        Self { full_at: Instant::now() }
    }

    /// One was sent; how long the next has to wait.
    fn spend(&mut self) -> Duration {
        let now = Instant::now();
        self.full_at = self.full_at.max(now) + EVERY;
        self.full_at.saturating_duration_since(now + EVERY * (BURST - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Namespace;

    #[test]
    fn names_are_told_once_each() {
        let mut news = News::default();
        news.add(Signal::Committed(&["order.placed", "order.paid"]), true);
        news.add(Signal::Committed(&["order.placed"]), true);
        assert_eq!(news.names(), "order.paid order.placed");
        let mut later = News::default();
        later.add(Signal::Committed(&["user.left"]), true);
        news.append(later);
        assert_eq!(news.names(), "order.paid order.placed user.left");
    }

    #[test]
    fn what_names_do_not_say_is_told_without_names() {
        for signal in [Signal::Look, Signal::Committed(&["it's"])] {
            let mut news = News::default();
            news.add(Signal::Committed(&["order.placed"]), true);
            let mut later = News::default();
            later.add(signal, true);
            news.append(later);
            assert_eq!(news.names(), "");
        }
        let mut many = News::default();
        for n in 0..100 {
            let name = format!("{}.{n}", "a".repeat(100));
            many.add(Signal::Committed(&[&name]), true);
        }
        assert_eq!(many.events.len(), 100);
        assert_eq!(many.names(), "");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_urgent_waits_for_a_while_or_for_what_is() {
        let task = Task {
            pool: PgPool::connect_lazy("postgres://nowhere").expect("an address"),
            statement: Namespace::default().in_schema(""),
            wanted: Arc::default(),
            untold: Arc::default(),
            backend: Arc::default(),
            stop: CancellationToken::new(),
        };
        let ask = |urgent| {
            task.untold().add(Signal::Look, urgent);
            task.wanted.notify_one();
        };
        let began = Instant::now();
        ask(true);
        task.wanted().await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        drop(task.take_untold());
        ask(false);
        task.wanted().await;
        assert!(began.elapsed() >= A_WHILE);
        drop(task.take_untold());
        let began = Instant::now();
        let mut waiting = pin!(task.wanted());
        ask(false);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        ask(true);
        waiting.await;
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_then_one_by_one() {
        let mut allowance = Allowance::full();
        for n in 1..BURST {
            assert_eq!(allowance.spend(), Duration::ZERO, "number {n}");
        }
        for _ in 0..3 {
            let wait = allowance.spend();
            assert_eq!(wait, EVERY);
            tokio::time::advance(wait).await;
        }
        tokio::time::advance(EVERY * BURST * 2).await;
        assert_eq!(allowance.spend(), Duration::ZERO);
    }
}
