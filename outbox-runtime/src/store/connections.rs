//! Where the engine's statements get their connections from: the user's pool, with care.
//!
//! sqlx hands out a connection inside an open transaction if somebody cancelled a `Pool::begin` at
//! the wrong moment (transact-rs/sqlx#4393), and keeps connections to a server that has become
//! read-only. What the engine wrote in somebody's forgotten transaction would not be committed. So
//! a connection is asked first, which costs a round trip where there is a network, unless
//!
//! * a transaction is begun: then the question travels with `begin`, unless another one has just ended
//!   on the connection (see `relay.rs`); or
//! * the statement only reads ([`Connections::plain`]): those that could miss an event there find out
//!   by themselves (see `store/postgres/log.rs`), except that a transaction without an id cannot be told
//!   from none. To that one they may give an id, so the connection is asked afterwards; or
//! * it is the one of the statement before (see `line.rs`), and was asked then.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::pool::PoolOptions;
use sqlx::{Connection, Pool, SqlSafeStr};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::Backend;
use super::line::{Held, Line};
use super::loan::{GIVING_BACK, Loan, Transaction};
use super::relay::{Relay, Runner};
use crate::error::Error;

/// For how long a line may have a connection while others wait for one: they do not wait longer for it.
const WHILE_OTHERS_WAIT: Duration = Duration::from_millis(250);

/// For how long connections are suspected after one turned out to be read-only.
const SUSPICION: Duration = Duration::from_secs(60);

/// The statements that connections are asked with. A transaction that is begun with one of them
/// and is none afterwards tells that there was none before.
#[derive(Debug)]
pub struct Dialect {
    /// Does nothing.
    pub(crate) ask: &'static str,
    /// Fails where nothing can be written.
    pub(crate) ask_writable: &'static str,
    /// Begins to write.
    pub(crate) begin: &'static str,
    /// The same, and fails inside a transaction.
    pub(crate) ask_and_begin: &'static str,
    /// How long it may take to begin where all is well, if that does not depend on others.
    pub(crate) begun_within: Option<Duration>,
    /// The codes of errors that another connection would meet as well.
    pub(crate) busy: &'static [&'static str],
    /// The code with which the questions fail.
    pub(crate) no: &'static [&'static str],
}

/// The connections of a store.
pub struct Connections<DB: Backend> {
    pool: Pool<DB>,
    dialect: &'static Dialect,
    /// How long to wait for one, if not as long as the pool does.
    patience: Option<Duration>,
    /// For connections that are kept on lines, if any may be.
    places: Option<Places>,
    /// For transactions that follow one another, unless each is to have its connection from the pool.
    relay: Option<Arc<Relay<DB>>>,
    shared: Arc<Shared>,
}

/// Places for connections that are kept.
#[derive(Clone)]
struct Places {
    free: Arc<Semaphore>,
    /// How many there are.
    all: usize,
}

/// What is known of the connections of an outbox.
#[derive(Default)]
pub(super) struct Shared {
    suspicious_until: Mutex<Option<Instant>>,
    told_of_stray: AtomicBool,
}

impl<DB: Backend> Clone for Connections<DB> {
    fn clone(&self) -> Self {
        let (pool, shared) = (self.pool.clone(), Arc::clone(&self.shared));
        let (places, relay) = (self.places.clone(), self.relay.clone());
        Self { pool, dialect: self.dialect, patience: self.patience, places, relay, shared }
    }
}

impl<DB: Backend> fmt::Debug for Connections<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("size", &self.pool.size()).finish_non_exhaustive()
    }
}

impl<DB: Backend> Connections<DB> {
    pub(crate) fn new(pool: Pool<DB>, dialect: &'static Dialect) -> Self {
        let relay = Some(Arc::new(Relay::new(pool.clone())));
        Self { pool, dialect, patience: None, places: None, relay, shared: Arc::default() }
    }

    pub(crate) fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    #[cfg(test)]
    #[cfg(feature = "postgres")]
    pub(super) fn relay(&self) -> &Arc<Relay<DB>> {
        self.relay.as_ref().expect("nobody has told it to do without")
    }

