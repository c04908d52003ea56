//! What the macros name. Not part of the public interface: anything here may change at any time.

pub use std::borrow::Cow;
pub use std::future::Future;
pub use std::marker::{Send, Sync};
pub use std::option::Option;
pub use std::result::Result;
pub use std::sync::Arc;
pub use std::time::Duration;
pub use std::vec::Vec;

use std::marker::PhantomData;

use chrono::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub use serde_json::value::RawValue;

pub use crate::consumer::{
    Batch, BatchOutcome, Bound, Consumer, ConsumerDef, ConsumerError, ConsumerOptions, Context,
    Delivery, FromRef, HandleBatch, HandleEach, HandleTx, IntoBatchOutcome, IntoOutcome, OnDead,
    Outcome, Start, State,
};
pub use crate::declaration::Declaration;
pub use crate::event::{DecodeError, Emittable, Event};
pub use crate::handler::EmittingHandler;
pub use crate::key::EventKey;
pub use crate::registry::{
    ConsumerInfo, Consumers, EventInfo, Own, Registered, Registry, RegistryInfo,
};
pub use crate::retry::RetryPolicy;
pub use crate::store::Backend;
pub use crate::tx::Tx;
use crate::whole::{Of, Parts, Reported, Whole};

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

/// Finds the entry of a type that may be no event, which is then reported where it is converted: an
/// inherent constant is found before one of a trait.
#[derive(Debug)]
pub struct EntryOf<T>(PhantomData<T>);

impl<E: Event> EntryOf<E> {
    /// The event's entry.
    pub const ENTRY: EventEntry = <E as ListedEvent>::ENTRY;
}

/// What is no event has an entry without a name.
pub trait NoEntry {
    /// The entry.
    const ENTRY: EventEntry =
        EventEntry { name: "", version: 0, info: EventInfo::of::<UnknownEvent> };
}

impl<T> NoEntry for EntryOf<T> {}

/// An event of a registry, before it is asked for its schemas.
#[derive(Clone, Copy, Debug)]
pub struct EventEntry {
    name: &'static str,
    version: u32,
    info: fn() -> EventInfo,
}

/// The entry of an event's type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an `Event`",
    note = "add `#[derive(Event, Serialize, Deserialize, JsonSchema)]` and `#[event(name = \"...\")]`"
)]
pub trait ListedEvent {
    /// The entry.
    const ENTRY: EventEntry;
}

#[diagnostic::do_not_recommend]
impl<E: Event> ListedEvent for E {
    const ENTRY: EventEntry =
        EventEntry { name: E::NAME, version: E::VERSION, info: EventInfo::of::<E> };
}

/// A consumer of a registry.
#[derive(Clone, Copy, Debug)]
pub struct ConsumerEntry {
    name: &'static str,
    event: &'static str,
    info: fn() -> ConsumerInfo,
}

/// The entry of a consumer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a consumer",
    label = "not a consumer",
    note = "put `#[consumer(name = \"...\")]` on an async function, and list its name"
)]
pub trait ListedConsumer {
    /// The entry.
    const ENTRY: ConsumerEntry;
}

#[diagnostic::do_not_recommend]
impl<C: ConsumerDef> ListedConsumer for C {
    const ENTRY: ConsumerEntry =
        ConsumerEntry { name: C::OPTIONS.name, event: C::Event::NAME, info: ConsumerInfo::of::<C> };
}

/// A consumer as the registries' bounds name it: without a supertrait, because the compiler
/// checks those of a bound at once, and would report an entry that is no consumer twice.
pub trait Bind<S, DB: Backend> {
    /// The consumer bound to the application's state.
    fn bind(state: &Arc<S>) -> Bound<DB>;
}

impl<C: Consumer<S, DB>, S, DB: Backend> Bind<S, DB> for C {
    fn bind(state: &Arc<S>) -> Bound<DB> {
        <C as Consumer<S, DB>>::bind(state)
    }
}

/// The registry as a value.
#[must_use]
pub fn registry_info(
    name: &'static str,
    events: &[EventEntry],
    consumers: &[ConsumerEntry],
) -> RegistryInfo {
    RegistryInfo::new(
        name,
        events.iter().map(|entry| (entry.info)()).collect(),
        consumers.iter().map(|entry| (entry.info)()).collect(),
    )
}

// The checks below run while the user's crate compiles. An empty name belongs to an event or a
// consumer that a macro has already reported. `track_caller` makes the compiler point at the
// entry of the registry rather than in here.

