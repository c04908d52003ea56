//! Consumers: what the user's functions receive, return, and may say about themselves.

mod delivery;
mod error;
mod handler;
mod options;
mod outcome;

pub use delivery::{Batch, Context, Delivery, FromRef, State};
pub use error::ConsumerError;
#[cfg(test)]
pub(crate) use handler::Verdict;
pub(crate) use handler::{Attempted, Failure, Handler, OnReading, RunEach};
pub use handler::{Bound, Consumer, ConsumerDef, HandleBatch, HandleEach, HandleTx};
pub use options::{BatchOptions, ConsumerOptions, DeliveryMode, OnDead, Start};
pub use outcome::{BatchOutcome, IntoBatchOutcome, IntoOutcome, Outcome};
