//! Connections that go from one transaction to the next, as where each writer has one of its own.
//!
//! sqlx's pool asks a connection whether it is well when it is taken and when it is given back; what does
//! without is the limit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use sqlx::Pool;
use sqlx::pool::PoolConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::database::Database;

/// The connections of the writers.
pub(super) struct Kept<DB: Database> {
    pool: Pool<DB>,
    /// As many as there may be connections.
    places: Arc<Semaphore>,
    idle: Mutex<Vec<PoolConnection<DB>>>,
}

/// The connection of a writer.
pub(super) struct Taken<DB: Database> {
    pub(super) connection: PoolConnection<DB>,
    /// Whoever waits comes next once the connection is idle, or closed.
    place: OwnedSemaphorePermit,
}

impl<DB: Database> Kept<DB> {
    pub(super) fn of(pool: Pool<DB>) -> Self {
        let places = Semaphore::new(pool.options().get_max_connections() as usize);
        Self { pool, places: Arc::new(places), idle: Mutex::default() }
    }

    /// The connection that was given back last, or a new one.
    pub(super) async fn take(&self) -> Result<Taken<DB>> {
        let place = Arc::clone(&self.places).acquire_owned().await?;
        let kept = self.idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.pool.acquire().await?,
        };
        Ok(Taken { connection, place })
    }

    /// Keeps one whose transaction was committed.
    pub(super) fn give_back(&self, Taken { connection, place }: Taken<DB>) {
        self.idle().push(connection);
        drop(place);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PoolConnection<DB>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
