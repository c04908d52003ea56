//! An event of the log as one JSON object: the layout that [`typescript`](super::typescript) types and
//! [`eventbridge`](super::eventbridge) puts into `detail`.
//!
//! | property | holds |
//! | --- | --- |
//! | `id` | the event's id, a UUID |
//! | `name` | the event's name |
//! | `version` | the version of the payload's shape |
//! | `key` | the key, or `null` |
//! | `position` | the number that the event has in the log |
//! | `created_at` | when it was appended, RFC 3339 |
//! | `headers` | an object of texts |
//! | `payload` | the payload exactly as it is stored |
//!
//! ```
//! use outbox_codegen::documents::envelope;
//! use outbox_runtime::StoredEvent;
//!
//! fn line(event: &StoredEvent) -> String {
//!     format!("{}\n", envelope::text(event))
//! }
//! ```

use std::collections::BTreeMap;

use outbox_runtime::{StoredEvent, headers};
use serde_json::{Value, json};

/// An event as JSON text. The digits of the payload's numbers stay as they are.
#[must_use]
pub fn text(event: &StoredEvent) -> String {
    let headers: BTreeMap<&str, &str> = event.headers.iter().collect();
    let members = [
        ("id", json!(event.id.to_string()).to_string()),
        ("name", json!(event.name).to_string()),
        ("version", json!(event.version).to_string()),
        ("key", json!(event.key).to_string()),
        ("position", json!(event.position).to_string()),
        ("created_at", json!(event.created_at.to_rfc3339()).to_string()),
        ("headers", json!(headers).to_string()),
        ("payload", event.payload.get().to_owned()),
    ];
    object(members)
}

/// A JSON object of members that are JSON text.
pub(super) fn object<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let members = members.into_iter().map(|(name, value)| format!("{}:{value}", json!(name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// The JSON Schema of the envelope of one version, in words that every draft has. `payload` is the schema
/// of the payload.
pub(super) fn schema(name: &str, version: u32, payload: Value) -> Value {
    let required = ["id", "name", "version", "key", "position", "created_at", "headers", "payload"];
    json!({
        "type": "object",
        "properties": {
            "id": { "type": "string", "format": "uuid", "description": "The event's id." },
            "name": { "type": "string", "enum": [name] },
            "version": { "type": "integer", "enum": [version] },
            "key": {
                "type": ["string", "null"],
                "description": "What events are ordered by.",
            },
            "position": {
                "type": "integer",
                "format": "int64",
                "description": "The number that the event has in the log.",
            },
            "created_at": {
                "type": "string",
                "format": "date-time",
                "description": "When the event was appended to the log.",
            },
            "headers": headers_schema(),
            "payload": payload,
        },
        "required": required,
    })
}

/// The JSON Schema of headers, in words that every draft has. Every header may be absent: it depends on
/// what caused the event.
pub(super) fn headers_schema() -> Value {
    let header = |about: &str| json!({ "type": "string", "description": about });
    json!({
        "type": "object",
        "properties": {
            headers::CAUSATION_ID: header("The id of the event whose handling emitted this one."),
            headers::CAUSED_BY: header("The consumer whose handling emitted this one."),
            headers::CORRELATION_ID:
                header("What ties together everything that follows from one request or event."),
            headers::OCCURRED_AT:
                header("When the fact happened, RFC 3339, where that is not when it was emitted."),
            headers::TRACEPARENT: header("W3C trace context: the parent's trace and span."),
            headers::TRACESTATE: header("W3C trace context: vendor state."),
        },
        "additionalProperties": { "type": "string" },
        "description": "What travels with an event beside its payload.",
    })
}