    #[cfg(test)]
    #[cfg(feature = "postgres")]
    pub(super) fn set_relay(&mut self, relay: Arc<Relay<DB>>) {
        self.relay = Some(relay);
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn speak(&mut self, dialect: &'static Dialect) {
        self.dialect = dialect;
    }

    /// Gives the connection of each transaction back to the pool.
    pub(crate) fn hand_nothing_on(&mut self) {
        self.relay = None;
    }

    /// Waits no longer than this for a connection, or than the pool says if that is shorter. (sqlx
    /// tries to connect for 30 s by default, at last every 6 s: an outage would be noticed, and its
    /// end be found, too late.)
    pub(crate) fn be_impatient(&mut self, patience: Duration) {
        self.patience = Some(patience);
    }

    /// Lets lines keep so many connections at the same time; without this, they keep none.
    pub(crate) fn keep(&mut self, most: usize) {
        self.places = Some(Places { free: Arc::new(Semaphore::new(most)), all: most });
    }

    /// What a statement said. If the server is read-only, connections to it are thrown away for a
    /// while, as new ones may reach another server. If there was no answer, those that wait in the
    /// pool may have fallen silent as well, and each would be found out by somebody who waits for it:
    /// they are all asked at once, by giving them back.
    pub(crate) fn look_at(&self, error: &Error) {
        if error.is_read_only() {
            *self.suspicion() = Some(Instant::now() + SUSPICION);
        }
        if error.is_no_answer() {
            let idle = (0..self.pool.num_idle()).map_while(|_| self.pool.try_acquire());
            drop(idle.map(Loan::of).collect::<Vec<_>>());
        }
    }

    /// A connection that may be in somebody's transaction.
    #[cfg(feature = "postgres")]
    pub(crate) async fn plain(&self) -> sqlx::Result<Loan<DB>> {
        match self.is_suspicious() {
            true => self.asked().await,
            false => self.acquire().await,
        }
    }

    /// A connection that is in no transaction.
    pub(crate) async fn asked(&self) -> sqlx::Result<Loan<DB>> {
        let mut kept = self.pool.num_idle();
        loop {
            let mut connection = self.acquire().await?;
            let asked = match self.is_suspicious() {
                true => self.dialect.ask_writable,
                false => self.dialect.ask,
            };
            match ask::<DB>(&mut connection, asked).await {
                Ok(Found::Nothing) => return Ok(connection),
                Ok(Found::Stray) => {
                    self.tell_of_stray();
                    return Ok(connection);
                }
                Err(error) if self.says_no(&error) && kept == 0 => {
                    // A new connection is as read-only: this is how the database is. Whoever only
                    // reads can; whoever writes will hear it.
                    ask::<DB>(&mut connection, "rollback").await?;
                    return Ok(connection);
                }
                Err(error) if self.says_no(&error) => {
                    connection.discard();
                    kept -= 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The connection of a line, or of the pool: as [`plain`](Self::plain), or as
    /// [`asked`](Self::asked). One that was not asked when it came is asked when it comes again, or is
    /// given back.
    pub(crate) async fn on_line(&self, line: &Line<DB>, asked: bool) -> sqlx::Result<Held<DB>> {
        match line.take() {
            Some(held) if self.is_suspicious() => held.discard(),
            Some(held) if held.is_free() => return Ok(held),
            // Whatever is wrong with it, the pool has others.
            Some(mut held) => match ask::<DB>(&mut held, self.dialect.ask).await {
                Ok(Found::Nothing) => return Ok(held.freed()),
                Ok(Found::Stray) => {
                    self.tell_of_stray();
                    return Ok(held.freed());
                }
                Err(_) => {}
            },
            None => {}
        }
        if asked || self.is_suspicious() {
            return Ok(Held::new(self.asked().await?));
        }
        let mut loan = self.acquire().await?;
        self.ask_when_given_back(&mut loan);
        Ok(Held::new(loan))
    }

    /// Has a connection asked, before anybody else gets it, what it is in. It may be in somebody's forgotten
    /// transaction, to which a statement of ours gave an id that it took for one of its own; what was
    /// emitted in that transaction afterwards would be passed over.
    pub(crate) fn ask_when_given_back(&self, loan: &mut Loan<DB>) {
        loan.ask_when_given_back(self.dialect.ask, Arc::clone(&self.shared));
    }

    /// Keeps a connection for the next statement of its line, or gives it back: see `line.rs`.
    pub(crate) fn keep_on(&self, line: &Line<DB>, mut held: Held<DB>) {
        if let Some(place) = self.place(&mut held) {
            line.keep(held, place);
        }
    }

    /// A place for a connection that nobody needs now, or not as much as its line.
    fn place(&self, held: &mut Held<DB>) -> Option<OwnedSemaphorePermit> {
        let places = self.places.as_ref()?;
        if self.pool.is_closed() || self.is_suspicious() {
            return None;
        }
        let place = Arc::clone(&places.free).try_acquire_owned().ok()?;
        let kept = places.all.saturating_sub(places.free.available_permits());
        let is_last = self.pool.num_idle() == 0;
        let others_wait = held.others_wait(is_last);
        let may_stay = kept <= self.few() && others_wait < WHILE_OTHERS_WAIT;
        (!is_last || may_stay).then_some(place)
    }

    /// So many connections are kept even if others wait for one: whoever reads would wait behind all those
    /// who want to emit, and deliver late what has been emitted.
    fn few(&self) -> usize {
        self.pool.options().get_max_connections() as usize / 4
    }

    /// Begins a transaction that is going to write and is nobody else's. Whoever waits for it may
    /// stop waiting.
    pub(crate) async fn begin(&self) -> sqlx::Result<Transaction<DB>> {
        let connections = self.clone();
        detached(async move { connections.begin_here().await }).await
    }

    /// The same with a statement of the caller's.
    pub(crate) async fn begin_with(
        &self,
        statement: &'static str,
    ) -> sqlx::Result<Transaction<DB>> {
        let connections = self.clone();
        detached(async move {
            let runner = Runner::new(connections.asked().await?);
            connections.begin_on(runner, statement).await
        })
        .await
    }

    async fn begin_here(&self) -> sqlx::Result<Transaction<DB>> {
        if !self.is_suspicious() {
            if let Some(runner) = self.relay.as_ref().and_then(|relay| relay.next()) {
                let begun = self.begin_on(runner, self.dialect.begin);
                let begun = match self.dialect.begun_within {
                    None => begun.await,
                    Some(soon) => {
                        timeout(soon, begun).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
                    }
                };
                match begun {
                    Ok(tx) => return Ok(tx),
                    Err(error) if is_one_of(self.dialect.busy, &error) => return Err(error),
                    // Whatever is wrong with this one, the pool has others.
                    Err(_) => {}
                }
            }
            let runner = Runner::new(self.acquire().await?);
            match self.begin_on(runner, self.dialect.ask_and_begin).await {
                Ok(tx) => return Ok(tx),
                Err(error) if self.says_no(&error) || is_in_failed_transaction(&error) => {}
                Err(error) => return Err(error),
            }
        }
        self.begin_on(Runner::new(self.asked().await?), self.dialect.begin).await
    }

    async fn begin_on(
        &self,
        runner: Runner<DB>,
        statement: &'static str,
    ) -> sqlx::Result<Transaction<DB>> {
        Transaction::begin(runner, statement.into_sql_str(), self.relay.clone()).await
    }

    /// The next connection of the pool, whatever it is in.
    async fn acquire(&self) -> sqlx::Result<Loan<DB>> {
        loop {
            // Boxed: with TLS in it, the future of a connection that is being opened has kilobytes,
            // which everybody who waits for one would have on the stack.
            let acquiring = Box::pin(self.pool.acquire());
            let acquired = match self.patience {
                None => acquiring.await?,
                Some(patience) => {
                    timeout(patience, acquiring).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?
                }
            };
            let connection = Loan::of(acquired);
            if !connection.is_in_transaction() {
                return Ok(connection);
            }
            // sqlx lost count of its savepoints: on SQLite, when the database had rolled back by
            // itself, as it does when the disk is full.
            connection.discard();
        }
    }

    fn says_no(&self, error: &sqlx::Error) -> bool {
        is_one_of(self.dialect.no, error)
    }

    fn is_suspicious(&self) -> bool {
        self.suspicion().is_some_and(|until| Instant::now() < until)
    }

    fn suspicion(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.shared.suspicious_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tell_of_stray(&self) {
        self.shared.tell_of_stray();
    }
}

impl Shared {
    pub(super) fn tell_of_stray(&self) {
        if self.told_of_stray.swap(true, Ordering::Relaxed) {
            tracing::debug!("rolled back a transaction that came with a connection of the pool");
        } else {
            tracing::warn!(
                "a connection came out of the pool inside a transaction that somebody had begun and \
                 left open, perhaps in a cancelled `Pool::begin`; it was rolled back. Begin with \
                 `Outbox::begin`, or make the pool with `tidy_pool`. Told once"
            );
        }
    }
}

/// Makes a pool clean up after cancelled `Pool::begin`s: a connection that is given back inside an
/// open transaction is rolled back before anybody else gets it.
///
/// [`Outbox::begin`](crate::Outbox::begin) never leaves such a connection behind, and the engine
/// protects itself from them. This is for the application's own statements, which would otherwise
/// run in a transaction that nobody commits. It costs one round trip for each connection that is
/// given back, while nobody waits for it, and takes the place of an `after_release` that was set
/// before. A connection that does not answer soon is closed: sqlx would wait for it for ever, and
/// its place in the pool would be lost.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// use outbox_runtime::tidy_pool;
/// use sqlx::sqlite::SqlitePoolOptions;
///
/// let pool = tidy_pool(SqlitePoolOptions::new().max_connections(4)).connect("sqlite::memory:").await?;
/// # drop(pool); Ok::<(), sqlx::Error>(()) }).unwrap();
/// ```
#[must_use]
pub fn tidy_pool<DB: Backend>(options: PoolOptions<DB>) -> PoolOptions<DB> {
    options.after_release(|connection, _meta| {
        Box::pin(async move {
            if connection.is_in_transaction() {
                return Ok(false);
            }
            // Whatever is wrong with a connection, a new one is better.
            let asked = ask::<DB>(connection, <DB::Store as super::Store>::DIALECT.ask);
            match timeout(GIVING_BACK, asked).await {
                Ok(answer) => Ok(answer.is_ok()),
                // An error: then it is not told politely that it is closed.
                Err(_silent) => Err(sqlx::Error::PoolTimedOut),
            }
        })
    })
}

/// Runs something to its end even if nobody waits for it any more, though not for long then: on a
/// connection that has fallen silent it has no end.
fn detached<T: Send + 'static>(
    work: impl Future<Output = sqlx::Result<T>> + Send + 'static,
) -> Detached<T> {
    Detached(Some(Box::pin(work)))
}

struct Detached<T: Send + 'static>(Option<BoxFuture<'static, sqlx::Result<T>>>);

impl<T: Send + 'static> Future for Detached<T> {
    type Output = sqlx::Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let work = self.0.as_mut().expect("nobody asks again for what is done");
        let done = ready!(work.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(done)
    }
}

impl<T: Send + 'static> Drop for Detached<T> {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current())
            && !std::thread::panicking()
        {
            // What nobody takes is dropped, and so given back.
            drop(runtime.spawn(async move { drop(timeout(GIVING_BACK, work).await) }));
        }
    }
}

/// What a connection was in.
pub(super) enum Found {
    Nothing,
    /// A transaction; it was rolled back.
    Stray,
}

pub(super) async fn ask<DB: Backend>(
    connection: &mut DB::Connection,
    question: &'static str,
) -> sqlx::Result<Found> {
    let failed = match connection.begin_with(question.into_sql_str()).await {
        Ok(stray) => {
            stray.rollback().await?;
            return Ok(Found::Stray);
        }
        Err(sqlx::Error::BeginFailed) => return Ok(Found::Nothing),
        Err(error) if is_in_failed_transaction(&error) => error,
        Err(error) => return Err(error),
    };
    match connection.begin_with("rollback".into_sql_str()).await {
        Ok(_) => Err(failed),
        Err(sqlx::Error::BeginFailed) => Ok(Found::Stray),
        Err(error) => Err(error),
    }
}

/// Whether a statement failed because one before it had, in a transaction of Postgres.
fn is_in_failed_transaction(error: &sqlx::Error) -> bool {
    code_of(error).is_some_and(|code| code == "25P02")
}

fn is_one_of(codes: &[&str], error: &sqlx::Error) -> bool {
    code_of(error).is_some_and(|code| codes.contains(&&*code))
}

fn code_of(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    error.as_database_error().and_then(|error| error.code())
}
