//! What a registry lists, as a constant that checks walk while the user's crate compiles, and that
//! becomes a value when the program runs.

use std::marker::PhantomData;

use super::{Arc, UnknownEvent, Vec};
use crate::consumer::{Bound, Consumer, ConsumerDef, FromRef};
use crate::declaration::Declaration;
use crate::event::Event;
use crate::handler::{EmittingHandler, HandlerInfo};
use crate::registry::{ConsumerInfo, EventInfo, Registry, RegistryInfo};
use crate::store::Backend;

/// What a registry lists itself, and what its includes list.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// The registry's name.
    pub name: &'static str,
    /// Where it was declared.
    pub declared: Declaration,
    /// `events`.
    pub events: &'static [EventEntry],
    /// `handlers`.
    pub handlers: &'static [HandlerEntry],
    /// `consumers`.
    pub consumers: &'static [ConsumerEntry],
    /// `include`.
    pub includes: &'static [&'static Listing],
    /// Whether the macro understood every entry, so that none is only seemingly absent.
    pub complete: bool,
}

impl Listing {
    /// Nothing.
    pub const EMPTY: Self = Self {
        name: "",
        declared: Declaration::UNKNOWN,
        events: &[],
        handlers: &[],
        consumers: &[],
        includes: &[],
        complete: true,
    };
}

/// An event of a registry, before it is asked for its schemas.
#[derive(Clone, Copy, Debug)]
pub struct EventEntry {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(super) retired: bool,
    pub(super) declared: Declaration,
    pub(super) ident: &'static str,
    pub(super) info: fn() -> EventInfo,
}

impl EventEntry {
    /// That of something that is already reported, or that is not told.
    pub const UNKNOWN: Self = Self::of::<UnknownEvent>();

    pub(super) const fn of<E: Event>() -> Self {
        Self {
            name: E::NAME,
            version: E::VERSION,
            retired: E::RETIRED,
            declared: E::DETAILS.declared,
            ident: E::DETAILS.ident,
            info: EventInfo::of::<E>,
        }
    }
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
    const ENTRY: EventEntry = EventEntry::of::<E>();
}

/// Finds the entry of a type that may be no event, or of the event of a consumer or handler, which
/// may be none. That is reported where it is converted, consumed or emitted: an inherent constant
/// is found before one of a trait.
#[derive(Debug)]
pub struct EntryOf<T>(PhantomData<T>);

impl<E: Event> EntryOf<E> {
    /// The event's entry.
    pub const ENTRY: EventEntry = <E as ListedEvent>::ENTRY;
}

impl<C: ConsumerDef<Event: Event>> EntryOf<C> {
    /// The entry of the consumer's event.
    pub const CONSUMED: EventEntry = EventEntry::of::<C::Event>();
}

impl<H: EmittingHandler<Event: Event>> EntryOf<H> {
    /// The entry of the handler's event.
    pub const EMITTED: EventEntry = EventEntry::of::<H::Event>();
}

/// What is no event has an entry without a name.
pub trait NoEntry {
    /// The entry.
    const ENTRY: EventEntry = EventEntry::UNKNOWN;

    /// The entry of its event.
    const CONSUMED: EventEntry = EventEntry::UNKNOWN;

    /// The entry of its event.
    const EMITTED: EventEntry = EventEntry::UNKNOWN;
}

impl<T> NoEntry for EntryOf<T> {}

/// An emitting handler of a registry.
#[derive(Clone, Copy, Debug)]
pub struct HandlerEntry {
    pub(super) name: &'static str,
    pub(super) event: EventEntry,
    /// Whether listing the handler lists the event.
    pub(super) generates: bool,
    pub(super) info: fn(&EventEntry) -> HandlerInfo,
}

impl HandlerEntry {
    /// The entry with that of the handler's event.
    #[must_use]
    pub const fn with(self, event: EventEntry) -> Self {
        Self { event, ..self }
    }
}

/// The entry of an emitting handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an emitting handler",
    label = "not a handler",
    note = "put `#[emits(...)]` on an async function, and list its name"
)]
pub trait ListedHandler {
    /// The entry, without that of the event.
    const ENTRY: HandlerEntry;
}

#[diagnostic::do_not_recommend]
impl<H: EmittingHandler> ListedHandler for H {
    const ENTRY: HandlerEntry = HandlerEntry {
        name: H::NAME,
        event: EventEntry::UNKNOWN,
        generates: H::GENERATES,
        info: |event| HandlerInfo::emitting::<H>(event.name, event.version),
    };
}

/// A consumer of a registry.
#[derive(Clone, Copy, Debug)]
pub struct ConsumerEntry {
    pub(super) name: &'static str,
    pub(super) event: EventEntry,
    pub(super) declared: Declaration,
    pub(super) info: fn(&EventEntry) -> ConsumerInfo,
}

