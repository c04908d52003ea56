//! An event of the log as a [CloudEvent](https://cloudevents.io) 1.0, in the structured mode of JSON.
//!
//! | attribute | is |
//! | --- | --- |
//! | `specversion` | `1.0` |
//! | `id` | the event's id, a UUID |
//! | `source` | the application's, given by the caller |
//! | `type` | the event's name |
//! | `time` | the header `occurred_at`, or else when the event was appended |
//! | `subject` | the key |
//! | `datacontenttype` | `application/json` |
//! | `dataschema` | the address of what the version writes, if the caller says where schemas are |
//! | `data` | the payload exactly as it is stored |
//!
//! These are extensions:
//!
//! | attribute | is |
//! | --- | --- |
//! | `version` | the version of the payload's shape |
//! | `partitionkey` | the key ("partitioning" of CloudEvents) |
//! | `traceparent`, `tracestate` | the headers of these names ("distributed tracing") |
//! | `correlationid` | the header `correlation_id` |
//! | `causationid` | the header `causation_id`, the id of the event that caused this one |
//! | `causedby` | the header `caused_by`, the consumer that emitted this one |
//! | any other | the header of this name, if it is 1 to 20 of a-z and 0-9 and is no name above |
//!
//! What is empty is left out. The position is no `sequence`: it is the order in which events were
//! written, not that in which they were committed.
//!
//! ```
//! use outbox_codegen::documents::cloudevents::{Source, Unfit, structured};
//! use outbox_runtime::StoredEvent;
//!
//! let source = Source::new("/shop")?.schemas("https://example.com/schemas")?;
//! let body = |event: &StoredEvent| structured(event, &source);
//! # let _ = body;
//! assert!(Source::new("not a URI").is_err());
//! # Ok::<(), Unfit>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;

use outbox_runtime::{StoredEvent, headers};
use serde_json::{Value, json};

use super::envelope;

/// The content type of what [`structured`] makes.
pub const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// Headers under another name.
const RENAMED: [(&str, &str); 5] = [
    (headers::TRACEPARENT, "traceparent"),
    (headers::TRACESTATE, "tracestate"),
    (headers::CORRELATION_ID, "correlationid"),
    (headers::CAUSATION_ID, "causationid"),
    (headers::CAUSED_BY, "causedby"),
];
/// Names that no other header gets.
const TAKEN: [&str; 11] = [
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "subject",
    "datacontenttype",
    "dataschema",
    "data",
    "version",
    "partitionkey",
];
/// The longest name of an attribute that everybody has to take.
const MAX_NAME: usize = 20;

/// Where events come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    uri: String,
    schemas: Option<String>,
}

impl Source {
    /// A source: a URI reference, such as `/shop` or `https://example.com/shop`.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn new(uri: &str) -> Result<Self, Unfit> {
        if uri.is_empty() || !uri.chars().all(in_uri) {
            return Err(Unfit::new("source", uri));
        }
        Ok(Self { uri: uri.to_owned(), schemas: None })
    }

    /// Says where the folder of [`schemas`](crate::schemas) can be read: an absolute URI.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn schemas(mut self, folder: &str) -> Result<Self, Unfit> {
        let scheme = folder.split_once(':').map_or("", |(scheme, _)| scheme);
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if !is_scheme || !folder.chars().all(in_uri) {
            return Err(Unfit::new("dataschema", folder));
        }
        self.schemas = Some(folder.trim_end_matches('/').to_owned());
        Ok(self)
    }
}

/// An event as JSON text.
///
/// # Errors
///
/// When the key or a header has characters that CloudEvents does not allow: control characters and
/// what Unicode has set aside.
pub fn structured(event: &StoredEvent, source: &Source) -> Result<String, Unfit> {
    let mut attributes = BTreeMap::<&str, Value>::from([
        ("specversion", json!("1.0")),
        ("id", json!(event.id.to_string())),
        ("source", json!(source.uri)),
        ("type", json!(event.name)),
        ("time", json!(time(event))),
        ("datacontenttype", json!("application/json")),
        ("version", json!(event.version)),
    ]);
    if let Some(folder) = &source.schemas {
        let schema = format!("{folder}/{}/v{}.write.json", event.name, event.version);
        attributes.insert("dataschema", json!(schema));
    }
    let key = event.key.as_deref().unwrap_or("");
    let texts = [("subject", key), ("partitionkey", key)];
    for (name, value) in texts.into_iter().chain(from_headers(event)) {
        if !value.chars().all(allowed) {
            return Err(Unfit::new(name, value));
        }
        if !value.is_empty() {
            attributes.insert(name, json!(value));
        }
    }
    let members = attributes.into_iter().map(|(name, value)| (name, value.to_string()));
    Ok(envelope::object(members.chain([("data", event.payload.get().to_owned())])))
}

fn time(event: &StoredEvent) -> String {
    let occurred = event.headers.get(headers::OCCURRED_AT).and_then(|time| time.parse().ok());
    occurred.unwrap_or(event.created_at).to_rfc3339()
}

fn from_headers(event: &StoredEvent) -> impl Iterator<Item = (&str, &str)> {
    let renamed =
        RENAMED.iter().filter_map(|(header, name)| Some((*name, event.headers.get(header)?)));
    let free = |name: &str| {
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let taken = TAKEN.contains(&name) || RENAMED.iter().any(|(_, other)| *other == name);
        plain && (1..=MAX_NAME).contains(&name.len()) && !taken
    };
    renamed.chain(event.headers.iter().filter(move |(name, _)| free(name)))
}

/// Whether CloudEvents allows a character in a text.
fn allowed(c: char) -> bool {
    let code = u32::from(c);
    let set_aside = (0xfdd0..=0xfdef).contains(&code) || code & 0xfffe == 0xfffe;
    !c.is_control() && !set_aside
}

fn in_uri(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
}

/// A value that CloudEvents does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfit {
    /// The attribute.
    pub attribute: String,
    /// The value.
    pub value: String,
}

impl Unfit {
    fn new(attribute: &str, value: &str) -> Self {
        Self { attribute: attribute.to_owned(), value: value.to_owned() }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} cannot be the `{}` of a CloudEvent", self.value, self.attribute)
    }
}

impl std::error::Error for Unfit {}
