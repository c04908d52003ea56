//! Schemas as people have them: older drafts, and documents that are none.

use outbox_codegen::compat::{Answer, Direction, check, compare, diff};
use serde_json::{Value, json};

fn holds(writer: Value, reader: Value) -> bool {
    compare(&writer, &reader).expect("two schemas").holds()
}

#[test]
fn draft_7_is_understood() {
    let old = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": { "money": { "type": "number", "exclusiveMinimum": 0 } },
        "type": "object",
        "properties": {
            "total": { "$ref": "#/definitions/money", "type": "string" },
            "at": { "type": "array", "items": [{ "type": "string" }, { "type": "integer" }] },
        },
        "required": ["total"],
    });
    let new = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "total": { "type": "number", "exclusiveMinimum": 0 },
            "at": { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }] },
        },
        "required": ["total"],
    });
    let report = diff(&old, &new, Direction::Full).expect("two schemas");
    assert!(
        report.is_compatible(),
        "what is beside a `$ref` counts for nothing in draft 7: {report}"
    );
}

#[test]
fn draft_4_says_exclusive_with_a_boolean() {
    let old = json!({ "type": "integer", "minimum": 0, "exclusiveMinimum": true });
    assert!(holds(old.clone(), json!({ "minimum": 1 })));
    assert!(!holds(json!({ "type": "integer", "minimum": 0 }), old));
}

#[test]
fn references_are_followed_by_pointer_anchor_and_id() {
    let text = json!({ "type": "string" });
    for (target, definition) in [
        ("#/$defs/a~1b%25", json!({ "a/b%": { "type": "string" } })),
        ("#name", json!({ "x": { "$anchor": "name", "type": "string" } })),
        ("name.json", json!({ "x": { "$id": "name.json", "type": "string" } })),
    ] {
        let schema = json!({ "$ref": target, "$defs": definition });
        assert!(holds(schema.clone(), text.clone()) && holds(text.clone(), schema), "{target}");
    }
}

#[test]
fn what_is_no_schema_is_refused_with_its_place() {
    for (schema, pointer, message) in [
        (
            json!({ "properties": { "a": 3 } }),
            "/properties/a",
            "a schema is an object or a boolean",
        ),
        (json!({ "type": "strng" }), "/type", "no type of JSON"),
        (json!({ "$ref": "other.json#/a" }), "/$ref", "another document"),
        (json!({ "$ref": "#/$defs/gone" }), "/$ref", "nothing in this document"),
        (json!({ "items": { "required": "a" } }), "/items/required", "a list of names"),
        (json!({ "pattern": "(" }), "/pattern", "beyond Rust's regex"),
        (json!({ "minLength": -1 }), "/minLength", "a whole number"),
        (json!({ "anyOf": {} }), "/anyOf", "a list of schemas"),
        (json!({ "$ref": "#" }), "", "refers to itself with nothing in between"),
        (
            json!({ "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/b" }, true] },
                               "b": { "$ref": "#/$defs/a" } } }),
            "/$defs/a/anyOf/0",
            "refers to itself with nothing in between",
        ),
        (json!([]), "", "not an array"),
    ] {
        let errors = check(&schema).expect_err(pointer);
        assert_eq!(errors[0].pointer, pointer, "{schema}: {errors:?}");
        assert!(errors[0].message.contains(message), "{schema}: {errors:?}");
    }
}

#[test]
fn schemas_that_hold_themselves_are_compared() {
    let list = |value: Value| {
        json!({
            "type": "object",
            "properties": { "value": value, "next": { "$ref": "#" } },
            "required": ["value"],
        })
    };
    let (narrow, wide) = (list(json!({ "type": "integer" })), list(json!({ "type": "number" })));
    assert!(holds(narrow.clone(), wide.clone()));
    let Ok(Answer::Breaks(breaks)) = compare(&wide, &narrow) else { panic!("0.5 is no integer") };
    assert_eq!(breaks[0].place(), ".value");
}

#[test]
fn what_cannot_be_decided_is_named() {
    let reader = json!({ "type": "array", "contains": { "const": 1 } });
    let answer = compare(&json!({ "type": "array", "minItems": 1 }), &reader);
    assert!(matches!(answer, Ok(Answer::Breaks(_))), "[] has no 1: {answer:?}");
    let writer = json!({ "type": "array", "prefixItems": [{ "const": 1 }], "minItems": 1 });
    let Ok(Answer::Unknown(places)) = compare(&writer, &reader) else {
        panic!("this is beyond us")
    };
    assert_eq!(places[0].to_string(), "UNHANDLED at the root: the keyword `contains`");
}
