//! Random values of a schema, made without the engine that is tested.

use fastrand::Rng;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

/// An independent validator, to which the integers of Rust are as wide as they are.
pub(crate) fn validator(schema: &Value) -> Validator {
    let mut schema = schema.clone();
    write_bounds(&mut schema);
    let options = jsonschema::options().with_draft(Draft::Draft202012);
    options.should_validate_formats(true).build(&schema).expect("a schema")
}

fn write_bounds(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            let (min, max) = match keywords.get("format").and_then(Value::as_str) {
                Some("int32") => (json!(i32::MIN), json!(i32::MAX)),
                Some("int64") => (json!(i64::MIN), json!(i64::MAX)),
                Some("uint8") => (json!(0), json!(u8::MAX)),
                Some("uint32") => (json!(0), json!(u32::MAX)),
                Some("uint64") => (json!(0), json!(u64::MAX)),
                _ => return keywords.values_mut().for_each(write_bounds),
            };
            // Beside bounds that the schema has itself.
            keywords.insert("allOf".into(), json!([{ "minimum": min, "maximum": max }]));
            keywords.remove("format");
        }
        Value::Array(schemas) => schemas.iter_mut().for_each(write_bounds),
        _ => {}
    }
}

/// A value that the schema probably accepts.
pub(crate) fn guess(rng: &mut Rng, root: &Value, schema: &Value, depth: u32) -> Value {
    let Some(keywords) = schema.as_object().filter(|_| depth > 0 && rng.u32(0..25) > 0) else {
        return anything(rng);
    };
    if let Some(target) = keywords.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(&target[1..]).expect("what is referred to");
        return guess(rng, root, target, depth - 1);
    }
    if let Some(constant) = keywords.get("const") {
        return constant.clone();
    }
    if let Some(values) = keywords.get("enum").and_then(Value::as_array) {
        return one_of(rng, values).clone();
    }
    let mut parts = Map::new();
    for keyword in ["anyOf", "oneOf", "allOf"] {
        let Some(branches) = keywords.get(keyword).and_then(Value::as_array) else { continue };
        let chosen = match keyword {
            "allOf" => branches.iter().collect(),
            _ => vec![one_of(rng, branches)],
        };
        for branch in chosen {
            match guess(rng, root, branch, depth - 1) {
                Value::Object(object) => parts.extend(object),
                other if keywords.contains_key("properties") => drop(other),
                other => return other,
            }
        }
    }
    match typed(rng, root, keywords, depth) {
        Value::Object(object) => {
            parts.extend(object);
            Value::Object(parts)
        }
        _ if !parts.is_empty() => Value::Object(parts),
        other => other,
    }
}

fn typed(rng: &mut Rng, root: &Value, keywords: &Map<String, Value>, depth: u32) -> Value {
    let name = match keywords.get("type") {
        Some(Value::Array(names)) => one_of(rng, names).as_str(),
        Some(name) => name.as_str(),
        None => return anything(rng),
    };
    const TEXTS: [&str; 13] = [
        "",
        "a",
        "b",
        "ab",
        "aab",
        "12",
        "0",
        "abcde",
        "00000000-0000-0000-0000-000000000001",
        "2026-01-31T09:00:00Z",
        "2026-01-31",
        "10.0.0.1",
        "ba",
    ];
    match name.expect("the name of a type") {
        "null" => Value::Null,
        "boolean" => json!(rng.bool()),
        "integer" => match rng.u32(0..9) {
            0 => json!(i32::MAX),
            1 => json!(u64::MAX),
            2 => json!(i64::MIN),
            3 => json!(256),
            4 => json!(i64::from(u32::MAX)),
            _ => json!(rng.i32(-5..8)),
        },
        "number" => json!(f64::from(rng.i32(-10..14)) / 2.0),
        "string" => json!(one_of(rng, &TEXTS)),
        "array" => items(rng, root, keywords, depth),
        _ => properties(rng, root, keywords, depth),
    }
}

fn items(rng: &mut Rng, root: &Value, keywords: &Map<String, Value>, depth: u32) -> Value {
    let prefix = keywords.get("prefixItems").and_then(Value::as_array);
    let least = keywords.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    let count = least + u64::from(rng.u32(0..3));
    let items = (0..count).map(|index| {
        let first = prefix.and_then(|prefix| prefix.get(index as usize));
        let schema = first.or(keywords.get("items")).unwrap_or(&Value::Bool(true));
        guess(rng, root, schema, depth - 1)
    });
    Value::Array(items.collect())
}

fn properties(rng: &mut Rng, root: &Value, keywords: &Map<String, Value>, depth: u32) -> Value {
    let mut object = Map::new();
    let required = keywords.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.contains(&json!(name)));
    let declared = keywords.get("properties").and_then(Value::as_object);
    for (name, schema) in declared.into_iter().flatten() {
        if is_required(name) || rng.bool() {
            object.insert(name.clone(), guess(rng, root, schema, depth - 1));
        }
    }
    let additional = keywords.get("additionalProperties").filter(|schema| **schema != json!(false));
    if let Some(schema) = additional.filter(|_| rng.bool()) {
        object.insert("other".into(), guess(rng, root, schema, depth - 1));
    }
    let patterns = keywords.get("patternProperties").and_then(Value::as_object);
    for (_, schema) in patterns.into_iter().flatten() {
        if rng.bool() {
            object.insert("xy".into(), guess(rng, root, schema, depth - 1));
        }
    }
    Value::Object(object)
}

fn anything(rng: &mut Rng) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(2.5),
        json!(-1),
        json!("a"),
        json!("b"),
        json!(""),
        json!([]),
        json!({}),
        json!(300),
        json!("ab"),
    ];
    one_of(rng, &values).clone()
}

pub(crate) fn one_of<'a, T>(rng: &mut Rng, all: &'a [T]) -> &'a T {
    &all[rng.usize(0..all.len())]
}
