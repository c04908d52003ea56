//! Handlers that emit: what `#[emits]` says about a function.

use crate::declaration::Declaration;
use crate::event::Event;

/// A function whose success is an event. Implemented by `#[emits]`, on a struct of the function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an emitting handler",
    label = "not a handler",
    note = "put `#[emits(...)]` on an async function, and list its name"
)]
pub trait EmittingHandler: 'static {
    /// The event that it emits: an [`Event`](trait@crate::Event), or else the attribute reports
    /// it. Generic code writes `H: EmittingHandler<Event: Event>`.
    // No bound here, as in `ConsumerDef`.
    type Event;

    /// [`Event`](Self::Event) where the attribute made that type, so that listing the handler lists
    /// the event; where the event is a type of the user's own, something that is no event.
    type Generated;

    /// The function's name.
    const NAME: &'static str;

    /// Whether [`Event`](Self::Event) was made by the attribute.
    const GENERATES: bool;

    /// Whether the transaction is the handler's own: then it is committed after the event was
    /// emitted. Otherwise the caller commits.
    const COMMITS: bool;

    /// Where it was declared.
    const DECLARED: Declaration = Declaration::UNKNOWN;
}

/// An emitting handler of a registry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HandlerInfo {
    /// The function's name.
    pub name: &'static str,
    /// The registry that lists it; empty outside a registry.
    pub registry: &'static str,
    /// The event that it emits.
    pub event_name: &'static str,
    /// The version that it emits.
    pub event_version: u32,
    /// Whether it commits its own transaction.
    pub commits: bool,
    /// Where it was declared.
    pub declared: Declaration,
}

impl HandlerInfo {
    /// Describes a handler.
    #[must_use]
    pub fn of<H: EmittingHandler<Event: Event>>() -> Self {
        Self::emitting::<H>(H::Event::NAME, H::Event::VERSION)
    }

    pub(crate) fn emitting<H: EmittingHandler>(
        event_name: &'static str,
        event_version: u32,
    ) -> Self {
        Self {
            name: H::NAME,
            registry: "",
            event_name,
            event_version,
            commits: H::COMMITS,
            declared: H::DECLARED,
        }
    }
}
