//! What the macros know about events and consumers besides what the engine needs: the part of a
//! registry that schemas, documents and the compatibility check are made from.

use std::time::Duration;

use crate::declaration::Declaration;

/// What `#[derive(Event)]` exports. An event that is implemented by hand says nothing.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct EventDetails {
    pub declared: Declaration,
    /// The type's name: one `macro_rules` macro can declare several in one place.
    pub ident: &'static str,
    /// The text of a key that is not simply a property.
    pub key: Option<&'static str>,
    pub upcast_from: Option<u32>,
    pub no_upcast: bool,
    pub reserved: &'static [&'static str],
    pub indexes: &'static [&'static str],
    pub aliases: &'static [Alias],
    pub other: Option<&'static str>,
}

impl EventDetails {
    /// Nothing is known.
    pub const NONE: Self = Self {
        declared: Declaration::UNKNOWN,
        ident: "",
        key: None,
        upcast_from: None,
        no_upcast: false,
        reserved: &[],
        indexes: &[],
        aliases: &[],
        other: None,
    };
}

/// What `#[consumer]` exports. A consumer that is implemented by hand says nothing.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ConsumerDetails {
    pub declared: Declaration,
    pub when: bool,
    pub delay: DelayInfo,
}

impl ConsumerDetails {
    /// Nothing is known.
    pub const NONE: Self =
        Self { declared: Declaration::UNKNOWN, when: false, delay: DelayInfo::None };
}

/// What the key of an event is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyInfo {
    /// A property of the payload, as it is.
    Property(&'static str),
    /// Something else: the expression as it was written, such as `self.order.id`.
    Expression(&'static str),
}

/// Names that serde reads in the place of another one, which the JSON Schema does not show.
///
/// ```
/// # use outbox_runtime::{Alias, Event, EventInfo};
/// #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// #[event(name = "order.placed")]
/// #[serde(rename_all = "camelCase")]
/// struct OrderPlaced {
///     #[serde(alias = "orderNumber")]
///     order_id: u64,
/// }
///
/// let alias = EventInfo::of::<OrderPlaced>().aliases[0];
/// assert_eq!((alias.property, alias.names), (Some("orderId"), &["orderNumber"][..]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Alias {
    /// The variant that it is in, by the name that is read; none in a struct.
    pub variant: Option<&'static str>,
    /// The property, by the name that is read; none where the alias is the variant's own.
    pub property: Option<&'static str>,
    /// The names that are read as well.
    pub names: &'static [&'static str],
}

/// How long after they were appended a consumer's events are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DelayInfo {
    /// At once.
    None,
    /// After this time.
    Always(Duration),
    /// A function of the event says.
    ByEvent,
}
