//! Schemas that no derive writes, but that people can: each with values that it accepts or refuses.

use outbox_runtime::{EventInfo, RegistryInfo};
use schemars::{Schema, json_schema};
use serde_json::{Value, json};

use crate::events::OrderPlaced;

pub(crate) struct Odd {
    pub(crate) schema: fn() -> Schema,
    pub(crate) values: Vec<Value>,
}

/// A registry with an event of each schema, in versions from 1.
pub(crate) fn registry() -> RegistryInfo {
    let event = |(version, odd): (u32, Odd)| {
        let mut event = EventInfo::of::<OrderPlaced>();
        (event.version, event.write_schema) = (version, odd.schema);
        event
    };
    RegistryInfo::new("Odd", (1..).zip(all()).map(event).collect(), Vec::new())
}

/// A registry with one event, of this schema.
pub(crate) fn one(schema: fn() -> Schema) -> RegistryInfo {
    let mut event = EventInfo::of::<OrderPlaced>();
    event.write_schema = schema;
    RegistryInfo::new("Odd", vec![event], Vec::new())
}

pub(crate) fn all() -> Vec<Odd> {
    let odd =
        |schema, values: Value| Odd { schema, values: values.as_array().expect("a list").clone() };
    vec![
        odd(|| json_schema!(true), json!([1, "a", null, [], {}])),
        odd(|| json_schema!(false), json!([1, null])),
        odd(
            || json_schema!({ "properties": { "a": { "type": "string" } }, "required": [] }),
            json!([{ "a": "x" }, { "a": 1 }, 7, {}]),
        ),
        odd(
            || json_schema!({ "type": "object", "required": ["a"], "minProperties": 1 }),
            json!([{ "a": null }, {}, []]),
        ),
        odd(
            || json_schema!({ "minimum": 1, "exclusiveMinimum": 1, "exclusiveMaximum": 3, "type": "integer" }),
            json!([1, 2, 3, "a"]),
        ),
        odd(
            || json_schema!({ "const": "a", "enum": ["a", "b"], "type": ["string", "null"] }),
            json!(["a", "b", null]),
        ),
        odd(
            || json_schema!({ "enum": [1, -0.5, "x", null, true, [1, "a"], { "k": [] }, 9007199254740993_u64] }),
            json!([1, -0.5, "x", null, true, [1, "a"], { "k": [] }, 2, [1], {}]),
        ),
        odd(
            || {
                json_schema!({
                    "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }],
                    "minItems": 1, "items": { "type": "boolean" },
                })
            },
            json!([[], ["a"], ["a", 1], ["a", 1, true, false], ["a", 1, 2], [1]]),
        ),
        odd(
            || json_schema!({ "type": "array", "prefixItems": [true], "items": false }),
            json!([[], [1], [1, 2]]),
        ),
        odd(|| json_schema!({ "type": "array", "items": false }), json!([[], [1]])),
        odd(
            || json_schema!({ "type": "array", "items": { "type": ["integer", "null"] }, "maxItems": 0 }),
            json!([[], [1]]),
        ),
        odd(
            || {
                json_schema!({
                    "type": "object", "properties": { "a": { "type": "integer" } },
                    "patternProperties": { "^n": { "type": "integer" } },
                    "additionalProperties": { "type": "string" },
                })
            },
            json!([{ "a": 1, "n": 2, "x": "s" }, { "a": "s" }, { "n": "s" }, { "x": 1 }]),
        ),
        odd(
            || {
                json_schema!({
                    "type": "object",
                    "properties": { "a": true, "b": true, "c": true },
                    "dependentRequired": { "a": ["b"], "c": [] },
                    "dependentSchemas": { "a": { "required": ["c"] }, "b": true },
                })
            },
            json!([{ "a": 1, "b": 1, "c": 1 }, { "a": 1, "b": 1 }, { "a": 1, "c": 1 }, { "c": 1 }]),
        ),
        odd(
            || {
                json_schema!({
                    "$defs": {
                        "A/b ~": { "type": "object", "properties": { "a": { "$ref": "#" } } },
                        "A_b__": { "type": "integer" },
                    },
                    "anyOf": [
                        { "$ref": "#/$defs/A~1b%20~0", "description": "*/", "required": ["a"] },
                        { "$ref": "#/$defs/A_b__", "minimum": 1 },
                    ],
                })
            },
            json!([1, 0, { "a": 2 }, { "a": { "a": 3 } }, { "a": { "a": 0 } }, {}]),
        ),
        odd(
            || {
                json_schema!({
                    "$defs": { "A": { "type": "object", "properties": { "a": { "const": 1 } } } },
                    "type": "object",
                    "properties": { "id": { "type": "integer" } },
                    "oneOf": [
                        { "$ref": "#/$defs/A", "required": ["a"] },
                        { "properties": { "b": { "type": "integer" } }, "required": ["b"] },
                    ],
                    "unevaluatedProperties": { "type": "string" },
                })
            },
            json!([
                { "id": 1, "a": 1, "x": "s" }, { "a": 1, "x": 1 }, { "b": 2 }, { "b": 2, "a": "s" },
                { "a": 1, "b": 2 }, { "a": 1, "b": "s" }, { "id": "s" },
            ]),
        ),
        odd(
            || {
                json_schema!({
                    "type": "object", "unevaluatedProperties": false, "additionalItems": 1,
                    "allOf": [{ "properties": { "a": true } }, { "properties": { "b": true } }],
                    "not": { "required": ["a", "b"] }, "nullable": true, "x-own": { "any": 1 },
                })
            },
            json!([{ "a": 1 }, { "b": 1 }, { "a": 1, "b": 1 }, { "c": 1 }, null]),
        ),
        odd(
            || {
                json_schema!({
                    "$defs": {
                        "Chain": { "anyOf": [{ "$ref": "#/$defs/Chain" }, { "type": "null" }] },
                    },
                    "type": "object",
                    "properties": { "chain": { "$ref": "#/$defs/Chain" } },
                })
            },
            json!([{ "chain": null }, { "chain": 1 }]),
        ),
        odd(
            || json_schema!({ "type": "object", "anyOf": [{ "type": "object", "properties": { "a": true } }] }),
            json!([{ "a": 1 }, {}, 1]),
        ),
        odd(
            || {
                json_schema!({
                    "type": "object", "unevaluatedProperties": true,
                    "anyOf": [{ "type": "object", "properties": { "a": true } }],
                })
            },
            json!([{ "a": 1, "b": 1 }, {}, 1]),
        ),
    ]
}