impl ConsumerEntry {
    /// The entry with that of the consumer's event.
    #[must_use]
    pub const fn with(self, event: EventEntry) -> Self {
        Self { event, ..self }
    }
}

/// The entry of a consumer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a consumer",
    label = "not a consumer",
    note = "put `#[consumer(name = \"...\")]` on an async function, and list its name"
)]
pub trait ListedConsumer {
    /// The entry, without that of the event.
    const ENTRY: ConsumerEntry;
}

#[diagnostic::do_not_recommend]
impl<C: ConsumerDef> ListedConsumer for C {
    const ENTRY: ConsumerEntry = ConsumerEntry {
        name: C::OPTIONS.name,
        event: EventEntry::UNKNOWN,
        declared: C::DETAILS.declared,
        info: |event| ConsumerInfo::taking::<C>(event.name, event.version),
    };
}

/// What an included registry lists.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a registry",
    label = "not a registry",
    note = "list the struct that a `registry!` declares"
)]
pub trait ListedRegistry {
    /// The listing.
    const ENTRY: &'static Listing;
}

#[diagnostic::do_not_recommend]
impl<R: Registry> ListedRegistry for R {
    const ENTRY: &'static Listing = R::LISTING;
}

/// A handler of which the event `E` was made. The registries' impls name it instead of the
/// associated type, so that an entry that is no handler is reported once, and so that no two of
/// their impls can conflict.
pub trait Lists<E> {}

impl<H: EmittingHandler<Generated = E>, E> Lists<E> for H {}

/// A registry of whose events others that include it have `E`. The same as [`Registered`](crate::Registered), but in
/// a registry with mistakes, which counts every event as listed for itself: if it passed them on,
/// those that include it could not tell which are their own.
pub trait PassesOn<E, Index> {}

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

/// A registry whose consumers run in an application with the state `S`. One without a state does
/// in every application.
pub trait RunWith<S, DB: Backend> {
    /// Its consumers, bound to what it takes from the application's state.
    fn run_with(state: &S) -> Vec<Bound<DB>>;
}

/// The state of the registry `R` as a part of the state `S` of one that includes it.
#[diagnostic::on_unimplemented(
    message = "included registry `{R}` runs with the state `{Self}`, which is not available from `{S}`",
    label = "its state is not available from `{S}`",
    note = "implement `FromRef<{S}>` for `{Self}`, or derive `Clone` if it is the same state"
)]
pub trait PartFor<R, S> {
    /// The part.
    fn part(state: &S) -> Arc<Self>;
}

#[diagnostic::do_not_recommend]
impl<P: FromRef<S>, R, S> PartFor<R, S> for P {
    fn part(state: &S) -> Arc<Self> {
        Arc::new(P::from_ref(state))
    }
}

/// The consumers of a registry: its own, and those of its includes. One that comes through several
/// includes is run once.
#[must_use]
pub fn run_once<DB: Backend>(
    mut own: Vec<Bound<DB>>,
    included: impl IntoIterator<Item = Vec<Bound<DB>>>,
) -> Vec<Bound<DB>> {
    for consumer in included.into_iter().flatten() {
        // The checks have seen that consumers of the same name are the same.
        if own.iter().all(|other| other.name() != consumer.name()) {
            own.push(consumer);
        }
    }
    own
}

/// The registry as a value.
#[must_use]
pub fn registry_info(listing: &Listing) -> RegistryInfo {
    let mut info = RegistryInfo::new(listing.name, Vec::new(), Vec::new());
    info.declared = listing.declared;
    info.includes = listing.includes.iter().map(|included| included.name).collect();
    add(listing, &mut info);
    info
}

fn add(listing: &Listing, to: &mut RegistryInfo) {
    let generated = listing.handlers.iter().filter(|handler| handler.generates);
    for entry in listing.events.iter().chain(generated.map(|handler| &handler.event)) {
        let known = to.events.iter().any(|e| e.name == entry.name && e.version == entry.version);
        if !known {
            to.events.push(EventInfo { registry: listing.name, ..(entry.info)() });
        }
    }
    for entry in listing.handlers {
        let handler = HandlerInfo { registry: listing.name, ..(entry.info)(&entry.event) };
        let known = |other: &HandlerInfo| {
            (other.name, other.event_name, other.registry, other.declared)
                == (handler.name, handler.event_name, handler.registry, handler.declared)
        };
        if !to.handlers.iter().any(known) {
            to.handlers.push(handler);
        }
    }
    for entry in listing.consumers {
        if to.consumers.iter().all(|other| other.options.name != entry.name) {
            let info = (entry.info)(&entry.event);
            to.consumers.push(ConsumerInfo { registry: listing.name, ..info });
        }
    }
    for included in listing.includes {
        add(included, to);
    }
}
