//! Connections on loan from the user's pool, and transactions on them.
//!
//! When a connection is given back, sqlx asks it whether it is well, and waits for the answer as long as
//! it takes. One that has fallen silent (a machine or a firewall in between is gone) never answers: its
//! place in the pool would be taken until TCP gives up, after a quarter of an hour or never, and once
//! all places are, the pool is of no use to anybody. So a loan gives back by itself, and lets go of a
//! connection that does not answer soon.

// The signatures of `Store` name these types, and `Store` is named by the public `Backend`; the
// module itself is private.
#![allow(unreachable_pub)]

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::SqlStr;
use sqlx::pool::PoolConnection;
use sqlx_core::transaction::TransactionManager;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::Backend;

/// How long a connection that is given back may take to answer. (If it is still busy with a statement that
/// nobody waits for any more, a new one is better, too.)
pub(super) const GIVING_BACK: Duration = Duration::from_secs(2);

/// A connection of the pool, given back on drop.
pub struct Loan<DB: Backend>(Option<PoolConnection<DB>>);

impl<DB: Backend> Loan<DB> {
    pub(super) fn of(connection: PoolConnection<DB>) -> Self {
        Self(Some(connection))
    }

    /// Closes the connection instead of giving it back.
    pub(crate) fn discard(mut self) {
        if let Some(mut connection) = self.0.take() {
            connection.close_on_drop();
        }
    }
}

impl<DB: Backend> Drop for Loan<DB> {
    fn drop(&mut self) {
        let Some(mut connection) = self.0.take() else { return };
        match Handle::try_current() {
            // When the time is over the connection is dropped, and its place is free.
            Ok(runtime) => drop(runtime.spawn(timeout(GIVING_BACK, connection.return_to_pool()))),
            // Nobody could be asked here. It is closed, and its place is free.
            Err(_) => drop(connection.detach()),
        }
    }
}

impl<DB: Backend> Deref for Loan<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        self.0.as_deref().expect("it is there until the loan is dropped")
    }
}

impl<DB: Backend> DerefMut for Loan<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.0.as_deref_mut().expect("it is there until the loan is dropped")
    }
}

/// A transaction on a connection of the pool; rolled back on drop. As sqlx's own, which gives its
/// connection back in sqlx's way.
pub struct Transaction<DB: Backend> {
    connection: Loan<DB>,
    open: bool,
}

impl<DB: Backend> Transaction<DB> {
    /// Begins with a statement. Not to be dropped before it has ended: see `Connections::begin`.
    pub(super) async fn begin(connection: Loan<DB>, statement: SqlStr) -> sqlx::Result<Self> {
        // Whether it has begun is not known if it fails.
        let mut tx = Self { connection, open: true };
        DB::TransactionManager::begin(&mut tx.connection, Some(statement)).await?;
        Ok(tx)
    }

    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        DB::TransactionManager::commit(&mut self.connection).await?;
        self.open = false;
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> sqlx::Result<()> {
        DB::TransactionManager::rollback(&mut self.connection).await?;
        self.open = false;
        Ok(())
    }
}

impl<DB: Backend> Drop for Transaction<DB> {
    fn drop(&mut self) {
        if self.open {
            // Sent with the question whether the connection is well.
            DB::TransactionManager::start_rollback(&mut self.connection);
        }
    }
}

impl<DB: Backend> Deref for Transaction<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.connection
    }
}

impl<DB: Backend> DerefMut for Transaction<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.connection
    }
}
