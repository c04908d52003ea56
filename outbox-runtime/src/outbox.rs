//! The outbox: emitting inside the caller's transaction, and looking at what is in the log.

mod changed;
pub(crate) mod limits;
mod operate;
mod part;

use std::marker::PhantomData;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use sqlx::Pool;
use uuid::Uuid;

use crate::bell::Bell;
use crate::clock::Clock;
use crate::emitter::{Emitter, Listed, current_cause};
use crate::error::Result;
use crate::event::{Emittable, Emitted, IntoEmit, StoredEvent};
use crate::registry::{ListedIn, Registry};
use crate::store::{
    Backend, ConsumerStats, DeliveryFilter, DeliveryInfo, EventFilter, Namespace, NewEvent, Store,
};
use crate::tx::{InTransaction, Tx};

pub use changed::{Changed, EmitChanged};
pub use limits::Limits;

/// The outbox of the registry `R` in the database `DB`. Cloning is cheap.
pub struct Outbox<R, DB: Backend> {
    pub(crate) emitter: Arc<Emitter<DB>>,
    registry: PhantomData<fn() -> R>,
}

impl<R, DB: Backend> Clone for Outbox<R, DB> {
    fn clone(&self) -> Self {
        Self { emitter: Arc::clone(&self.emitter), registry: PhantomData }
    }
}

impl<R, DB: Backend> std::fmt::Debug for Outbox<R, DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

/// Options of an [`Outbox`].
#[derive(Debug)]
pub struct OutboxBuilder<R, DB: Backend> {
    pool: Pool<DB>,
    namespace: Namespace,
    clock: Clock,
    limits: Limits,
    poll_only: bool,
    hand_on: bool,
    registry: PhantomData<fn() -> R>,
}

impl<R: Registry, DB: Backend> OutboxBuilder<R, DB> {
    /// Puts the tables in another schema than `outbox` (Postgres), or gives their names another
    /// prefix than `outbox_` (SQLite; pass it without the underscore).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidName`](crate::ErrorKind::InvalidName) unless it is a plain identifier of at most 48 characters.
    pub fn namespace(mut self, name: &str) -> Result<Self> {
        self.namespace = Namespace::new(name)?;
        Ok(self)
    }

    /// Takes the time from another clock than the database's; for tests.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Changes what is refused at emit.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Works through a connection pooler that gives every transaction another server connection, such as
    /// PgBouncer with `pool_mode = transaction` (tested with version 1.18).
    ///
    /// The outbox then neither sends `NOTIFY` nor keeps a connection for `LISTEN`, and uses nothing
    /// that lives longer than a transaction: its statements have no names and each is inside a
    /// transaction, which costs two round trips more. Events of other processes are found by
    /// [polling](crate::Worker::poll); those of this process still wake its consumers at once.
    ///
    /// What is left to you:
    ///
    /// * In PgBouncer, `ignore_startup_parameters = extra_float_digits`; or connect with
    ///   `PgConnectOptions::extra_float_digits(None)`.
    /// * Your own queries on this pool have the same two problems, whatever
    ///   `PgConnectOptions::statement_cache_capacity` says: run them inside a transaction, with
    ///   `.persistent(false)`, or as `sqlx::raw_sql`. (The macro `query!` has no such option. From
    ///   PgBouncer 1.21 on, `max_prepared_statements` lifts this.)
    ///
    /// An outbox that is not told so meets errors behind such a pooler, and they say that this
    /// option is missing. SQLite has no pooler: there, a worker only leaves out to look every 10 ms
    /// whether another process has emitted something.
    #[must_use]
    pub fn poll_only(mut self) -> Self {
        self.poll_only = true;
        self
    }

    /// Takes the connection of each transaction from the pool, and gives it back.
    ///
    /// Without this, while the pool has other connections that are idle, the connection of a
    /// transaction that has committed is handed on to the next one that is begun within
    /// milliseconds, which saves the two round trips in which sqlx asks it whether it is well.
    /// The pool's hooks `after_release` and `before_acquire` are then not called in between. If yours
    /// undo what a transaction may leave in its session (a `SET` that is not `LOCAL`, temporary
    /// tables), so that the next one does not meet it, they need this option.
    #[must_use]
    pub fn connection_per_transaction(mut self) -> Self {
        self.hand_on = false;
        self
    }

    /// The outbox. Talks to nobody yet.
    #[must_use]
    pub fn build(self) -> Outbox<R, DB> {
        let mut store = DB::Store::new(self.pool, &self.namespace, self.clock);
        if !self.hand_on {
            store.connections_mut().hand_nothing_on();
        }
        if self.poll_only {
            store = store.poll_only();
        }
        let signals = store.clone();
        let emitter = Emitter {
            store,
            bell: Bell::signalling(move |signal, urgent| signals.signal(signal, urgent)),
            limits: self.limits,
            listed: Listed::of(&R::registry()),
        };
        Outbox { emitter: Arc::new(emitter), registry: PhantomData }
    }
}

