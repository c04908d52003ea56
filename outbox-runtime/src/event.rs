//! Events: what a type must say about itself to be stored and read back for years.

use std::borrow::Cow;

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::details::EventDetails;
use crate::headers::Headers;
use crate::whole::{Of, Parts, Reported, Whole};

/// The number that an event has in the log: positive, unique, growing, with gaps.
pub type Position = i64;

/// A typed fact with a permanent name and a version. Derive it.
///
/// ```
/// use outbox_runtime::Event;
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Event, Serialize, Deserialize, JsonSchema)]
/// #[event(name = "order.placed", version = 1, key = order_id)]
/// struct OrderPlaced {
///     order_id: u64,
///     total: i64,
/// }
///
/// assert_eq!(OrderPlaced::NAME, "order.placed");
/// assert_eq!(OrderPlaced { order_id: 7, total: 1 }.key().as_deref(), Some("7"));
/// ```
///
/// # By hand
///
/// Where the derive does not fit (a type made by another macro, say), a name and a version are
/// enough, and [`Emittable`] unless the version is only read:
///
/// ```
/// use outbox_runtime::{Emittable, Event};
/// # use schemars::JsonSchema;
/// # use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, JsonSchema)]
/// struct OrderPlaced {}
///
/// impl Event for OrderPlaced {
///     const NAME: &'static str = "order.placed";
///     const VERSION: u32 = 1;
/// }
/// impl Emittable for OrderPlaced {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an `Event`",
    note = "add `#[derive(Event, Serialize, Deserialize, JsonSchema)]` and `#[event(name = \"...\")]`"
)]
pub trait Event: Payload + Send + Sync + 'static {
    /// The permanent name, such as `order.placed`.
    const NAME: &'static str;

    /// The version of the payload's shape, from 1.
    const VERSION: u32;

    /// Whether this version can still be read but not emitted.
    const RETIRED: bool = false;

    /// The payload's property that holds the key, where the key is just a field.
    const KEY_PROPERTY: Option<&'static str> = None;

    /// What the derive knows besides, for [`EventInfo`](crate::EventInfo).
    #[doc(hidden)]
    const DETAILS: EventDetails = EventDetails::NONE;

    /// What events of one key are ordered and sharded by; `None` for events without a key.
    fn key(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// Reads a payload of an older version, through the chain of upcasts.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the payload does not fit, or there is no upcast from that version.
    fn decode_older(version: u32, payload: &RawValue) -> Result<Self, DecodeError> {
        let _ = payload;
        Err(DecodeError::new(format!(
            "`{}` version {version} has no upcast to version {}",
            Self::NAME,
            Self::VERSION
        )))
    }

    /// Reads a payload of any version up to this one.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the payload does not fit or its version is newer than this type.
    fn decode(version: u32, payload: &RawValue) -> Result<Self, DecodeError> {
        use std::cmp::Ordering;
        match version.cmp(&Self::VERSION) {
            Ordering::Equal => crate::json::read(payload.get()).map_err(|error| {
                DecodeError::new(format!("`{}` version {version}: {error}", Self::NAME))
            }),
            Ordering::Less => Self::decode_older(version, payload),
            Ordering::Greater => Err(DecodeError::new(format!(
                "`{}` version {version} is newer than this code, which knows version {}",
                Self::NAME,
                Self::VERSION
            ))),
        }
    }
}

/// What can be a payload: every type with serde's and schemars's derives. Nothing else implements it.
///
/// It is a trait of its own so that an event without one of the derives, or all of them, is one
/// error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the payload of an event",
    label = "add `#[derive(Serialize, Deserialize, JsonSchema)]`",
    note = "payloads are written and read by serde, and described by schemars: an event implements \
            `Serialize`, `Deserialize` and `JsonSchema`"
)]
pub trait Payload: Serialize + DeserializeOwned + JsonSchema {}

impl<T: Serialize + DeserializeOwned + JsonSchema> Payload for T where Of<T>: Reported<As = Whole> {}

