//! The registry: what an application emits and consumes, as types and as a value.

use std::sync::Arc;

use schemars::JsonSchema;
use schemars::Schema;
use schemars::generate::SchemaSettings;

use crate::consumer::{Bound, ConsumerDef, ConsumerOptions};
use crate::event::Event;
use crate::store::Backend;

/// An application's events and consumers. Declared with [`registry!`](crate::registry!).
pub trait Registry: Send + Sync + 'static {
    /// What handlers take their `State<T>` from.
    type State: Send + Sync + 'static;

    /// Everything in the registry, as a value: needs neither database nor state.
    fn registry() -> RegistryInfo;
}

/// Membership of an event in a registry; the index is inferred.
#[diagnostic::on_unimplemented(
    message = "`{E}` is not in registry `{Self}`",
    label = "not an event of `{Self}`",
    note = "add it to `events` of the registry"
)]
pub trait Registered<E, Index> {}

/// The index of events that a registry lists itself.
#[derive(Debug)]
pub enum Own {}

/// What is [`Registered`], asked of the event: the compiler then waits until it knows the event, where
/// it would otherwise take the only event of a registry for meant.
pub trait ListedIn<R, Index> {}

impl<E, R: Registered<E, Index>, Index> ListedIn<R, Index> for E {}

/// The consumers of a registry on the database `DB`.
#[diagnostic::on_unimplemented(
    message = "not every consumer of registry `{Self}` runs on the database `{DB}`",
    note = "a consumer with `tx: &mut Tx<'_, Postgres>` runs on Postgres only"
)]
pub trait Consumers<DB: Backend>: Registry {
    /// The consumers bound to the application's state.
    fn consumers(state: &Arc<Self::State>) -> Vec<Bound<DB>>;
}

/// A registry as a value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegistryInfo {
    /// The registry's name.
    pub name: &'static str,
    /// Its events, in the order of the declaration.
    pub events: Vec<EventInfo>,
    /// Its consumers, in the order of the declaration.
    pub consumers: Vec<ConsumerInfo>,
}

impl RegistryInfo {
    /// A registry as a value.
    #[must_use]
    pub fn new(name: &'static str, events: Vec<EventInfo>, consumers: Vec<ConsumerInfo>) -> Self {
        Self { name, events, consumers }
    }
}

/// An event of a registry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EventInfo {
    /// Event name.
    pub name: &'static str,
    /// Version.
    pub version: u32,
    /// Whether it can still be read but not emitted.
    pub retired: bool,
    /// Path of the Rust type.
    pub rust_type: &'static str,
    /// The JSON Schema of what this version writes.
    pub write_schema: fn() -> Schema,
    /// The JSON Schema of what this version reads.
    pub read_schema: fn() -> Schema,
}

impl EventInfo {
    /// Describes an event type.
    #[must_use]
    pub fn of<E: Event>() -> Self {
        Self {
            name: E::NAME,
            version: E::VERSION,
            retired: E::RETIRED,
            rust_type: std::any::type_name::<E>(),
            write_schema: write_schema::<E>,
            read_schema: read_schema::<E>,
        }
    }
}

fn write_schema<E: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<E>()
}

fn read_schema<E: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_deserialize().into_generator().into_root_schema_for::<E>()
}

/// A consumer of a registry.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConsumerInfo {
    /// Name and options.
    pub options: ConsumerOptions,
    /// The event that it takes.
    pub event_name: &'static str,
    /// The newest version of the event that it knows.
    pub event_version: u32,
}

impl ConsumerInfo {
    /// Describes a consumer type.
    #[must_use]
    pub fn of<C: ConsumerDef>() -> Self {
        Self { options: C::OPTIONS, event_name: C::Event::NAME, event_version: C::Event::VERSION }
    }
}
