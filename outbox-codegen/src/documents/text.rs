//! What is the same on every machine: schemas and documents with sorted keys, and texts of people.

use outbox_runtime::EventInfo;
use serde_json::Value;

use crate::summary;

/// The schema of what a version writes. Its keys are sorted here, since whether a JSON object keeps an
/// order depends on what else is built.
pub(super) fn written(event: &EventInfo) -> Value {
    let mut schema = (event.write_schema)().to_value();
    schema.sort_all_objects();
    schema
}

/// A document as it is written into a file.
pub(super) fn of(mut document: Value) -> String {
    document.sort_all_objects();
    format!("{document:#}\n")
}

/// The first paragraph of a documentation, if it has one.
pub(super) fn summary(docs: &str) -> Option<String> {
    Some(summary::summary(docs)).filter(|summary| !summary.is_empty())
}

/// What an event says of itself: in its schema, or else where it was declared.
pub(super) fn docs<'a>(event: &EventInfo, schema: &'a Value) -> &'a str {
    schema.get("description").and_then(Value::as_str).unwrap_or(event.declared.docs)
}
