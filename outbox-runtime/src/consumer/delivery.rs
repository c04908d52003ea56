//! What a handler receives.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::emitter::add_to_events;
use crate::error::Result;
use crate::event::{DecodeError, Emitted, Event, IntoEmit, Position, StoredEvent};
use crate::headers::{self, Headers, Stamp};
use crate::store::Backend;
use crate::tx::Tx;

/// One event on its way to one consumer. Dereferences to the event.
#[derive(Debug)]
pub struct Delivery<E> {
    /// The event, upcast to the version that the consumer names.
    pub event: E,
    stored: Arc<StoredEvent>,
    consumer: &'static str,
    attempt: u32,
}

impl<E> Delivery<E> {
    /// The event's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.stored.id
    }

    /// The event's position in the log.
    #[must_use]
    pub fn position(&self) -> Position {
        self.stored.position
    }

    /// The version in which the event was stored.
    #[must_use]
    pub fn stored_version(&self) -> u32 {
        self.stored.version
    }

    /// The event's key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.stored.key.as_deref()
    }

    /// The event's headers.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.stored.headers
    }

    /// When the database appended the event.
    #[must_use]
    pub fn created_at(&self) -> DateTime<Utc> {
        self.stored.created_at
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The same text for every attempt of this consumer at this event, and for no other: pass it
    /// to outside systems that offer idempotency keys.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        idempotency_key(self.consumer, self.stored.id)
    }

    /// The event alone.
    #[must_use]
    pub fn into_event(self) -> E {
        self.event
    }
}

impl<E: Event> Delivery<E> {
    pub(crate) fn decode(
        stored: Arc<StoredEvent>,
        consumer: &'static str,
        attempt: u32,
    ) -> Result<Self, DecodeError> {
        let event = E::decode(stored.version, &stored.payload)?;
        Ok(Self { event, stored, consumer, attempt })
    }
}

impl<E> Deref for Delivery<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.event
    }
}

impl<E> DerefMut for Delivery<E> {
    fn deref_mut(&mut self) -> &mut E {
        &mut self.event
    }
}

/// Several deliveries at once, in the order of the log.
#[derive(Debug)]
pub struct Batch<E> {
    deliveries: Vec<Delivery<E>>,
}

impl<E> Batch<E> {
    pub(crate) fn new(deliveries: Vec<Delivery<E>>) -> Self {
        Self { deliveries }
    }
}

impl<E> Deref for Batch<E> {
    type Target = [Delivery<E>];

    fn deref(&self) -> &[Delivery<E>] {
        &self.deliveries
    }
}

impl<E> IntoIterator for Batch<E> {
    type Item = Delivery<E>;
    type IntoIter = std::vec::IntoIter<Delivery<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.deliveries.into_iter()
    }
}

impl<'a, E> IntoIterator for &'a Batch<E> {
    type Item = &'a Delivery<E>;
    type IntoIter = std::slice::Iter<'a, Delivery<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.deliveries.iter()
    }
}

/// The circumstances of an attempt.
#[derive(Clone, Debug)]
pub struct Context(Arc<Circumstances>);

#[derive(Debug)]
struct Circumstances {
    consumer: &'static str,
    /// Of a batch: the first.
    event: Arc<StoredEvent>,
    attempt: u32,
    /// Fires when the worker is told to stop.
    stop: CancellationToken,
    /// A child of it, made when somebody asks: hardly any handler does.
    cancelled: OnceLock<CancellationToken>,
}

impl Context {
    pub(crate) fn new(
        consumer: &'static str,
        event: Arc<StoredEvent>,
        attempt: u32,
        stop: CancellationToken,
    ) -> Self {
        Self(Arc::new(Circumstances { consumer, event, attempt, stop, cancelled: OnceLock::new() }))
    }

    /// For what the handler emits.
    pub(crate) fn stamp(&self) -> Arc<dyn Stamp> {
        Arc::clone(&self.0) as Arc<dyn Stamp>
    }

    /// Tells what the handler left running that the attempt has ended without it.
    pub(crate) fn cancel(&self) {
        self.0.cancelled.get_or_init(CancellationToken::new).cancel();
    }

