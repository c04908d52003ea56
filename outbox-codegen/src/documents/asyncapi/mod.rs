//! An AsyncAPI 3.0 document.
//!
//! * A **channel** for each event name, whose address is the name.
//! * A **message** for each version. Its payload is the schema of what the version writes, in the words
//!   of draft 7, which is what AsyncAPI's schemas are made of; its headers are those that the runtime
//!   writes. A retired version is `deprecated`.
//! * An **operation** `send` for each emitting handler, one more for each event that some version of can be
//!   emitted and no handler emits; and an operation `receive` for each consumer, with the versions that
//!   it knows. How the consumer is run is in `x-outbox-consumer`.
//!
//! Names in the document are those of the registry, with `:` as `..` and `/` as `...`.
//!
//! ```
//! use outbox_codegen::documents::asyncapi;
//! use outbox_runtime::{Event, Registry, registry};
//! # use schemars::JsonSchema;
//! # use serde::{Deserialize, Serialize};
//!
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(name = "stripe:invoice.paid", version = 1)]
//! struct InvoicePaid { invoice: String }
//!
//! registry! {
//!     struct Billing;
//!     events: [InvoicePaid],
//! }
//!
//! let document = asyncapi::document(&Billing::registry(), None)?;
//! assert_eq!(document["info"]["title"], "Billing");
//! assert_eq!(document["info"]["version"], "0");
//! assert_eq!(document["channels"]["stripe..invoice.paid"]["address"], "stripe:invoice.paid");
//! # Ok::<(), outbox_codegen::documents::Unconvertible>(())
//! ```

mod operations;

use outbox_runtime::{EventInfo, KeyInfo, RegistryInfo, headers};
use serde_json::{Map, Value, json};

use super::dialect::{Dialect, Unconvertible, convert};
use super::names::{id, version_id};
use super::{envelope, text};
use crate::lineage::{Lineage, lineages};

const CONTENT_TYPE: &str = "application/json";

/// The document of a registry. `version` is the application's, `0` if it has none.
///
/// # Errors
///
/// When a schema cannot be expressed in draft 7 of JSON Schema.
pub fn document(registry: &RegistryInfo, version: Option<&str>) -> Result<Value, Unconvertible> {
    let mut schemas = Map::from_iter([("headers".to_owned(), envelope::headers_schema())]);
    let mut messages = Map::new();
    for event in &registry.events {
        let id = version_id(event);
        // No id of a version goes on after its number, so this is none of another one.
        let prefix = format!("{id}_");
        let converted = convert(event, Dialect::Draft7, "#/components/schemas/", &id, &prefix)?;
        schemas.extend(converted.entries);
        messages.insert(id, message(event));
    }
    let mut info = json!({ "title": registry.name, "version": version.unwrap_or("0") });
    if !registry.declared.docs.is_empty() {
        info["description"] = json!(registry.declared.docs);
    }
    Ok(json!({
        "asyncapi": "3.0.0",
        "info": info,
        "defaultContentType": CONTENT_TYPE,
        "channels": channels(registry),
        "operations": operations::of(registry),
        "components": { "messages": messages, "schemas": schemas },
    }))
}

/// The same as text, with sorted keys and a line feed at the end.
///
/// # Errors
///
/// As [`document`].
pub fn json(registry: &RegistryInfo, version: Option<&str>) -> Result<String, Unconvertible> {
    document(registry, version).map(text::of)
}

/// A channel for everything that operations name, whether the registry lists it or not.
fn channels(registry: &RegistryInfo) -> Map<String, Value> {
    let lineages = lineages(registry).into_iter();
    lineages.map(|lineage| (id(lineage.name), channel(&lineage))).collect()
}

fn channel(lineage: &Lineage<'_>) -> Value {
    let messages: Map<String, Value> = lineage
        .versions
        .iter()
        .map(|event| {
            let message = format!("#/components/messages/{}", version_id(event));
            (message_key(event.version), reference(message))
        })
        .collect();
    let name = lineage.name;
    let mut channel = json!({ "address": name, "title": name, "messages": messages });
    if let Some(newest) = lineage.newest() {
        let schema = text::written(newest);
        describe(&mut channel, text::docs(newest, &schema));
    }
    channel
}

fn message(event: &EventInfo) -> Value {
    let schema = text::written(event);
    let id = version_id(event);
    let title = schema.get("title").and_then(Value::as_str).unwrap_or(event.name);
    let mut message = json!({
        "name": format!("{}.v{}", event.name, event.version),
        "title": title,
        "contentType": CONTENT_TYPE,
        "headers": reference("#/components/schemas/headers".to_owned()),
        "payload": reference(format!("#/components/schemas/{id}")),
        "correlationId": {
            "description": "What ties together everything that follows from one request or event. \
                            The first event of a chain may be without: then its id is meant.",
            "location": format!("$message.header#/{}", headers::CORRELATION_ID),
        },
        "x-outbox-event": { "name": event.name, "version": event.version },
    });
    describe(&mut message, text::docs(event, &schema));
    match event.key {
        Some(KeyInfo::Property(property)) => message["x-outbox-event"]["key"] = json!(property),
        Some(KeyInfo::Expression(code)) => message["x-outbox-event"]["keyExpression"] = json!(code),
        None => {}
    }
    if event.retired {
        message["deprecated"] = json!(true);
    }
    if let Some(Value::Array(examples)) = schema.get("examples") {
        let examples = examples.iter().map(|example| json!({ "payload": example }));
        message["examples"] = examples.collect();
    }
    message
}

/// Adds a summary and a description, unless there is nothing to say.
fn describe(to: &mut Value, docs: &str) {
    if let Some(summary) = text::summary(docs) {
        to["summary"] = json!(summary);
        to["description"] = json!(docs.trim());
    }
}

/// The key of a version in its channel.
fn message_key(version: u32) -> String {
    format!("v{version}")
}

fn reference(to: String) -> Value {
    json!({ "$ref": to })
}
