//! Transactions: ours, which rings the bell after its commit, and any other that can be emitted in.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::Connection;

use crate::emitter::Emitter;
use crate::error::{During, Error, ErrorKind, Result};
use crate::headers::Cause;
use crate::store::loan::Transaction;
use crate::store::{Backend, Store};

/// A database transaction that wakes consumers as soon as it has committed.
///
/// Dereferences to the connection, so that queries run on `&mut *tx`. Dropping it rolls back.
pub struct Tx<'c, DB: Backend> {
    inner: Inner<'c, DB>,
    emitter: Arc<Emitter<DB>>,
    cause: Option<Arc<Cause>>,
}

enum Inner<'c, DB: Backend> {
    Own {
        transaction: Owned<'c, DB>,
        emitted: Vec<&'static str>,
    },
    /// The transaction of an `#[emits]` function while its body runs: the attribute commits it.
    Lent {
        connection: &'c mut DB::Connection,
        emitted: &'c mut Vec<&'static str>,
    },
}

/// What is ours to end.
enum Owned<'c, DB: Backend> {
    Transaction(Transaction<DB>),
    Savepoint(sqlx::Transaction<'c, DB>),
}

impl<'c, DB: Backend> Tx<'c, DB> {
    pub(crate) fn new(
        transaction: Transaction<DB>,
        emitter: Arc<Emitter<DB>>,
        cause: Option<Arc<Cause>>,
    ) -> Self {
        Self::owning(Owned::Transaction(transaction), emitter, cause)
    }

    fn owning(
        transaction: Owned<'c, DB>,
        emitter: Arc<Emitter<DB>>,
        cause: Option<Arc<Cause>>,
    ) -> Self {
        Self { inner: Inner::Own { transaction, emitted: Vec::new() }, emitter, cause }
    }

    pub(crate) fn emitter(&self) -> &Arc<Emitter<DB>> {
        &self.emitter
    }

    /// The same transaction for somebody who may not end it.
    pub(crate) fn lend(&mut self) -> Tx<'_, DB> {
        let (connection, emitted) = match &mut self.inner {
            Inner::Own { transaction, emitted } => (&mut **transaction, emitted),
            Inner::Lent { connection, emitted } => (&mut **connection, &mut **emitted),
        };
        Tx {
            inner: Inner::Lent { connection, emitted },
            emitter: Arc::clone(&self.emitter),
            cause: self.cause.clone(),
        }
    }

    /// Commits, then wakes the consumers of what was emitted: those of this process at once, and on
    /// Postgres those of other processes with a `NOTIFY` soon after, from another connection.
    ///
    /// # Errors
    ///
    /// When the database refuses to commit; nothing has happened then, unless the connection was
    /// lost while it answered: then the outcome is unknown, as with every database. Inside a
    /// function with `#[emits]` always, with [`ErrorKind::Refused`](crate::ErrorKind::Refused):
    /// the attribute commits, once it has emitted the event.
    pub async fn commit(self) -> Result<()> {
        let (transaction, emitted) = self.inner.own("commit")?;
        transaction.commit().await.during("commit")?;
        self.emitter.bell.committed(&emitted);
        Ok(())
    }

    /// Undoes everything.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached; it rolls back by itself then. Inside a function with
    /// `#[emits]` always, as [`commit`](Self::commit): there, return an error to roll back.
    pub async fn rollback(self) -> Result<()> {
        self.inner.own("roll back")?.0.rollback().await.during("roll back")
    }

    /// Sets a savepoint. What is emitted in it counts only if it is committed as well.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_, DB>> {
        let (begun, outer) = match &mut self.inner {
            Inner::Own { transaction, emitted } => (transaction.begin().await, emitted),
            Inner::Lent { connection, emitted } => (connection.begin().await, &mut **emitted),
        };
        let inner = begun.during("set a savepoint")?;
        let savepoint = Owned::Savepoint(inner);
        let tx = Tx::owning(savepoint, Arc::clone(&self.emitter), self.cause.clone());
        Ok(Savepoint { tx, outer })
    }
}

impl<DB: Backend> Tx<'static, DB> {
    pub(crate) async fn begin(
        emitter: &Arc<Emitter<DB>>,
        cause: Option<Arc<Cause>>,
    ) -> Result<Self> {
        Ok(Self::new(emitter.store.begin().await?, Arc::clone(emitter), cause))
    }
}

impl<DB: Backend> std::fmt::Debug for Tx<'_, DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tx").finish_non_exhaustive()
    }
}

impl<'c, DB: Backend> Inner<'c, DB> {
    fn own(self, operation: &'static str) -> Result<(Owned<'c, DB>, Vec<&'static str>)> {
        match self {
            Self::Own { transaction, emitted } => Ok((transaction, emitted)),
            Self::Lent { .. } => Err(Error::new(
                ErrorKind::Refused,
                operation,
                "`#[emits]` commits this transaction when the function returns, together with its \
                 event, and rolls it back when the function returns an error",
            )),
        }
    }
}