    /// The consumer's name.
    #[must_use]
    pub fn consumer(&self) -> &'static str {
        self.0.consumer
    }

    /// The event's id (of a batch: the first event's).
    #[must_use]
    pub fn event_id(&self) -> Uuid {
        self.0.event.id
    }

    /// Which attempt this is, from 1 (of a batch: the first event's).
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// The same text for every attempt of this consumer at this event, and for no other. (In a
    /// batch, ask each [`Delivery`] for its own.)
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        idempotency_key(self.consumer(), self.event_id())
    }

    /// Fires when the attempt times out or panics, the lease is lost, or the worker is told to stop.
    /// The handler itself is dropped in all cases but the last: pass it to what it leaves running.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        self.0.cancelled.get_or_init(|| self.0.stop.child_token())
    }

    /// Emits an event that names the one being handled as its cause, in this transaction: the one
    /// that the consumer was given, or another one of an outbox. (What a handler emits on its own
    /// task is stamped so by itself; this works on other tasks as well.)
    ///
    /// ```
    /// # #[cfg(feature = "postgres")] {
    /// use outbox_runtime::{Context, Delivery, Error, Event, Postgres, Tx, consumer};
    /// # #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    /// # #[event(name = "order.placed")]
    /// # struct OrderPlaced { id: u64 }
    /// # #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    /// # #[event(name = "stock.reserved")]
    /// # struct StockReserved { order: u64 }
    ///
    /// #[consumer(name = "stock.reserve", delivery = tx)]
    /// async fn reserve(
    ///     order: Delivery<OrderPlaced>,
    ///     tx: &mut Tx<'_, Postgres>,
    ///     context: Context,
    /// ) -> Result<(), Error> {
    ///     context.emit(tx, StockReserved { order: order.id }).await?;
    ///     Ok(())
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Outbox::emit`](crate::Outbox::emit), and [`Refused`](crate::ErrorKind::Refused) when
    /// the registry of the transaction's outbox does not list the event.
    pub async fn emit<E: IntoEmit, DB: Backend>(
        &self,
        tx: &mut Tx<'_, DB>,
        event: E,
    ) -> Result<Emitted> {
        let emitter = Arc::clone(tx.emitter());
        emitter.listed.check(E::Event::NAME, E::Event::VERSION, add_to_events::<E::Event>)?;
        let stamp = |headers: &mut Headers| self.0.stamp_on(headers);
        let event = emitter.prepare(event.into_emit(), stamp)?;
        emitter.append_one(tx, event).await
    }
}

impl Stamp for Circumstances {
    fn stamp_on(&self, headers: &mut Headers) {
        let id = self.event.id.to_string();
        let own = |name| self.event.headers.get(name);
        headers.set_if_absent(headers::CAUSATION_ID, Some(&id));
        headers.set_if_absent(headers::CAUSED_BY, Some(self.consumer));
        headers.set_if_absent(headers::CORRELATION_ID, own(headers::CORRELATION_ID).or(Some(&id)));
        headers.set_if_absent(headers::TRACEPARENT, own(headers::TRACEPARENT));
        headers.set_if_absent(headers::TRACESTATE, own(headers::TRACESTATE));
    }
}

fn idempotency_key(consumer: &str, id: Uuid) -> String {
    format!("{consumer}/{id}")
}

/// A part of the application's state, as a handler's argument.
#[derive(Clone, Copy, Debug)]
pub struct State<T>(pub T);

/// How a part `Self` is had from the application's state `S`. Every cloneable state has itself.
///
/// ```
/// use outbox_runtime::FromRef;
///
/// #[derive(Clone)]
/// struct Mailer;
/// struct AppState { mailer: Mailer }
///
/// impl FromRef<AppState> for Mailer {
///     fn from_ref(state: &AppState) -> Self {
///         state.mailer.clone()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`State<{Self}>` is not available from `{S}`",
    label = "not part of the application's state",
    note = "implement `FromRef<{S}>` for `{Self}`"
)]
pub trait FromRef<S> {
    /// The part.
    fn from_ref(state: &S) -> Self;
}

impl<S: Clone> FromRef<S> for S {
    fn from_ref(state: &S) -> S {
        state.clone()
    }
}
