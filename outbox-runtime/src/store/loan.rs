//! Connections on loan from the user's pool, and transactions on them.
//!
//! When a connection is given back, sqlx asks it whether it is well, and waits for the answer as long as
//! it takes. One that has fallen silent (a machine or a firewall in between is gone) never answers: its
//! place in the pool would be taken until TCP gives up, after a quarter of an hour or never, and once
//! all places are, the pool is of no use to anybody. So a loan gives back by itself, and lets go of a
//! connection that does not answer soon: at once where it has just been waited for in vain.

// The signatures of `Store` name these types, and `Store` is named by the public `Backend`; the
// module itself is private.
#![allow(unreachable_pub)]

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlStr;
use sqlx::pool::PoolConnection;
use sqlx_core::transaction::TransactionManager;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::Backend;
use super::connections::{Found, Shared, ask};
use super::relay::{Relay, Runner};

/// How long a connection that is given back may take to answer. (If it is still busy with a statement that
/// nobody waits for any more, a new one is better, too.)
pub(super) const GIVING_BACK: Duration = Duration::from_secs(2);

/// A connection of the pool, given back on drop.
pub struct Loan<DB: Backend> {
    connection: Option<PoolConnection<DB>>,
    /// What it is asked before anybody else gets it, and who is told of the answer.
    question: Option<(&'static str, Arc<Shared>)>,
}

impl<DB: Backend> Loan<DB> {
    pub(super) fn of(connection: PoolConnection<DB>) -> Self {
        Self { connection: Some(connection), question: None }
    }

    /// See [`Connections::ask_when_given_back`](super::connections::Connections).
    pub(super) fn ask_when_given_back(&mut self, question: &'static str, shared: Arc<Shared>) {
        self.question = Some((question, shared));
    }

    /// Whether it has been asked, or need not be.
    pub(super) fn is_free(&self) -> bool {
        self.question.is_none()
    }

    /// It was asked.
    pub(super) fn freed(mut self) -> Self {
        self.question = None;
        self
    }

    /// Leaves this one without its connection.
    pub(super) fn take(&mut self) -> Self {
        Self { connection: self.connection.take(), question: self.question.take() }
    }

    /// Closes the connection instead of giving it back.
    pub(crate) fn discard(mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.close_on_drop();
        }
    }

    /// The same without telling the server, which may not answer: the place is free at once.
    fn abandon(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
    }

    /// Gives it back when it has answered.
    async fn ask(mut self, question: &'static str, shared: Arc<Shared>) {
        match timeout(GIVING_BACK, ask::<DB>(&mut self, question)).await {
            Ok(Ok(Found::Nothing)) => {}
            Ok(Ok(Found::Stray)) => shared.tell_of_stray(),
            Ok(Err(_)) => self.discard(),
            Err(_elapsed) => self.abandon(),
        }
    }
}

impl<DB: Backend> Drop for Loan<DB> {
    fn drop(&mut self) {
        let runtime = match Handle::try_current() {
            Ok(runtime) if !UNANSWERED.get() => runtime,
            // There is nobody to ask, or no use in it.
            _ => return self.abandon(),
        };
        match (self.connection.take(), self.question.take()) {
            (Some(connection), Some((question, shared))) => {
                drop(runtime.spawn(Self::of(connection).ask(question, shared)));
            }
            (Some(mut connection), None) => {
                // When the time is over the connection is dropped, and its place is free.
                drop(runtime.spawn(timeout(GIVING_BACK, connection.return_to_pool())));
            }
            (None, _) => {}
        }
    }
}

impl<DB: Backend> Deref for Loan<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        self.connection.as_deref().expect("it is there until the loan is dropped")
    }
}

impl<DB: Backend> DerefMut for Loan<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        self.connection.as_deref_mut().expect("it is there until the loan is dropped")
    }
}

thread_local! {
    static UNANSWERED: Cell<bool> = const { Cell::new(false) };
}

/// While it is there, the loans that this thread drops have been waited for in vain: their connections
/// are closed. Not to be kept over an `await`.
#[derive(Debug)]
pub(crate) struct Unanswered(());

impl Unanswered {
    pub(crate) fn begin() -> Self {
        UNANSWERED.set(true);
        Self(())
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        UNANSWERED.set(false);
    }
}

/// A transaction on a connection of the pool; rolled back on drop. As sqlx's own, which gives its
/// connection back in sqlx's way, while this one hands it on to the next transaction (see `relay.rs`).
pub struct Transaction<DB: Backend> {
    connection: Runner<DB>,
    state: State,
    relay: Option<Arc<Relay<DB>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody knows whether it has begun, and sqlx would not roll it back.
    Beginning,
    Open,
    Ended,
}

impl<DB: Backend> Transaction<DB> {
    /// Begins with a statement. If this is dropped before it has ended, the connection is closed.
    pub(super) async fn begin(
        connection: Runner<DB>,
        statement: SqlStr,
        relay: Option<Arc<Relay<DB>>>,
    ) -> sqlx::Result<Self> {
        let mut tx = Self { connection, state: State::Beginning, relay };
        let begun = DB::TransactionManager::begin(&mut tx, Some(statement)).await;
        tx.state = State::Open;
        begun.map(|()| tx)
    }

    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        DB::TransactionManager::commit(&mut self).await?;
        self.state = State::Ended;
        // It is in one still where somebody forgot a savepoint.
        let is_free = DB::TransactionManager::get_transaction_depth(&self) == 0;
        if let Some(relay) = self.relay.take().filter(|_| is_free) {
            relay.hand_on(self.connection.take());
        }
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> sqlx::Result<()> {
        DB::TransactionManager::rollback(&mut self).await?;
        self.state = State::Ended;
        Ok(())
    }
}

impl<DB: Backend> Drop for Transaction<DB> {
    fn drop(&mut self) {
        match self.state {
            State::Beginning => self.connection.loan.abandon(),
            // Sent with the question whether the connection is well.
            State::Open => DB::TransactionManager::start_rollback(self),
            State::Ended => {}
        }
    }
}

impl<DB: Backend> Deref for Transaction<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        &self.connection.loan
    }
}

impl<DB: Backend> DerefMut for Transaction<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        &mut self.connection.loan
    }
}