impl<DB: Backend> Owned<'_, DB> {
    async fn commit(self) -> sqlx::Result<()> {
        match self {
            Self::Transaction(transaction) => transaction.commit().await,
            Self::Savepoint(savepoint) => savepoint.commit().await,
        }
    }

    async fn rollback(self) -> sqlx::Result<()> {
        match self {
            Self::Transaction(transaction) => transaction.rollback().await,
            Self::Savepoint(savepoint) => savepoint.rollback().await,
        }
    }
}

impl<DB: Backend> Deref for Owned<'_, DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Transaction(transaction) => transaction,
            Self::Savepoint(savepoint) => savepoint,
        }
    }
}

impl<DB: Backend> DerefMut for Owned<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Transaction(transaction) => transaction,
            Self::Savepoint(savepoint) => savepoint,
        }
    }
}

/// A savepoint in a [`Tx`]. Dropping it rolls back to it.
pub struct Savepoint<'t, DB: Backend> {
    tx: Tx<'t, DB>,
    outer: &'t mut Vec<&'static str>,
}

impl<'t, DB: Backend> Savepoint<'t, DB> {
    /// Keeps what was done since the savepoint, as part of the transaction.
    ///
    /// # Errors
    ///
    /// When the database refuses: a statement since the savepoint had failed.
    pub async fn release(self) -> Result<()> {
        let (savepoint, emitted) = self.tx.inner.own("release a savepoint")?;
        savepoint.commit().await.during("release a savepoint")?;
        self.outer.extend(emitted);
        Ok(())
    }

    /// Undoes what was done since the savepoint.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached.
    pub async fn rollback(self) -> Result<()> {
        self.tx.rollback().await
    }

    /// The savepoint as a transaction.
    pub fn tx(&mut self) -> &mut Tx<'t, DB> {
        &mut self.tx
    }
}

impl<DB: Backend> Deref for Tx<'_, DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        match &self.inner {
            Inner::Own { transaction, .. } => transaction,
            Inner::Lent { connection, .. } => connection,
        }
    }
}

impl<DB: Backend> DerefMut for Tx<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.inner {
            Inner::Own { transaction, .. } => transaction,
            Inner::Lent { connection, .. } => connection,
        }
    }
}

/// What an event can be emitted in: a transaction of the outbox's database, ours or sqlx's, or a
/// connection that is inside one.
///
/// Emitting through a pool does not compile: event and data would not commit together.
///
/// ```compile_fail
/// # use outbox_runtime::{Emittable, Event, Outbox, Postgres, Registered, Registry, Own};
/// # async fn f<R: Registry + Registered<E, Own>, E: Event + Emittable>(
/// #     outbox: Outbox<R, Postgres>, mut pool: sqlx::PgPool, event: E) {
/// outbox.emit(&mut pool, event).await;
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a transaction of this outbox's database, which is `{DB}`",
    label = "events are emitted inside a transaction, so that event and data commit together",
    note = "begin one with `outbox.begin()` or `pool.begin()` and pass `&mut tx`"
)]
pub trait InTransaction<DB: Backend>: Send {
    /// The connection.
    fn connection(&mut self) -> &mut DB::Connection;

    /// Remembers to ring for this event after the commit, where that is seen.
    #[doc(hidden)]
    fn emitted(&mut self, name: &'static str) {
        let _ = name;
    }

    /// What caused the events that are emitted in it, where it knows.
    #[doc(hidden)]
    fn cause(&self) -> Option<&Arc<Cause>> {
        None
    }
}

impl<DB: Backend> InTransaction<DB> for Tx<'_, DB> {
    fn connection(&mut self) -> &mut DB::Connection {
        self
    }

    fn emitted(&mut self, name: &'static str) {
        let emitted = match &mut self.inner {
            Inner::Own { emitted, .. } => emitted,
            Inner::Lent { emitted, .. } => emitted,
        };
        if !emitted.contains(&name) {
            emitted.push(name);
        }
    }

    fn cause(&self) -> Option<&Arc<Cause>> {
        self.cause.as_ref()
    }
}

impl<DB: Backend> InTransaction<DB> for sqlx::Transaction<'_, DB> {
    fn connection(&mut self) -> &mut DB::Connection {
        self
    }
}

#[cfg(feature = "postgres")]
impl InTransaction<sqlx::Postgres> for sqlx::PgConnection {
    fn connection(&mut self) -> &mut sqlx::PgConnection {
        self
    }
}

#[cfg(feature = "sqlite")]
impl InTransaction<sqlx::Sqlite> for sqlx::SqliteConnection {
    fn connection(&mut self) -> &mut sqlx::SqliteConnection {
        self
    }
}
