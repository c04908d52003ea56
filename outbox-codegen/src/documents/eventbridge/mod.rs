//! Amazon EventBridge: schemas for its registry, rules, and how an event is put on a bus.
//!
//! | field of an entry | is |
//! | --- | --- |
//! | `Source` | the application's, given by the caller |
//! | `DetailType` | the event's name |
//! | `Time` | when the event was appended to the log |
//! | `Detail` | the [envelope]: `id`, `version`, `key`, `payload` and the rest |
//!
//! The version is inside of `detail`, so that a rule by `detail-type` matches all versions: a consumer
//! that does not know a version has to see it to say so.
//!
//! # Schemas
//!
//! `schemas/<event>.v<version>.json` is the `Content` of `CreateSchema` with the `Type`
//! `JSONSchemaDraft4`. It describes the whole event, as the schemas of AWS do. Of the two types that the
//! registry takes this is the one that can express what Rust writes (`null` beside other types,
//! tuples, maps with patterns), and the one that AWS recommends for validation; OpenAPI 3.0 has none
//! of these. What draft 4 cannot say is an [`Error`].
//!
//! # Rules
//!
//! `rules/<consumer>.json` is the input of `PutRule`, one for each consumer (`aws events put-rule
//! --cli-input-json file://...`). A rule is named after its consumer; a name of more than 64 characters is
//! cut, and ends with a hash of the whole.
//!
//! In names, `:` is `..` and `/` is `...`.
//!
//! ```
//! use std::path::Path;
//! use outbox_codegen::documents::eventbridge;
//! use outbox_runtime::{Event, Registry, registry};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//!
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(name = "order.placed", version = 1)]
//! struct OrderPlaced { total: i64 }
//!
//! registry! {
//!     struct Shop;
//!     events: [OrderPlaced],
//! }
//!
//! let files = eventbridge::files(&Shop::registry(), "com.example.shop")?;
//! assert!(files.contains_key(Path::new("schemas/order.placed.v1.json")));
//! # Ok::<(), eventbridge::Error>(())
//! ```

mod rule;
mod schema;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use outbox_runtime::{RegistryInfo, StoredEvent};
use serde_json::{Value, json};

use super::dialect::Unconvertible;
use super::names::version_id;
use super::{envelope, text};

/// The longest source, in characters.
const MAX_SOURCE: usize = 256;
/// The longest schema that `CreateSchema` takes, in characters.
const MAX_CONTENT: usize = 100_000;

/// The files of a registry, by path.
///
/// # Errors
///
/// When the source is none that EventBridge takes, or a schema cannot be expressed in draft 4 of JSON
/// Schema, or is too long.
pub fn files(registry: &RegistryInfo, source: &str) -> Result<BTreeMap<PathBuf, String>, Error> {
    check(source)?;
    let mut files = BTreeMap::new();
    for event in &registry.events {
        let content = text::of(schema::of(event, source)?);
        let characters = content.chars().count();
        if characters > MAX_CONTENT {
            let (event, version) = (event.name.to_owned(), event.version);
            return Err(Error::TooLong { event, version, characters });
        }
        let name = format!("{}.json", version_id(event));
        files.insert(Path::new("schemas").join(name), content);
    }
    for consumer in &registry.consumers {
        let rule = rule::of(consumer, source);
        let name = format!("{}.json", rule::name(consumer.options.name));
        files.insert(Path::new("rules").join(name), text::of(rule));
    }
    Ok(files)
}

/// An event of the log as an entry of `PutEvents`.
///
/// # Errors
///
/// When the source is none that EventBridge takes.
pub fn entry(event: &StoredEvent, source: &str) -> Result<Value, Error> {
    check(source)?;
    Ok(json!({
        "Source": source,
        "DetailType": event.name,
        "Time": event.created_at.to_rfc3339(),
        "Detail": envelope::text(event),
    }))
}

fn check(source: &str) -> Result<(), Error> {
    let fits = !source.is_empty() && source.chars().count() <= MAX_SOURCE;
    if fits && !source.starts_with("aws.") {
        return Ok(());
    }
    Err(Error::Source(source.to_owned()))
}

/// Why there are no documents for EventBridge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The source is empty, too long, or one of those that are for AWS.
    Source(String),
    /// A schema cannot be expressed in draft 4 of JSON Schema.
    Schema(Unconvertible),
    /// A schema is longer than the registry takes.
    TooLong {
        /// The event's name.
        event: String,
        /// Its version.
        version: u32,
        /// How long the schema is.
        characters: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(source) => write!(
                f,
                "`{source}` cannot be a source on EventBridge: write 1 to {MAX_SOURCE} characters \
                 that do not begin with `aws.`, such as `com.example.shop`"
            ),
            Self::Schema(error) => {
                write!(f, "{error}; EventBridge takes nothing newer than draft 4")
            }
            Self::TooLong { event, version, characters } => write!(
                f,
                "the schema of `{event}` version {version} has {characters} characters, and \
                 EventBridge takes {MAX_CONTENT}"
            ),
        }
    }
}

impl std::error::Error for Error {}

impl From<Unconvertible> for Error {
    fn from(error: Unconvertible) -> Self {
        Self::Schema(error)
    }
}