impl<R: Registry, DB: Backend> Outbox<R, DB> {
    /// An outbox with default options in the pool's database.
    #[must_use]
    pub fn new(pool: Pool<DB>) -> Self {
        Self::builder(pool).build()
    }

    /// An outbox with options.
    #[must_use]
    pub fn builder(pool: Pool<DB>) -> OutboxBuilder<R, DB> {
        OutboxBuilder {
            pool,
            namespace: Namespace::default(),
            clock: Clock::default(),
            limits: Limits::default(),
            poll_only: false,
            hand_on: true,
            registry: PhantomData,
        }
    }

    /// Creates or upgrades the engine's tables. Safe to run again, and by several processes at
    /// once. Touches no table of yours, nor sqlx's own migrations table.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::FormatTooNew`](crate::ErrorKind::FormatTooNew) when a newer version of this crate made the tables.
    pub async fn migrate(&self) -> Result<()> {
        self.emitter.store.migrate().await
    }

    /// The pool.
    #[must_use]
    pub fn pool(&self) -> &Pool<DB> {
        self.emitter.store.pool()
    }

    /// Begins a transaction whose commit wakes the consumers at once.
    ///
    /// Its connection is one of the pool's, or that of a transaction that has just committed: see
    /// [`connection_per_transaction`](OutboxBuilder::connection_per_transaction).
    ///
    /// May be dropped at any time, in a `select!` or a timeout: the transaction is begun to its end
    /// all the same, and rolled back as nobody takes it. (A cancelled `Pool::begin` can leave
    /// a connection with an open transaction in sqlx's pool; such a transaction is never taken
    /// for a new one here. See [`tidy_pool`](crate::tidy_pool).)
    ///
    /// On SQLite this waits for the write lock, for at least five seconds.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached or has no connection free.
    pub async fn begin(&self) -> Result<Tx<'static, DB>> {
        Tx::begin(&self.emitter, None).await
    }

    /// Appends an event to the log, in the caller's transaction: it is there if and only if the
    /// transaction commits. One INSERT.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`](crate::ErrorKind::Refused) when the event breaks a [limit](Limits); nothing was sent to the
    /// database then, and the transaction can go on. Otherwise what the database says.
    // Not an `async fn`: the future of one has the bounds below in its type, so that the compiler
    // would report one that does not hold at the call, and again where the future is awaited.
    pub fn emit<'a, E, I, T>(&'a self, tx: &'a mut T, event: E) -> BoxFuture<'a, Result<Emitted>>
    where
        E: IntoEmit,
        E::Event: Emittable + ListedIn<R, I>,
        T: InTransaction<DB> + ?Sized,
    {
        let event = self.emitter.prepare(event.into_emit(), current_cause(tx.cause()));
        Box::pin(async move { self.emitter.append_one(tx, event?).await })
    }

    /// Appends any number of events of one type, in this order, with one INSERT (if one of them has
    /// a dedup key, with one each).
    ///
    /// # Errors
    ///
    /// As [`emit`](Self::emit); if one event is refused, none is appended.
    pub fn emit_all<'a, E, I, T>(
        &'a self,
        tx: &'a mut T,
        events: impl IntoIterator<Item = E>,
    ) -> BoxFuture<'a, Result<Vec<Emitted>>>
    where
        E: IntoEmit,
        E::Event: Emittable + ListedIn<R, I>,
        T: InTransaction<DB> + ?Sized,
    {
        let events: Result<Vec<NewEvent>> = events
            .into_iter()
            .map(|event| self.emitter.prepare(event.into_emit(), current_cause(tx.cause())))
            .collect();
        Box::pin(
            async move { self.emitter.append(tx, events?, self.emitter.limits.dedup_ttl).await },
        )
    }

    /// Figures of every consumer.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn stats(&self) -> Result<Vec<ConsumerStats>> {
        self.emitter.store.stats().await
    }

    /// Events of the log, in its order.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>> {
        self.emitter.store.events(filter).await
    }

    /// The event with this id, if it is in the log.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn event(&self, id: Uuid) -> Result<Option<StoredEvent>> {
        Ok(self.emitter.store.events(&EventFilter::all().id(id).limit(1)).await?.pop())
    }

    /// Deliveries that have a row: delayed, retrying, parked, waiting, dead.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryInfo>> {
        self.emitter.store.deliveries(filter).await
    }

    /// The time by the outbox's clock: the database's, or a test's.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn now(&self) -> Result<DateTime<Utc>> {
        self.emitter.store.now().await
    }
}
