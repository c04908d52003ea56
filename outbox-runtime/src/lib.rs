//! Typed events in a transactional outbox, delivered to every consumer whatever crashes.
//!
//! This is a placeholder text.

mod bell;
mod clock;
mod consumer;
mod error;
mod event;
pub mod headers;
mod json;
mod key;
mod name;
mod outbox;
#[doc(hidden)]
pub mod private;
mod registry;
mod retry;
mod store;
pub mod testing;
mod tx;
mod worker;

pub use clock::Clock;
pub use consumer::{
    Batch, BatchOptions, BatchOutcome, Bound, Consumer, ConsumerDef, ConsumerError,
    ConsumerOptions, Context, Delivery, DeliveryMode, FromRef, HandleBatch, HandleEach, HandleTx,
    IntoBatchOutcome, IntoOutcome, OnDead, Outcome, Start, State,
};
pub use error::{Error, ErrorKind, Result};
pub use event::{DecodeError, Emit, Emitted, Event, IntoEmit, Position, StoredEvent};
pub use headers::{Cause, Headers};
pub use key::{EventKey, MAX_KEY_BYTES};
pub use name::{EventName, MAX_NAME_BYTES, is_valid_name};
pub use outbox::{Changed, EmitChanged, Limits, Outbox, OutboxBuilder};
pub use registry::{ConsumerInfo, Consumers, EventInfo, Own, Registered, Registry, RegistryInfo};
pub use retry::{Attempt, Retry, RetryFn, RetryPolicy};
#[cfg(feature = "postgres")]
pub use sqlx::Postgres;
#[cfg(feature = "sqlite")]
pub use sqlx::Sqlite;

pub use outbox_macros::{Event, consumer, registry};
pub use store::{
    AttemptError, Backend, ConsumerStats, DeliveryFilter, DeliveryInfo, DeliveryState, EventFilter,
};
pub use tx::{InTransaction, Savepoint, Tx};
pub use worker::{Change, Notice, Tally, Worker};
