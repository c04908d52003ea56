//! For tests of services that use the outbox: a database of their own, a clock that they move,
//! and assertions on what was emitted.
//!
//! ```
//! # #[cfg(feature = "sqlite")] {
//! use outbox_runtime::testing::TestOutbox;
//! use outbox_runtime::{Delivery, Event, Sqlite, State, consumer, registry};
//! use std::sync::{Arc, Mutex};
//!
//! #[derive(Event, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
//! #[event(name = "order.placed", version = 1)]
//! struct OrderPlaced { total: i64 }
//!
//! #[consumer(name = "sum", start = beginning)]
//! async fn sum(order: Delivery<OrderPlaced>, State(sum): State<Arc<Mutex<i64>>>) {
//!     *sum.lock().unwrap() += order.total;
//! }
//!
//! registry! {
//!     pub struct Shop;
//!     state: Arc<Mutex<i64>>,
//!     events: [OrderPlaced],
//!     consumers: [sum],
//! }
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! let outbox = TestOutbox::<Shop, Sqlite>::new().await?;
//! let mut tx = outbox.begin().await?;
//! outbox.emit(&mut tx, OrderPlaced { total: 7 }).await?;
//! tx.commit().await?;
//!
//! let state = Arc::new(Mutex::new(0));
//! outbox.drain(state.clone()).await?;
//! assert_eq!(*state.lock().unwrap(), 7);
//! assert_eq!(outbox.emitted::<OrderPlaced>().await?, [OrderPlaced { total: 7 }]);
//! # Ok::<(), outbox_runtime::Error>(()) }).unwrap();
//! # }
//! ```

mod call;
mod database;

use std::ops::Deref;
use std::time::Duration;

use chrono::Utc;

pub use call::deliver;
pub use database::{TestBackend, TestDatabase};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::outbox::{Outbox, OutboxBuilder};
use crate::registry::{Consumers, Registry};
use crate::store::EventFilter;
use crate::worker::{Tally, Worker};

/// An [`Outbox`] in a database of its own, with a clock that stands still until it is moved.
/// Dereferences to the outbox. The database is removed when this is dropped.
#[derive(Debug)]
pub struct TestOutbox<R, DB: TestBackend> {
    outbox: Outbox<R, DB>,
    clock: Clock,
    // Last, so that it is dropped after what uses it.
    database: TestDatabase<DB>,
}

impl<R: Registry, DB: TestBackend> TestOutbox<R, DB> {
    /// An outbox in a new, migrated database.
    ///
    /// # Errors
    ///
    /// When the database cannot be made: see [`TestDatabase::create`].
    pub async fn new() -> Result<Self> {
        Self::with(Ok).await
    }

    /// The same, with options.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), or what `options` says.
    pub async fn with(
        options: impl FnOnce(OutboxBuilder<R, DB>) -> Result<OutboxBuilder<R, DB>>,
    ) -> Result<Self> {
        let database = TestDatabase::create().await?;
        let clock = Clock::manual(Utc::now());
        let builder = Outbox::builder(database.pool().clone()).clock(clock.clone());
        let outbox = options(builder)?.build();
        outbox.migrate().await?;
        Ok(Self { outbox, clock, database })
    }

    /// An outbox in a database whose tables are there already: to which an application has applied
    /// its migration files.
    ///
    /// ```no_run
    /// # use outbox_runtime::{Registry, Sqlite};
    /// # use outbox_runtime::testing::{TestDatabase, TestOutbox};
    /// # async fn test<Shop: Registry>() -> Result<(), Box<dyn std::error::Error>> {
    /// let database = TestDatabase::<Sqlite>::create().await?;
    /// // sqlx::migrate!().run(database.pool()).await?;
    /// let outbox = TestOutbox::<Shop, Sqlite>::on(database);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn on(database: TestDatabase<DB>) -> Self {
        let clock = Clock::manual(Utc::now());
        let outbox = Outbox::builder(database.pool().clone()).clock(clock.clone()).build();
        Self { outbox, clock, database }
    }

    /// The outbox, to clone.
    #[must_use]
    pub fn outbox(&self) -> &Outbox<R, DB> {
        &self.outbox
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &TestDatabase<DB> {
        &self.database
    }

    /// The clock, for another outbox on the same database.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Lets time pass: what is delayed or retrying comes due. (Workers that are running notice.)
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Every event of this type in the log, in order, upcast to this version.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Undecodable`] when one cannot be read as this type.
    pub async fn emitted<E: Event>(&self) -> Result<Vec<E>> {
        let mut found = Vec::new();
        let mut filter = EventFilter::all().name(E::NAME);
        loop {
            let page = self.outbox.events(&filter).await?;
            let Some(last) = page.last() else { return Ok(found) };
            filter = filter.after(last.position);
            for event in &page {
                found.push(E::decode(event.version, &event.payload).map_err(|error| {
                    Error::new(ErrorKind::Undecodable, "read emitted events", error.to_string())
                })?);
            }
        }
    }
}

impl<R: Consumers<DB>, DB: TestBackend> TestOutbox<R, DB> {
    /// Runs every consumer until nothing is due.
    ///
    /// # Errors
    ///
    /// As [`Worker::drain`].
    pub async fn drain(&self, state: R::State) -> Result<Tally> {
        Worker::new(self.outbox.clone(), state).drain().await
    }
}

impl<R, DB: TestBackend> Deref for TestOutbox<R, DB> {
    type Target = Outbox<R, DB>;

    fn deref(&self) -> &Self::Target {
        &self.outbox
    }
}
