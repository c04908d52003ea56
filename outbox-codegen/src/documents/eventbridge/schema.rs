//! The schema of one event version on EventBridge.

use outbox_runtime::EventInfo;
use serde_json::{Map, Value, json};

use crate::documents::dialect::{Dialect, Unconvertible, convert};
use crate::documents::names::type_name;
use crate::documents::{envelope, text};

const FOLDER: &str = "#/definitions/";
/// The name of the definition of `detail`. None of the payload's begins like that.
const DETAIL: &str = "Event";
/// What names of the payload's definitions begin with.
const PAYLOAD: &str = "Payload";

/// The whole event as a rule or a target sees it, with the keywords by which EventBridge finds it.
pub(super) fn of(event: &EventInfo, source: &str) -> Result<Value, Unconvertible> {
    let payload = convert(event, Dialect::Draft4, FOLDER, PAYLOAD, PAYLOAD)?;
    let reference = json!({ "$ref": format!("{FOLDER}{}", payload.root) });
    let detail = envelope::schema(event.name, event.version, reference);
    let mut definitions = Map::from_iter(payload.entries);
    definitions.insert(DETAIL.to_owned(), detail);

    let string = json!({ "type": "string" });
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": type_name(event),
        "type": "object",
        "x-amazon-events-source": source,
        "x-amazon-events-detail-type": event.name,
        "properties": {
            "version": string,
            "id": string,
            "detail-type": { "type": "string", "enum": [event.name] },
            "source": { "type": "string", "enum": [source] },
            "account": string,
            "time": { "type": "string", "format": "date-time" },
            "region": string,
            "resources": { "type": "array", "items": string },
            "detail": { "$ref": format!("{FOLDER}{DETAIL}") },
        },
        "required": [
            "version", "id", "detail-type", "source", "account", "time", "region", "resources",
            "detail",
        ],
        "definitions": definitions,
    });
    let written = text::written(event);
    if let Some(summary) = text::summary(text::docs(event, &written)) {
        schema["description"] = json!(summary);
    }
    Ok(schema)
}