/// No earlier event has the name and version of this one.
#[track_caller]
pub const fn check_event(registry: &str, events: &[EventEntry], index: usize) {
    let event = &events[index];
    let mut earlier = 0;
    while earlier < index {
        let other = &events[earlier];
        if !event.name.is_empty() && same(event.name, other.name) && event.version == other.version
        {
            Message::new()
                .text("`")
                .text(event.name)
                .text("` version ")
                .number(event.version)
                .text(" is twice in registry `")
                .text(registry)
                .text("`: give the newer shape the next version, or another fact another name")
                .panic();
        }
        earlier += 1;
    }
}

/// No earlier consumer has the name of this one, and its event is listed.
#[track_caller]
pub const fn check_consumer(
    registry: &str,
    events: &[EventEntry],
    consumers: &[ConsumerEntry],
    index: usize,
) {
    let consumer = &consumers[index];
    let mut earlier = 0;
    while earlier < index {
        if !consumer.name.is_empty() && same(consumer.name, consumers[earlier].name) {
            Message::new()
                .text("two consumers of registry `")
                .text(registry)
                .text("` have the name `")
                .text(consumer.name)
                .text("`: a name owns a consumer's progress and deliveries; rename one")
                .panic();
        }
        earlier += 1;
    }
    let mut listed = consumer.event.is_empty();
    let mut event = 0;
    while event < events.len() {
        listed = listed || same(consumer.event, events[event].name);
        event += 1;
    }
    if !listed {
        Message::new()
            .text("consumer `")
            .text(consumer.name)
            .text("` consumes `")
            .text(consumer.event)
            .text("`, which is absent from `events` of registry `")
            .text(registry)
            .text("`")
            .panic();
    }
}

/// The event that another one is upcast from is the version before, of the same name.
#[track_caller]
pub const fn check_upcast(name: &str, version: u32, from: EventEntry) {
    if from.name.is_empty() {
        return;
    }
    if !same(name, from.name) {
        Message::new()
            .text("`")
            .text(name)
            .text("` is upcast from another event, `")
            .text(from.name)
            .text("`: an event is upcast from its own version before")
            .panic();
    }
    if from.version + 1 != version {
        Message::new()
            .text("`")
            .text(name)
            .text("` version ")
            .number(version)
            .text(" is upcast from version ")
            .number(from.version)
            .text(": convert from version ")
            .number(version - 1)
            .text(", so that the chain has every version")
            .panic();
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// A text built in const evaluation, where there is no `format!`.
struct Message {
    bytes: [u8; Self::CAPACITY],
    len: usize,
}

impl Message {
    /// Room for two longest names, a long identifier, and the words between.
    const CAPACITY: usize = 1024;

    const fn new() -> Self {
        Self { bytes: [0; Self::CAPACITY], len: 0 }
    }

    /// Adds the text; one that does not fit is left out whole, so that no character is cut.
    const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut index = 0;
        while index < text.len() && self.len + text.len() - index <= Self::CAPACITY {
            self.bytes[self.len] = text[index];
            self.len += 1;
            index += 1;
        }
        self
    }

    const fn number(mut self, number: u32) -> Self {
        if number >= 10 {
            self = self.number(number / 10);
        }
        let digit = [b'0' + (number % 10) as u8];
        match std::str::from_utf8(&digit) {
            Ok(digit) => self.text(digit),
            Err(_) => self,
        }
    }

    #[track_caller]
    const fn panic(&self) -> ! {
        match std::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(message) => panic!("{}", message),
            Err(_) => panic!("the registry contradicts itself"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panics(check: impl FnOnce() + std::panic::UnwindSafe) -> Option<String> {
        let panic = std::panic::catch_unwind(check).err()?;
        let message = panic.downcast_ref::<String>().cloned();
        message.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
    }

    fn event(name: &'static str, version: u32) -> EventEntry {
        EventEntry { name, version, info: EventInfo::of::<UnknownEvent> }
    }

    #[test]
    fn upcasts_go_from_version_to_version() {
        assert_eq!(panics(|| check_upcast("a", 12, event("a", 11))), None);
        let gap = panics(|| check_upcast("a", 12, event("a", 10))).expect("a gap");
        assert!(
            gap.contains("version 12 is upcast from version 10: convert from version 11"),
            "{gap}"
        );
        let other = panics(|| check_upcast("a", 2, event("b", 1))).expect("another event");
        assert!(other.contains("another event, `b`"), "{other}");
    }

    #[test]
    fn what_is_already_reported_is_not_reported_again() {
        assert_eq!(panics(|| check_event("Shop", &[event("", 1), event("", 1)], 1)), None);
        assert_eq!(panics(|| check_upcast("a", 2, event("", 1))), None);
    }

    #[test]
    fn a_message_longer_than_its_room_stays_text() {
        let long = "é".repeat(600);
        let message = Message::new().text("a").text(&long).text("b");
        assert_eq!(message.bytes.split_at(message.len).0, b"ab");
    }
}
