//! What a contestant can do.

use std::fmt;
use std::future::Future;
use std::ops::Range;

use anyhow::{Error, Result};
use tokio_util::sync::CancellationToken;

use crate::handler::Handler;
use crate::task::Setup;

/// Something that delivers events. Each is set up as its own documentation recommends for throughput,
/// and durable.
///
/// What it cannot do it refuses with [`unsupported`], which is reported in the tables.
pub trait Contestant: Sized + Send + Sync + 'static {
    /// Connects. Whatever a process needs for the whole of its life is made here, before the watch is
    /// started.
    fn open(setup: &Setup) -> impl Future<Output = Result<Self>> + Send;

    /// Makes its tables, and registers the consumers of the setup if they are to be known. The
    /// application's own tables are there already: `business (n bigint primary key, body text not null)`
    /// and `total (key text primary key, events bigint not null)`.
    fn install(&self) -> impl Future<Output = Result<()>> + Send;

    /// Emits `Order::of(n)` for each `n`, to every consumer of the setup, in whatever way is fastest.
    fn fill(&self, orders: Range<u64>) -> impl Future<Output = Result<()>> + Send;

    /// In one transaction: inserts a row `(n, body)` into `business`, `n` being the first of the
    /// orders and `body` its JSON, and emits each order to every consumer. Returns once it is
    /// committed.
    fn emit(&self, orders: Range<u64>) -> impl Future<Output = Result<()>> + Send;

    /// Runs the consumers of the setup, as one worker, until it is told to stop; then returns once
    /// everything that was handled is recorded.
    ///
    /// In each delivery the payload is decoded into a struct and given to
    /// [`Handler::handle`](crate::Handler::handle). For
    /// [`Kind::Projection`](crate::Kind::Projection) the row in `total` is changed as well.
    fn work(
        &self,
        handler: Handler,
        stop: CancellationToken,
    ) -> impl Future<Output = Result<()>> + Send;

    /// How many deliveries of the events emitted so far are not recorded as handled (or as failed).
    /// Asked only when everything was handled, until it is zero; it need not be cheap, and need not be
    /// exact as long as it is not zero.
    fn unrecorded(&self) -> impl Future<Output = Result<u64>> + Send;
}

/// The error of what a contestant cannot do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported(pub(crate) String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unsupported {}

/// This cannot be done by this contestant, and why.
pub fn unsupported(why: impl Into<String>) -> Error {
    Unsupported(why.into()).into()
}
