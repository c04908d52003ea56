//! From the typed functions of the user to what the worker can run: the traits that
//! `#[consumer]` implements, and their adapters.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::delivery::{Batch, Context, Delivery};
use super::{BatchOutcome, ConsumerError, ConsumerOptions, Outcome};
use crate::details::ConsumerDetails;
use crate::event::{DecodeError, Event, StoredEvent};
use crate::store::Backend;
use crate::tx::Tx;

/// A consumer: the event that it takes and how it is run. Implemented by `#[consumer]`.
pub trait ConsumerDef: 'static {
    /// The event type: an [`Event`], or else the consumer cannot be [`Bound`]. Generic code writes
    /// `C: ConsumerDef<Event: Event>`.
    // No bound here: the compiler would check its supertraits as well, and so report an event
    // without derives at each of its consumers too.
    type Event;

    /// Name and options.
    const OPTIONS: ConsumerOptions;

    /// Whether [`when`](Self::when) or [`delay`](Self::delay) is overridden, so that events are
    /// decoded when they are read.
    const DECIDES_ON_READING: bool = false;

    /// What the attribute knows besides, for [`ConsumerInfo`](crate::ConsumerInfo).
    #[doc(hidden)]
    const DETAILS: ConsumerDetails = ConsumerDetails::NONE;

    /// Whether this event is for the consumer at all.
    fn when(event: &Self::Event) -> bool {
        let _ = event;
        true
    }

    /// How long after the event was appended it is delivered.
    fn delay(event: &Self::Event) -> Option<Duration> {
        let _ = event;
        None
    }
}

/// A consumer that runs with the state `S` on the database `DB`. Implemented by `#[consumer]`.
#[diagnostic::on_unimplemented(
    message = "consumer `{Self}` cannot run with the state `{S}` on the database `{DB}`",
    label = "not a consumer for this registry",
    note = "a consumer with `tx: &mut Tx<'_, Postgres>` runs on Postgres only, and every `State<T>` \
            must be available from the registry's state"
)]
pub trait Consumer<S, DB: Backend>: ConsumerDef {
    /// The consumer bound to the application's state.
    fn bind(state: &Arc<S>) -> Bound<DB>;
}

/// The handler of one event at a time. Implemented by `#[consumer]`.
pub trait HandleEach<S>: ConsumerDef {
    /// Runs the user's function.
    fn handle(
        delivery: Delivery<Self::Event>,
        state: &S,
        context: Context,
    ) -> impl Future<Output = Result<Outcome, ConsumerError>> + Send;
}

/// The handler of many events at a time. Implemented by `#[consumer]`.
pub trait HandleBatch<S>: ConsumerDef {
    /// Runs the user's function.
    fn handle(
        batch: Batch<Self::Event>,
        state: &S,
        context: Context,
    ) -> impl Future<Output = Result<BatchOutcome, ConsumerError>> + Send;
}

/// The handler that works in the database. Implemented by `#[consumer]`.
pub trait HandleTx<S, DB: Backend>: ConsumerDef {
    /// Runs the user's function.
    fn handle(
        delivery: Delivery<Self::Event>,
        tx: &mut Tx<'_, DB>,
        state: &S,
        context: Context,
    ) -> impl Future<Output = Result<Outcome, ConsumerError>> + Send;
}

/// What a consumer's `when` and `delay` say of an event.
pub(crate) type ReadFn = fn(&StoredEvent) -> Result<OnReading, DecodeError>;

/// A consumer bound to the application's state, ready for a worker.
pub struct Bound<DB: Backend> {
    pub(crate) options: ConsumerOptions,
    pub(crate) event_name: &'static str,
    pub(crate) event_version: u32,
    pub(crate) read: Option<ReadFn>,
    pub(crate) handler: Handler<DB>,
}

/// What is decided when an event is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OnReading {
    pub(crate) wanted: bool,
    pub(crate) delay: Option<Duration>,
}

pub(crate) enum Handler<DB: Backend> {
    Each(Arc<dyn RunEach>),
    Batch(Box<dyn RunBatch>),
    Tx(Box<dyn RunTx<DB>>),
}

/// Why an attempt did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    Error(ConsumerError),
    Undecodable(DecodeError),
}

pub(crate) type Verdict = Result<Outcome, Failure>;

/// An event and the number of the attempt at it.
#[derive(Clone, Debug)]
pub(crate) struct Attempted {
    pub(crate) event: Arc<StoredEvent>,
    pub(crate) attempt: u32,
}

pub(crate) trait RunEach: Send + Sync {
    fn run(&self, attempted: Attempted, context: Context) -> BoxFuture<'static, Verdict>;
}

pub(crate) trait RunBatch: Send + Sync {
    fn run(&self, batch: Vec<Attempted>, context: Context) -> BoxFuture<'static, Vec<Verdict>>;
}

pub(crate) trait RunTx<DB: Backend>: Send + Sync {
    fn run<'a>(
        &'a self,
        attempted: Attempted,
        tx: &'a mut Tx<'_, DB>,
        context: Context,
    ) -> BoxFuture<'a, Verdict>;
}

