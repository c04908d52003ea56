//! The types of columns.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::columns::Seen;
use crate::reference::followed;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Text,
    Boolean,
    /// Whole numbers of 64 bits.
    Bigint,
    /// Whole numbers that may be larger.
    Numeric,
    Double,
    Uuid,
    Date,
    Timestamptz,
    /// Anything else: lists, objects, what may be one thing or another.
    Json,
}

impl Kind {
    /// The kind that every value has that a schema describes, nulls aside.
    pub(super) fn of(schema: &Value, root: &Value) -> Self {
        kind(schema, root, &mut Seen::new()).unwrap_or(Self::Json)
    }
}

/// None for what is null, for nothing at all, or for what was looked at before.
fn kind(schema: &Value, root: &Value, seen: &mut Seen) -> Option<Kind> {
    if !seen.insert(schema) {
        return None;
    }
    if schema.get("$ref").is_some() {
        return kind(followed(schema, root)?, root, seen);
    }
    if let Some(constant) = schema.get("const") {
        return of_value(constant);
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return common(values.iter().map(of_value));
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if let Some(parts) = schema.get(keyword).and_then(Value::as_array) {
            return common(parts.iter().map(|part| kind(part, root, seen)));
        }
    }
    match schema.get("type") {
        Some(Value::String(name)) => of_type(name, schema),
        Some(Value::Array(names)) => {
            common(names.iter().map(|name| of_type(name.as_str().unwrap_or_default(), schema)))
        }
        _ => Some(Kind::Json),
    }
}

/// The kind of all that have one.
fn common(kinds: impl Iterator<Item = Option<Kind>>) -> Option<Kind> {
    let mut kinds = kinds.flatten();
    let first = kinds.next()?;
    Some(if kinds.all(|kind| kind == first) { first } else { Kind::Json })
}

fn of_value(value: &Value) -> Option<Kind> {
    match value {
        Value::Null => None,
        Value::String(_) => Some(Kind::Text),
        Value::Bool(_) => Some(Kind::Boolean),
        Value::Number(number) if number.is_i64() => Some(Kind::Bigint),
        _ => Some(Kind::Json),
    }
}

fn of_type(name: &str, schema: &Value) -> Option<Kind> {
    let format = schema.get("format").and_then(Value::as_str);
    match (name, format) {
        ("null", _) => None,
        ("string", Some("uuid")) => Some(Kind::Uuid),
        ("string", Some("date")) => Some(Kind::Date),
        ("string", Some("date-time")) => Some(Kind::Timestamptz),
        ("string", _) => Some(Kind::Text),
        ("boolean", _) => Some(Kind::Boolean),
        // (`usize` says `uint`.)
        ("integer", Some("uint64" | "uint" | "uint128" | "int128")) => Some(Kind::Numeric),
        ("integer", _) => Some(Kind::Bigint),
        ("number", _) => Some(Kind::Double),
        _ => Some(Kind::Json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_may_be_null_has_the_kind_of_what_it_is_otherwise() {
        let id = json!({ "type": "string", "format": "uuid" });
        let root = json!({ "$defs": { "Id": id, "Id<Order>": id } });
        for (schema, kind) in [
            (json!({ "type": ["string", "null"] }), Kind::Text),
            (json!({ "type": ["integer", "null"], "format": "uint64" }), Kind::Numeric),
            (json!({ "anyOf": [{ "$ref": "#/$defs/Id" }, { "type": "null" }] }), Kind::Uuid),
            (json!({ "$ref": "#/$defs/Id%3COrder%3E" }), Kind::Uuid),
            (json!({ "oneOf": [{ "const": "a" }, { "const": "b" }] }), Kind::Text),
            (json!({ "enum": ["a", "b", null] }), Kind::Text),
            (json!({ "enum": ["a", 1] }), Kind::Json),
            (json!({ "type": "string", "format": "date-time" }), Kind::Timestamptz),
            (json!({ "type": "array", "items": {} }), Kind::Json),
            (json!(true), Kind::Json),
            (json!({ "$ref": "#/$defs/Missing" }), Kind::Json),
        ] {
            assert_eq!(Kind::of(&schema, &root), kind, "{schema}");
        }
    }

    #[test]
    fn what_leads_to_itself_ends() {
        let list = json!({ "$ref": "#/$defs/List" });
        let root = json!({ "$defs": { "List": list } });
        assert_eq!(Kind::of(&list, &root), Kind::Json);
        // One look at each: it would be 20 to the power of however deep one looks.
        let many = json!({ "oneOf": vec![json!({ "$ref": "#/$defs/Many" }); 20] });
        let root = json!({ "$defs": { "Many": { "oneOf": [many, { "type": "string" }] } } });
        assert_eq!(Kind::of(&json!({ "$ref": "#/$defs/Many" }), &root), Kind::Text);
    }
}
