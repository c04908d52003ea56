//! A registry as a value: what schemas, documents and the compatibility check are made from.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

use crate::consumer::{ConsumerDef, ConsumerOptions};
use crate::declaration::Declaration;
use crate::details::{Alias, DelayInfo, KeyInfo};
use crate::event::Event;
use crate::handler::HandlerInfo;

/// A registry as a value: everything that it lists, and everything that its includes list.
///
/// What comes through several includes is here once.
///
/// ```
/// use outbox_runtime::{KeyInfo, Registry, registry};
///
/// mod billing {
///     # use outbox_runtime::{Event, registry};
///     # use schemars::JsonSchema;
///     # use serde::{Deserialize, Serialize};
///     /// An invoice was paid.
///     #[derive(Event, Serialize, Deserialize, JsonSchema)]
///     #[event(name = "invoice.paid", key = invoice)]
///     pub struct InvoicePaid { pub invoice: u64 }
///
///     registry! {
///         pub struct Billing;
///         events: [InvoicePaid],
///     }
/// }
///
/// registry! {
///     struct Shop;
///     include: [billing::Billing],
/// }
///
/// let shop = Shop::registry();
/// let paid = &shop.events[0];
/// assert_eq!((paid.name, paid.version, paid.registry), ("invoice.paid", 1, "Billing"));
/// assert_eq!(paid.key, Some(KeyInfo::Property("invoice")));
/// assert_eq!(paid.declared.docs, "An invoice was paid.");
/// assert_eq!((paid.write_schema)().get("title"), Some(&"InvoicePaid".into()));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RegistryInfo {
    /// The registry's name.
    pub name: &'static str,
    /// Where it was declared.
    pub declared: Declaration,
    /// The names of the registries that it includes directly.
    pub includes: Vec<&'static str>,
    /// Its events: those in `events`, those of its handlers, those of its includes, each in the
    /// order of the declaration.
    pub events: Vec<EventInfo>,
    /// Its emitting handlers, then those of its includes.
    pub handlers: Vec<HandlerInfo>,
    /// Its consumers, then those of its includes.
    pub consumers: Vec<ConsumerInfo>,
}

impl RegistryInfo {
    /// A registry as a value, of events and consumers. Its other fields can be set.
    #[must_use]
    pub fn new(name: &'static str, events: Vec<EventInfo>, consumers: Vec<ConsumerInfo>) -> Self {
        Self {
            name,
            declared: Declaration::UNKNOWN,
            includes: Vec::new(),
            events,
            handlers: Vec::new(),
            consumers,
        }
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
    /// The registry that lists it, itself or with a handler; empty outside a registry.
    pub registry: &'static str,
    /// Whether it can still be read but not emitted.
    pub retired: bool,
    /// Path of the Rust type.
    pub rust_type: &'static str,
    /// What the key is made from; none without a key. (An event that is implemented by hand says
    /// this through [`Event::KEY_PROPERTY`] only.)
    pub key: Option<KeyInfo>,
    /// The version before, if older payloads are read as that and converted.
    pub upcast_from: Option<u32>,
    /// Whether it says that older payloads cannot be read as this version.
    pub no_upcast: bool,
    /// Properties that older payloads had, and that must not come back.
    pub reserved: &'static [&'static str],
    /// Properties of the payload that it asks for indexes on, for people who look events up.
    pub indexes: &'static [&'static str],
    /// Names of properties and variants that are read as well as those in the schema. (Of the type
    /// itself: what its fields' types read is theirs.)
    pub aliases: &'static [Alias],
    /// The variant that serde reads in the place of one it does not know (`#[serde(other)]`).
    pub other: Option<&'static str>,
    /// The JSON Schema of what this version writes.
    pub write_schema: fn() -> Schema,
    /// The JSON Schema of what this version reads.
    pub read_schema: fn() -> Schema,
    /// Where the type was declared. (For one that a handler's attribute made, the handler.)
    pub declared: Declaration,
}

impl EventInfo {
    /// Describes an event type.
    #[must_use]
    pub fn of<E: Event>() -> Self {
        let details = E::DETAILS;
        let property = E::KEY_PROPERTY.map(KeyInfo::Property);
        Self {
            name: E::NAME,
            version: E::VERSION,
            registry: "",
            retired: E::RETIRED,
            rust_type: std::any::type_name::<E>(),
            key: property.or(details.key.map(KeyInfo::Expression)),
            upcast_from: details.upcast_from,
            no_upcast: details.no_upcast,
            reserved: details.reserved,
            indexes: details.indexes,
            aliases: details.aliases,
            other: details.other,
            write_schema: write_schema::<E>,
            read_schema: read_schema::<E>,
            declared: details.declared,
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
    /// Name and options: delivery mode, batch, order, retries and the rest.
    pub options: ConsumerOptions,
    /// The registry that lists it; empty outside a registry.
    pub registry: &'static str,
    /// Path of the function.
    pub rust_path: &'static str,
    /// The event that it takes.
    pub event_name: &'static str,
    /// The newest version of the event that it knows.
    pub event_version: u32,
    /// Whether a function says which events it takes.
    pub when: bool,
    /// How long after they were appended its events are delivered.
    pub delay: DelayInfo,
    /// Where it was declared.
    pub declared: Declaration,
}

impl ConsumerInfo {
    /// Describes a consumer type.
    #[must_use]
    pub fn of<C: ConsumerDef<Event: Event>>() -> Self {
        Self::taking::<C>(C::Event::NAME, C::Event::VERSION)
    }

    pub(crate) fn taking<C: ConsumerDef>(event_name: &'static str, event_version: u32) -> Self {
        let details = C::DETAILS;
        Self {
            options: C::OPTIONS,
            registry: "",
            rust_path: std::any::type_name::<C>(),
            event_name,
            event_version,
            when: details.when,
            delay: details.delay,
            declared: details.declared,
        }
    }
}
