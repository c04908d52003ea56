//! Transactions: ours, which rings the bell after its commit, and any other that can be emitted in.

use std::ops::{Deref, DerefMut};

use sqlx::{Acquire, Transaction};

use crate::bell::Bell;
use crate::error::{During, Result};
use crate::store::Backend;

/// A database transaction that wakes consumers as soon as it has committed.
///
/// Dereferences to the connection, so that queries run on `&mut *tx`. Dropping it rolls back.
pub struct Tx<'c, DB: Backend> {
    inner: Transaction<'c, DB>,
    emitted: Vec<&'static str>,
    bell: Bell,
}

impl<'c, DB: Backend> Tx<'c, DB> {
    pub(crate) fn new(inner: Transaction<'c, DB>, bell: Bell) -> Self {
        Self { inner, emitted: Vec::new(), bell }
    }

    /// Commits, then wakes the consumers of what was emitted: those of this process at once, and on
    /// Postgres those of other processes with a `NOTIFY` soon after, from another connection.
    ///
    /// # Errors
    ///
    /// When the database refuses to commit; nothing has happened then, unless the connection was
    /// lost while it answered: then the outcome is unknown, as with every database.
    pub async fn commit(self) -> Result<()> {
        self.inner.commit().await.during("commit")?;
        self.bell.committed(&self.emitted);
        Ok(())
    }

    /// Undoes everything.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached; it rolls back by itself then.
    pub async fn rollback(self) -> Result<()> {
        self.inner.rollback().await.during("roll back")
    }

    /// Sets a savepoint. What is emitted in it counts only if it is committed as well.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_, DB>> {
        let inner = self.inner.begin().await.during("set a savepoint")?;
        let tx = Tx { inner, emitted: Vec::new(), bell: self.bell.clone() };
        Ok(Savepoint { tx, outer: &mut self.emitted })
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
        self.tx.inner.commit().await.during("release a savepoint")?;
        self.outer.extend(self.tx.emitted);
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
        &self.inner
    }
}

impl<DB: Backend> DerefMut for Tx<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
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
}

impl<DB: Backend> InTransaction<DB> for Tx<'_, DB> {
    fn connection(&mut self) -> &mut DB::Connection {
        &mut self.inner
    }

    fn emitted(&mut self, name: &'static str) {
        if !self.emitted.contains(&name) {
            self.emitted.push(name);
        }
    }
}

impl<DB: Backend> InTransaction<DB> for Transaction<'_, DB> {
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
