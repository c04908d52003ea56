//! `unevaluatedProperties`, which schemars writes for a flattened map beside a flattened enum, in words
//! that older drafts have.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::reference::followed;

/// References that are followed one after another.
const MAX_DEPTH: u32 = 16;

/// Keywords after which it is not plain to see which properties a schema declares.
const HIDING: [&str; 9] = [
    "additionalProperties",
    "patternProperties",
    "unevaluatedProperties",
    "anyOf",
    "oneOf",
    "if",
    "dependentSchemas",
    "$dynamicRef",
    "$recursiveRef",
];

/// Says the same as the `unevaluatedProperties` of a schema beside it; none where that cannot be said.
/// `document` is what references are looked up in.
///
/// Without alternatives: every property but the declared ones is as it says. With a `oneOf`, exactly one
/// of the alternatives holds, and with it every property but the declared ones and its own.
pub(super) fn beside(keywords: &Map<String, Value>, document: &Value) -> Option<Value> {
    let others = keywords.get("unevaluatedProperties")?;
    let mut own = keywords.clone();
    own.remove("unevaluatedProperties");
    let alternatives = own.remove("oneOf");
    let declared = properties(&Value::Object(own), document, MAX_DEPTH)?;
    let closed = |declared: &BTreeSet<String>| {
        let declared = declared.iter().map(|name| (name.clone(), json!(true)));
        json!({ "properties": declared.collect::<Map<_, _>>(), "additionalProperties": others })
    };
    let Some(alternatives) = alternatives else { return Some(closed(&declared)) };
    let each = alternatives.as_array()?.iter().map(|alternative| {
        let names = &properties(alternative, document, MAX_DEPTH)? | &declared;
        Some(json!({ "allOf": [alternative, closed(&names)] }))
    });
    each.collect::<Option<Vec<Value>>>().map(|each| json!({ "anyOf": each }))
}

/// The properties that a schema declares, itself or through references; none if that is not plain.
fn properties(schema: &Value, document: &Value, depth: u32) -> Option<BTreeSet<String>> {
    let keywords = match schema {
        Value::Object(keywords) if depth > 0 => keywords,
        Value::Bool(_) => return Some(BTreeSet::new()),
        _ => return None,
    };
    if HIDING.iter().any(|keyword| keywords.contains_key(*keyword)) {
        return None;
    }
    let declared = keywords.get("properties").and_then(Value::as_object);
    let mut names: BTreeSet<String> = declared.into_iter().flat_map(Map::keys).cloned().collect();
    if keywords.contains_key("$ref") {
        names.extend(properties(followed(schema, document)?, document, depth - 1)?);
    }
    for schema in keywords.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        names.extend(properties(schema, document, depth - 1)?);
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(schema: Value) -> Option<Value> {
        beside(schema.as_object().expect("keywords"), &schema)
    }

    #[test]
    fn what_is_declared_through_references_counts() {
        let schema = json!({
            "$defs": { "Line": { "properties": { "sku": true } } },
            "properties": { "id": true },
            "allOf": [{ "$ref": "#/$defs/Line" }],
            "unevaluatedProperties": false,
        });
        let declared = json!({ "id": true, "sku": true });
        let expected = json!({ "properties": declared, "additionalProperties": false });
        assert_eq!(said(schema), Some(expected));
    }

    #[test]
    fn what_is_not_plain_is_not_said() {
        for keyword in ["anyOf", "oneOf"] {
            let hidden = json!({ "allOf": [{ keyword: [{}] }], "unevaluatedProperties": false });
            assert_eq!(said(hidden), None);
        }
        assert_eq!(said(json!({ "$ref": "#", "unevaluatedProperties": false })), None);
    }
}