#[doc(hidden)]
impl<T: Serialize + DeserializeOwned + JsonSchema> Payload for T where Of<T>: Reported<As = Parts> {}

/// An event that can be emitted: the derive implements it unless the event is `retired`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is retired: it can be read, but not emitted",
    label = "retired",
    note = "emit the newest version of the event; what is stored as `{Self}` is converted when it is \
            read",
    note = "(if `{Self}` is an event by hand: add `impl Emittable for {Self} {{}}`)"
)]
pub trait Emittable {}

/// Why a stored payload could not be read as its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    message: String,
}

impl DecodeError {
    /// An error with this message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// An event about to be emitted, with options.
///
/// ```
/// # use outbox_runtime::{Emit, Event};
/// # #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
/// # #[event(name = "order.placed", version = 1)]
/// # struct OrderPlaced {}
/// let emit = Emit::new(OrderPlaced {}).dedup_key("stripe-evt-42").header("tenant", "acme");
/// ```
#[derive(Clone, Debug)]
pub struct Emit<E> {
    pub(crate) event: E,
    pub(crate) key: Option<String>,
    pub(crate) dedup_key: Option<String>,
    pub(crate) headers: Headers,
}

impl<E: Event> Emit<E> {
    /// The event, with its own key and no other option.
    #[must_use]
    pub fn new(event: E) -> Self {
        Self { event, key: None, dedup_key: None, headers: Headers::default() }
    }

    /// Uses another key than the event's own.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Makes a second emit with the same event name and this key a no-op that returns the first
    /// id, for as long as dedup keys are kept (see [`Limits::dedup_ttl`](crate::Limits)).
    #[must_use]
    pub fn dedup_key(mut self, key: impl Into<String>) -> Self {
        self.dedup_key = Some(key.into());
        self
    }

    /// Adds a header. The names that the engine writes itself are constants in
    /// [`headers`](crate::headers).
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.set(name, value);
        self
    }

    /// Says when the fact happened, where that is not now.
    #[must_use]
    pub fn occurred_at(self, at: DateTime<Utc>) -> Self {
        self.header(crate::headers::OCCURRED_AT, at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// What can be emitted: an event, or an event with options.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an `Event`",
    note = "add `#[derive(Event, Serialize, Deserialize, JsonSchema)]` and `#[event(name = \"...\")]`"
)]
pub trait IntoEmit {
    /// The event's type.
    type Event: Event;

    /// The event with its options.
    fn into_emit(self) -> Emit<Self::Event>;
}

impl<E: Event> IntoEmit for E
where
    Of<E>: Reported<As = Whole>,
{
    type Event = E;

    fn into_emit(self) -> Emit<E> {
        Emit::new(self)
    }
}

#[doc(hidden)]
impl<E: Event> IntoEmit for E
where
    Of<E>: Reported<As = Parts>,
{
    type Event = E;

    fn into_emit(self) -> Emit<E> {
        Emit::new(self)
    }
}

impl<E: Event> IntoEmit for Emit<E> {
    type Event = E;

    fn into_emit(self) -> Emit<E> {
        self
    }
}

/// Where an emitted event went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Emitted {
    /// The event's id, a UUID of version 7.
    pub id: Uuid,
    /// The event's position in the log.
    pub position: Position,
    /// Whether an earlier emit with the same dedup key had already written this event, so that
    /// nothing was written now.
    pub duplicate: bool,
}

/// An event as it lies in the log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoredEvent {
    /// Position in the log.
    pub position: Position,
    /// Unique id.
    pub id: Uuid,
    /// Event name.
    pub name: String,
    /// Version of the payload's shape.
    pub version: u32,
    /// Key, if any.
    pub key: Option<String>,
    /// The payload exactly as stored.
    pub payload: Box<RawValue>,
    /// Headers.
    pub headers: Headers,
    /// When the database appended it.
    pub created_at: DateTime<Utc>,
}
