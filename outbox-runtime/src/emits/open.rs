//! A call of a handler, from its arguments to its commit.

use std::sync::Arc;

use super::OutboxTx;
use super::record::{Properties, Property, Written};
use crate::emitter::{Emitter, add_to_events, current_cause};
use crate::error::{Error, Result};
use crate::event::{Emit, Event};
use crate::handler::EmittingHandler;
use crate::headers::Cause;
use crate::outbox::limits::refused;
use crate::private::EventEntry;
use crate::store::{Backend, NewEvent};
use crate::tx::{InTransaction, Tx};

/// An event that `#[emits]` made.
pub trait Generated: Event {
    /// The fields that are captured from arguments, as a tuple.
    type Arguments;

    /// The fields that are captured from arguments.
    const ARGUMENTS: Self::Arguments;

    /// The field of the output, if there is one.
    type Output;

    /// The field of the output, if there is one.
    const OUTPUT: Self::Output;

    /// Makes the field `input` of the arguments.
    ///
    /// # Errors
    ///
    /// When something cannot be left out.
    fn gather(arguments: Vec<Property>) -> std::result::Result<Option<Property>, String>;
}

/// An input of several arguments that `#[emits]` made.
pub trait Arguments {
    /// Its fields, as a tuple.
    type Arguments;

    /// Its fields.
    const ARGUMENTS: Self::Arguments;
}

/// [`Generated::gather`] where nothing is captured.
///
/// # Errors
///
/// None.
pub fn no_input(_arguments: Vec<Property>) -> std::result::Result<Option<Property>, String> {
    Ok(None)
}

/// [`Generated::gather`] where one argument is captured.
///
/// # Errors
///
/// None.
pub fn one_input(mut arguments: Vec<Property>) -> std::result::Result<Option<Property>, String> {
    Ok(arguments.pop())
}

/// Turns an error of ours into what the handler returns.
pub type Fail<Returned> = fn(Error) -> Returned;

/// For a handler that returns a `Result`.
///
/// # Errors
///
/// Always.
pub fn fail<T, E: TellsError>(error: Error) -> std::result::Result<T, E> {
    Err(E::tell(error))
}

/// For a handler that cannot fail.
///
/// # Panics
///
/// Always: there is nobody to tell.
pub fn panic<Returned>(error: Error) -> Returned {
    panic!("{error}")
}

/// An error of a handler that can say that the event was not emitted.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot tell that an event was not emitted",
    label = "not `From<outbox_runtime::Error>`",
    note = "implement `From<outbox_runtime::Error>` for `{Self}`"
)]
pub trait TellsError {
    /// The handler's error.
    fn tell(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> TellsError for E {
    fn tell(error: Error) -> Self {
        Self::from(error)
    }
}

/// Never called: makes the body of a handler return what its signature says, so that `?` and
/// coercions work in it as in any function.
pub fn returned_by<Returned>(_fail: Fail<Returned>) -> Returned {
    unreachable!("it gives a type to a branch that is never taken")
}

/// Never called: what stands for the transaction in a function that has a mistake.
pub fn unknown_tx<DB: Backend>(_tx: &OutboxTx<DB>) -> Tx<'static, DB> {
    unreachable!("a function with a mistake does not compile")
}

/// A handler while its body runs: its transaction, and what it was given.
#[derive(Debug)]
pub struct Open<T, DB: Backend> {
    tx: T,
    call: Call<DB>,
}

/// What is kept for the event.
struct Call<DB: Backend> {
    emitter: Arc<Emitter<DB>>,
    cause: Option<Arc<Cause>>,
    input: Option<Property>,
}

impl<DB: Backend> std::fmt::Debug for Call<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

/// What came in, as it goes into the event; before the body runs, which may consume it.
///
/// # Errors
///
/// When an argument cannot be serialised, or something cannot be left out of it.
pub fn capture<E: Generated, const N: usize>(arguments: [Written; N]) -> Result<Option<Property>> {
    let arguments = arguments.into_iter().collect::<std::result::Result<_, _>>();
    arguments.and_then(E::gather).map_err(refused::<E>)
}

/// Begins the handler's own transaction.
///
/// # Errors
///
/// Those of the input and of the transaction, and when the registry does not list the handler.
pub async fn begin<H: EmittingHandler, DB: Backend>(
    tx: &OutboxTx<DB>,
    input: Result<Option<Property>>,
    event: EventEntry,
) -> Result<Open<Tx<'static, DB>, DB>> {
    let call = call::<H, DB>(tx.emitter(), tx.cause(), input?, event)?;
    let tx = Tx::begin(&call.emitter, call.cause.clone()).await?;
    Ok(Open { tx, call })
}

