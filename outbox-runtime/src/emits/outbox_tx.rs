//! The transaction that a handler owns, and where it comes from.

use std::sync::Arc;

use crate::emitter::Emitter;
use crate::error::Result;
use crate::headers::Cause;
use crate::outbox::Outbox;
use crate::store::Backend;
use crate::tx::Tx;

/// A transaction that a handler owns, not begun yet: so a client that takes its time over the
/// request's body keeps no connection, and on SQLite not the write lock.
///
/// As an argument of a function with [`#[emits]`](macro@crate::emits), it is begun when the
/// function's body runs, in which it is a [`Tx`]; elsewhere, [`begin`](Self::begin) it. With the
/// feature `axum` it is an extractor; in tests and plain functions, make one:
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use outbox_runtime::testing::TestOutbox;
/// use outbox_runtime::{Error, OutboxTx, Sqlite, emits, registry};
///
/// #[emits(name = "rpc.greet", input(name))]
/// async fn greet(tx: OutboxTx<Sqlite>, name: String) -> Result<String, Error> {
///     Ok(format!("Hello, {name}!"))
/// }
///
/// registry! {
///     struct Greeter;
///     events: [GreetEvent],
/// }
///
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
/// let outbox = TestOutbox::<Greeter, Sqlite>::new().await?;
/// greet(OutboxTx::new(&outbox), "Ada".to_owned()).await?;
/// assert_eq!(outbox.emitted::<GreetEvent>().await?[0].output, "Hello, Ada!");
/// # Ok::<(), Error>(()) }).unwrap();
/// # }
/// ```
pub struct OutboxTx<DB: Backend> {
    emitter: Arc<Emitter<DB>>,
    cause: Option<Arc<Cause>>,
}

impl<DB: Backend> OutboxTx<DB> {
    /// A transaction of this outbox.
    #[must_use]
    pub fn new<R>(outbox: &Outbox<R, DB>) -> Self {
        Self { emitter: Arc::clone(&outbox.emitter), cause: None }
    }

    /// Says what the transaction serves: events that are emitted in it carry this cause, unless the
    /// task that emits has one of its own ([`Cause::scope`]).
    #[must_use]
    pub fn caused_by(mut self, cause: Cause) -> Self {
        self.cause = Some(Arc::new(cause));
        self
    }

    /// Begins the transaction.
    ///
    /// # Errors
    ///
    /// As [`Outbox::begin`].
    pub async fn begin(self) -> Result<Tx<'static, DB>> {
        Tx::begin(&self.emitter, self.cause).await
    }

    pub(super) fn emitter(&self) -> &Arc<Emitter<DB>> {
        &self.emitter
    }

    pub(super) fn cause(&self) -> Option<Arc<Cause>> {
        self.cause.clone()
    }
}

impl<DB: Backend> std::fmt::Debug for OutboxTx<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutboxTx").finish_non_exhaustive()
    }
}

/// An application's state that has an outbox on the database `DB`: what [`OutboxTx`] comes from.
///
/// ```
/// # #[cfg(feature = "postgres")] {
/// use outbox_runtime::{HasOutbox, Outbox, Postgres};
/// # use outbox_runtime::{Event, registry};
/// # #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// # #[event(name = "order.placed")]
/// # struct OrderPlaced {}
/// # registry! { struct Shop; events: [OrderPlaced] }
///
/// #[derive(Clone)]
/// struct AppState {
///     outbox: Outbox<Shop, Postgres>,
/// }
///
/// impl HasOutbox<Postgres> for AppState {
///     type Registry = Shop;
///
///     fn outbox(&self) -> &Outbox<Shop, Postgres> {
///         &self.outbox
///     }
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no outbox on the database `{DB}`",
    label = "no outbox in this state",
    note = "implement `HasOutbox<{DB}>` for `{Self}`, or let the state be the `Outbox` itself"
)]
pub trait HasOutbox<DB: Backend> {
    /// The registry of the outbox.
    type Registry;

    /// The outbox.
    fn outbox(&self) -> &Outbox<Self::Registry, DB>;
}

impl<R, DB: Backend> HasOutbox<DB> for Outbox<R, DB> {
    type Registry = R;

    fn outbox(&self) -> &Self {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<S: HasOutbox<DB>, DB: Backend> HasOutbox<DB> for Arc<S> {
    type Registry = S::Registry;

    fn outbox(&self) -> &Outbox<S::Registry, DB> {
        S::outbox(self)
    }
}
