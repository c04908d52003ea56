//! Connections that go from one transaction to the next, as where each writer has one of its own.
//!
//! sqlx's pool asks a connection whether it is well when it is taken and when it is given back; what does
//! without is the limit.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use sqlx::Pool;
use sqlx::pool::PoolConnection;

use super::database::Database;

/// The connections of the writers.
pub(super) struct Kept<DB: Database> {
    pool: Pool<DB>,
    idle: Mutex<Vec<PoolConnection<DB>>>,
}

impl<DB: Database> Kept<DB> {
    pub(super) fn of(pool: Pool<DB>) -> Self {
        Self { pool, idle: Mutex::default() }
    }

    /// The connection that was given back last, or a new one.
    pub(super) async fn take(&self) -> Result<PoolConnection<DB>> {
        let kept = self.idle().pop();
        match kept {
            Some(connection) => Ok(connection),
            None => Ok(self.pool.acquire().await?),
        }
    }

    /// Keeps one whose transaction was committed.
    pub(super) fn give_back(&self, connection: PoolConnection<DB>) {
        self.idle().push(connection);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PoolConnection<DB>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