impl<DB: Backend> Bound<DB> {
    /// A consumer of one event at a time.
    #[must_use]
    pub fn each<C: HandleEach<S, Event: Event>, S: Send + Sync + 'static>(state: &Arc<S>) -> Self {
        Self::new::<C>(Handler::Each(Arc::new(Adapter::<C, S>::new(state))))
    }

    /// A consumer of many events at a time.
    #[must_use]
    pub fn batch<C: HandleBatch<S, Event: Event>, S: Send + Sync + 'static>(
        state: &Arc<S>,
    ) -> Self {
        Self::new::<C>(Handler::Batch(Box::new(Adapter::<C, S>::new(state))))
    }

    /// A consumer that works in the database.
    #[must_use]
    pub fn tx<C: HandleTx<S, DB, Event: Event>, S: Send + Sync + 'static>(state: &Arc<S>) -> Self {
        Self::new::<C>(Handler::Tx(Box::new(Adapter::<C, S>::new(state))))
    }

    fn new<C: ConsumerDef<Event: Event>>(handler: Handler<DB>) -> Self {
        Self {
            options: C::OPTIONS,
            event_name: C::Event::NAME,
            event_version: C::Event::VERSION,
            read: C::DECIDES_ON_READING.then_some(on_reading::<C>),
            handler,
        }
    }

    /// The consumer's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.options.name
    }
}

fn on_reading<C: ConsumerDef<Event: Event>>(
    stored: &StoredEvent,
) -> Result<OnReading, DecodeError> {
    let event = C::Event::decode(stored.version, &stored.payload)?;
    Ok(OnReading { wanted: C::when(&event), delay: C::delay(&event) })
}

struct Adapter<C, S> {
    state: Arc<S>,
    consumer: PhantomData<fn() -> C>,
}

impl<C, S> Adapter<C, S> {
    fn new(state: &Arc<S>) -> Self {
        Self { state: Arc::clone(state), consumer: PhantomData }
    }
}

fn decode<C: ConsumerDef<Event: Event>>(
    attempted: Attempted,
) -> Result<Delivery<C::Event>, Failure> {
    Delivery::decode(attempted.event, C::OPTIONS.name, attempted.attempt)
        .map_err(Failure::Undecodable)
}

impl<C: HandleEach<S, Event: Event>, S: Send + Sync + 'static> RunEach for Adapter<C, S> {
    fn run(&self, attempted: Attempted, context: Context) -> BoxFuture<'static, Verdict> {
        let state = Arc::clone(&self.state);
        Box::pin(async move {
            let delivery = decode::<C>(attempted)?;
            C::handle(delivery, &state, context).await.map_err(Failure::Error)
        })
    }
}

impl<C: HandleTx<S, DB, Event: Event>, S: Send + Sync + 'static, DB: Backend> RunTx<DB>
    for Adapter<C, S>
{
    fn run<'a>(
        &'a self,
        attempted: Attempted,
        tx: &'a mut Tx<'_, DB>,
        context: Context,
    ) -> BoxFuture<'a, Verdict> {
        Box::pin(async move {
            let delivery = decode::<C>(attempted)?;
            C::handle(delivery, tx, &self.state, context).await.map_err(Failure::Error)
        })
    }
}

impl<C: HandleBatch<S, Event: Event>, S: Send + Sync + 'static> RunBatch for Adapter<C, S> {
    /// Events that cannot be decoded are taken out of the batch; the others are handled.
    fn run(&self, batch: Vec<Attempted>, context: Context) -> BoxFuture<'static, Vec<Verdict>> {
        let state = Arc::clone(&self.state);
        Box::pin(async move {
            let mut deliveries = Vec::with_capacity(batch.len());
            let mut undecodable = Vec::new();
            for (index, attempted) in batch.into_iter().enumerate() {
                match decode::<C>(attempted) {
                    Ok(delivery) => deliveries.push(delivery),
                    Err(failure) => undecodable.push((index, failure)),
                }
            }
            let len = deliveries.len();
            let mut verdicts = if len == 0 {
                Vec::new()
            } else {
                spread(C::handle(Batch::new(deliveries), &state, context).await, len)
            };
            for (index, failure) in undecodable {
                verdicts.insert(index, Err(failure));
            }
            verdicts
        })
    }
}

/// One verdict an event from the result of a whole batch.
pub(crate) fn spread(result: Result<BatchOutcome, ConsumerError>, len: usize) -> Vec<Verdict> {
    match result {
        Ok(outcome) if outcome.results.len() == len => {
            outcome.results.into_iter().map(|result| result.map_err(Failure::Error)).collect()
        }
        Ok(outcome) => {
            let message =
                format!("the handler returned {} results for {len} events", outcome.results.len());
            (0..len)
                .map(|_| Err(Failure::Error(ConsumerError::permanent(message.clone()))))
                .collect()
        }
        Err(error) => {
            let shared: Arc<ConsumerError> = Arc::new(error);
            (0..len).map(|_| Err(Failure::Error(ConsumerError::shared(&shared)))).collect()
        }
    }
}
