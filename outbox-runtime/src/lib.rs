//! Typed events in a transactional outbox, delivered to every consumer whatever crashes.
//!
//! A service changes its state and records what happened in one transaction; any number of consumers
//! react to it, each at its own pace. Four things to know:
//!
//! * [`Event`]: a struct with a permanent name and a version, by `#[derive(Event)]`;
//! * [`consumer`](macro@consumer): an async function that receives events of one type;
//! * [`registry!`]: the list of an application's events and consumers, which the compiler checks;
//! * [`Outbox`], in which transactions emit, and [`Worker`], which runs the consumers.
//!
//! ```
//! # #[cfg(feature = "sqlite")] {
//! use outbox_runtime::{Delivery, Event, Outbox, Sqlite, Worker, consumer, registry};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(name = "order.placed", version = 1, key = order_id)]
//! struct OrderPlaced {
//!     order_id: u64,
//!     total: i64,
//! }
//!
//! #[consumer(name = "log", start = beginning, ordered, retry(max = 5, backoff = "1s..1m"))]
//! async fn log(order: Delivery<OrderPlaced>) -> Result<(), std::io::Error> {
//!     println!("order {} over {}", order.order_id, order.total);
//!     Ok(())
//! }
//!
//! registry! {
//!     /// Everything this service emits and consumes.
//!     struct Shop;
//!     events: [OrderPlaced],
//!     consumers: [log],
//! }
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! # let folder = tempfile::tempdir().unwrap();
//! # let url = format!("sqlite://{}/shop.db?mode=rwc", folder.path().display());
//! let pool = sqlx::SqlitePool::connect(&url).await?;
//! let outbox = Outbox::<Shop, Sqlite>::new(pool);
//! outbox.migrate().await?;
//!
//! let mut tx = outbox.begin().await?;
//! // ... your own statements, on `&mut *tx` ...
//! outbox.emit(&mut tx, OrderPlaced { order_id: 7, total: 100 }).await?;
//! tx.commit().await?;
//!
//! let done = Worker::new(outbox, ()).drain().await?;
//! assert_eq!(done.handled, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
//! # }
//! ```
//!
//! # Features
//!
//! * `postgres` (default): Postgres 15 and newer.
//! * `sqlite`: SQLite 3.42 and newer, bundled.
//! * `axum`: [`OutboxTx`] as an extractor of axum 0.8.
//!
//! Either database or both.

mod backoff;
mod bell;
mod clock;
mod consumer;
mod declaration;
mod details;
mod emits;
mod emitter;
mod error;
mod event;
pub mod guide;
mod handler;
pub mod headers;
mod json;
mod key;
pub mod migrations;
#[cfg(test)]
mod model;
mod name;
mod operations;
mod outbox;
#[doc(hidden)]
pub mod private;
mod registry;
mod retry;
mod store;
pub mod testing;
mod tx;
mod whole;
mod worker;

pub use clock::Clock;
pub use consumer::{
    Batch, BatchOptions, BatchOutcome, Bound, Consumer, ConsumerDef, ConsumerError,
    ConsumerOptions, Context, Delivery, DeliveryMode, FromRef, HandleBatch, HandleEach, HandleTx,
    IntoBatchOutcome, IntoOutcome, OnDead, Outcome, Start, State,
};
pub use declaration::Declaration;
pub use details::{Alias, DelayInfo, KeyInfo};
pub use emits::{AsOutput, HasOutbox, OutboxTx};
pub use error::{Error, ErrorKind, Result};
pub use event::{
    DecodeError, Emit, Emittable, Emitted, Event, IntoEmit, Payload, Position, StoredEvent,
};
pub use handler::{EmittingHandler, HandlerInfo};
pub use headers::{Cause, Headers};
pub use key::{EventKey, MAX_KEY_BYTES};
pub use name::{EventName, MAX_NAME_BYTES, is_valid_name};
pub use operations::{Replay, Skip};
pub use outbox::{Changed, EmitChanged, Limits, Outbox, OutboxBuilder};
pub use registry::{
    By, ConsumerInfo, Consumers, EventInfo, Includes, ListedIn, Own, Registered, Registry,
    RegistryInfo, Via,
};
pub use retry::{Attempt, Retry, RetryFn, RetryPolicy};
#[cfg(feature = "postgres")]
pub use sqlx::Postgres;
#[cfg(feature = "sqlite")]
pub use sqlx::Sqlite;

pub use outbox_macros::{Event, EventKey, consumer, emits, registry};
pub use store::{
    AttemptError, Backend, ConsumerStats, DeliveryFilter, DeliveryInfo, DeliveryState, EventFilter,
    Rate, ShardInfo, WorkerInfo, tidy_pool,
};
pub use tx::{InTransaction, Savepoint, Tx};
pub use worker::{Change, Notice, Tally, Worker};