/// Takes a transaction that the handler owns and that is begun.
///
/// # Errors
///
/// Those of the input, and when the registry does not list the handler.
pub fn take<H: EmittingHandler, DB: Backend>(
    tx: Tx<'_, DB>,
    input: Result<Option<Property>>,
    event: EventEntry,
) -> Result<Open<Tx<'_, DB>, DB>> {
    let call = call::<H, DB>(tx.emitter(), tx.cause().cloned(), input?, event)?;
    Ok(Open { tx, call })
}

/// Borrows the caller's transaction.
///
/// # Errors
///
/// As [`take`].
pub fn borrow<'t, 'c, H: EmittingHandler, DB: Backend>(
    tx: &'t mut Tx<'c, DB>,
    input: Result<Option<Property>>,
    event: EventEntry,
) -> Result<Open<&'t mut Tx<'c, DB>, DB>> {
    let call = call::<H, DB>(tx.emitter(), tx.cause().cloned(), input?, event)?;
    Ok(Open { tx, call })
}

fn call<H: EmittingHandler, DB: Backend>(
    emitter: &Arc<Emitter<DB>>,
    cause: Option<Arc<Cause>>,
    input: Option<Property>,
    event: EventEntry,
) -> Result<Call<DB>> {
    emitter.listed.check(event.name, event.version, || match H::GENERATES {
        true => format!("list the handler `{}` in its `handlers`", H::NAME),
        false => add_to_events::<H::Event>(),
    })?;
    Ok(Call { emitter: Arc::clone(emitter), cause, input })
}

/// The transaction as the body has it, which may move it but not end it.
pub fn lend<'o, DB: Backend>(open: &'o mut Open<Tx<'_, DB>, DB>) -> Tx<'o, DB> {
    open.tx.lend()
}

/// The caller's transaction as the body has it.
pub fn reborrow<'o, 'c, DB: Backend>(
    open: &'o mut Open<&mut Tx<'c, DB>, DB>,
) -> &'o mut Tx<'c, DB> {
    open.tx
}

/// An event that is ready to be appended.
pub struct Ready(NewEvent);

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Ready").field(&self.0.name).finish()
    }
}

/// The event of what came in and what goes out. It is read back, for its key, and because an event
/// that its own type cannot read would hold up every consumer.
///
/// # Errors
///
/// When it cannot be written or read, or breaks a limit.
pub fn event<E: Generated, T, DB: Backend, const N: usize>(
    open: &mut Open<T, DB>,
    output: [Written; N],
) -> Result<Ready> {
    let mut properties = Properties::default();
    properties.0.extend(open.call.input.take());
    for property in output {
        properties.0.push(property.map_err(refused::<E>)?);
    }
    let payload = properties.into_json().map_err(refused::<E>)?;
    let event = E::decode(E::VERSION, &payload)
        .map_err(|error| refused::<E>(format!("it cannot be read back: {error}")))?;
    let stamp = current_cause(open.call.cause.as_ref());
    open.call.emitter.prepare_written(Emit::new(event), payload, stamp).map(Ready)
}

/// An event of the user's own.
///
/// # Errors
///
/// When it breaks a limit.
pub fn own_event<E, T, DB: Backend>(
    open: &Open<T, DB>,
    event: E,
    prepare: Prepare<E, T, DB>,
) -> Result<Ready> {
    prepare(open, event)
}

/// How an event of the user's own becomes ready.
pub type Prepare<E, T, DB> = fn(&Open<T, DB>, E) -> Result<Ready>;

/// The only way. Apart from [`own_event`], so that a type that is no event is shown where the user
/// names it, and not where its value is made.
///
/// # Errors
///
/// Those of [`own_event`].
pub fn prepare<E: Event, T, DB: Backend>(open: &Open<T, DB>, event: E) -> Result<Ready> {
    let stamp = current_cause(open.call.cause.as_ref());
    open.call.emitter.prepare(Emit::new(event), stamp).map(Ready)
}

/// Emits the event and commits.
///
/// # Errors
///
/// Those of the event and of the database; the transaction is rolled back then.
pub async fn commit<DB: Backend>(
    mut open: Open<Tx<'_, DB>, DB>,
    event: Result<Ready>,
) -> Result<()> {
    open.call.emitter.append_one(&mut open.tx, event?.0).await?;
    open.tx.commit().await
}

/// Emits the event; the caller commits.
///
/// # Errors
///
/// Those of the event and of the database.
pub async fn keep<DB: Backend>(
    open: Open<&mut Tx<'_, DB>, DB>,
    event: Result<Ready>,
) -> Result<()> {
    open.call.emitter.append_one(open.tx, event?.0).await.map(drop)
}
