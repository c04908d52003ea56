//! What the macros name. Not part of the public interface: anything here may change at any time.

pub mod bind;
mod checks;
mod listing;
mod message;
mod search;

pub use std::borrow::Cow;
pub use std::future::Future;
pub use std::marker::{Send, Sync};
pub use std::option::Option;
pub use std::result::Result;
pub use std::string::String;
pub use std::sync::{Arc, LazyLock};
pub use std::time::Duration;
pub use std::vec::Vec;

use chrono::DateTime;
pub use schemars::{JsonSchema, Schema, SchemaGenerator};
pub use serde::{Deserialize, Deserializer, Serialize, Serializer};
pub use serde_json::value::RawValue;

pub use crate::consumer::{
    Batch, BatchOutcome, Bound, Consumer, ConsumerDef, ConsumerError, ConsumerOptions, Context,
    Delivery, FromRef, HandleBatch, HandleEach, HandleTx, IntoBatchOutcome, IntoOutcome, OnDead,
    Outcome, Start, State,
};
pub use crate::declaration::Declaration;
pub use crate::details::{Alias, ConsumerDetails, DelayInfo, EventDetails};
pub use crate::emits::private as emits;
pub use crate::event::{DecodeError, Emittable, Event};
pub use crate::handler::EmittingHandler;
pub use crate::key::EventKey;
pub use crate::registry::{By, Consumers, Includes, Own, Registered, Registry, RegistryInfo, Via};
pub use crate::retry::RetryPolicy;
pub use crate::store::Backend;
pub use crate::tx::Tx;
use crate::whole::{Of, Parts, Reported, Whole};

pub use checks::{
    check_consumer, check_event, check_handler, check_include, check_not_retired, check_upcast,
};
pub use listing::{
    Bind, ConsumerEntry, EntryOf, EventEntry, HandlerEntry, ListedConsumer, ListedEvent,
    ListedHandler, ListedRegistry, Listing, Lists, NoEntry, PartFor, PassesOn, RunWith,
    registry_info, run_once,
};

/// Stands for the event of a consumer whose function the macro could not understand.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct UnknownEvent {}

impl Event for UnknownEvent {
    const NAME: &'static str = "";
    const VERSION: u32 = 1;
}

/// Reads a payload as the older type, and converts.
///
/// # Errors
///
/// Those of the older type.
pub fn upcast<Older: Event, E: UpcastFrom<Older>>(
    version: u32,
    payload: &RawValue,
) -> Result<E, DecodeError> {
    Older::decode(version, payload).map(E::upcast_from)
}

/// An event that can be made from its version before.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made from `{Older}`",
    label = "no way from here",
    note = "implement `From<{Older}>` for `{Self}`"
)]
pub trait UpcastFrom<Older> {
    /// The older event in the newer shape.
    fn upcast_from(older: Older) -> Self;
}

#[diagnostic::do_not_recommend]
impl<Older, E: From<Older>> UpcastFrom<Older> for E {
    fn upcast_from(older: Older) -> Self {
        Self::from(older)
    }
}

/// Calls the closure that is the `when` of a consumer. The bound lets closures go without types.
pub fn when<E>(event: &E, decide: impl Fn(&E) -> bool) -> bool {
    decide(event)
}

/// Calls the closure that is the `delay` of a consumer.
pub fn delay<E>(event: &E, decide: impl Fn(&E) -> Duration) -> Duration {
    decide(event)
}

/// Calls the function that is the `when` of a consumer.
pub fn when_by<E>(event: &E, decide: impl When<E>) -> bool {
    decide.decide(event)
}

/// Calls the function that is the `delay` of a consumer.
pub fn delay_by<E>(event: &E, decide: impl Delay<E>) -> Duration {
    decide.decide(event)
}

/// A function that `when` may name. It is not a bound on `Fn` alone, for the sake of the message.
#[diagnostic::on_unimplemented(
    message = "`when` must be `Fn(&{E}) -> bool`",
    label = "not `Fn(&{E}) -> bool`",
    note = "name a function such as `fn wanted(event: &{E}) -> bool`, or write a closure"
)]
pub trait When<E> {
    /// Whether the event is for the consumer.
    fn decide(self, event: &E) -> bool;
}

impl<E, F: Fn(&E) -> bool> When<E> for F
where
    Of<F>: Reported<As = Whole>,
{
    fn decide(self, event: &E) -> bool {
        self(event)
    }
}

impl<E, F: Fn(&E) -> bool> When<E> for F
where
    Of<F>: Reported<As = Parts>,
{
    fn decide(self, event: &E) -> bool {
        self(event)
    }
}

/// A function that `delay` may name.
#[diagnostic::on_unimplemented(
    message = "`delay` must be `Fn(&{E}) -> Duration`",
    label = "not `Fn(&{E}) -> Duration`",
    note = "name a function such as `fn patience(event: &{E}) -> Duration`, write a closure, or text \
            such as `\"30s\"`"
)]
pub trait Delay<E> {
    /// How long the event waits.
    fn decide(self, event: &E) -> Duration;
}

impl<E, F: Fn(&E) -> Duration> Delay<E> for F
where
    Of<F>: Reported<As = Whole>,
{
    fn decide(self, event: &E) -> Duration {
        self(event)
    }
}

impl<E, F: Fn(&E) -> Duration> Delay<E> for F
where
    Of<F>: Reported<As = Parts>,
{
    fn decide(self, event: &E) -> Duration {
        self(event)
    }
}

/// A list, where `From` may not be in scope.
#[must_use]
pub fn vec_of<T, const N: usize>(items: [T; N]) -> Vec<T> {
    Vec::from(items)
}

/// How many events are in a batch, whatever a trait of the user's calls `len`.
#[must_use]
pub fn batch_len<E>(batch: &Batch<E>) -> usize {
    batch.iter().len()
}

/// A start at a time, which the macro has checked.
#[must_use]
pub const fn start_at(seconds: i64, nanos: u32) -> Start {
    match DateTime::from_timestamp(seconds, nanos) {
        Some(time) => Start::At(time),
        None => panic!("`start` is too far away"),
    }
}
