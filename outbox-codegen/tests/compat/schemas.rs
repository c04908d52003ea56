//! Random schemas, and random changes of them.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::values::one_of;

/// A document. Some of its schemas refer to one that refers to itself.
pub(crate) fn document(rng: &mut Rng) -> Value {
    let mut root = schema(rng, 3);
    if !root.is_object() {
        root = json!({ "allOf": [root] });
    }
    let value = schema(rng, 0);
    root["$defs"] = json!({ "node": {
        "type": "object",
        "properties": {
            "v": value,
            "next": { "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] },
        },
        "required": ["v"],
    } });
    root
}

fn schema(rng: &mut Rng, depth: u32) -> Value {
    match rng.u32(0..if depth == 0 { 9 } else { 18 }) {
        0 => json!({ "type": "null" }),
        1 => json!({ "type": "boolean" }),
        2 => number(rng),
        3 => {
            let format = one_of(rng, &["int32", "int64", "uint32", "uint8", "uint64"]);
            json!({ "type": "integer", "format": format })
        }
        4 => text(rng),
        5 | 6 => values(rng),
        7 => {
            let value = one_of(rng, &["a", "b", "x"]);
            json!({ "const": value })
        }
        8 => json!({ "type": ["string", "null"] }),
        9..=11 => object(rng, depth),
        12 => array(rng, depth),
        13 => json!({ "anyOf": several(rng, depth) }),
        14 => tagged(rng, depth),
        15 => json!({ "allOf": [schema(rng, depth - 1), schema(rng, depth - 1)] }),
        16 => json!({ "oneOf": [schema(rng, depth - 1), schema(rng, depth - 1)] }),
        _ => match rng.u32(0..3) {
            0 => json!(true),
            1 => json!({ "$ref": "#/$defs/node" }),
            _ => {
                let mut outer = object(rng, depth - 1);
                outer["unevaluatedProperties"] = json!(false);
                outer["allOf"] = json!([object(rng, depth - 1)]);
                outer
            }
        },
    }
}

/// Now and then.
fn maybe(rng: &mut Rng, one_in: u32, schema: &mut Value, keyword: &str, value: Value) {
    if rng.u32(0..one_in) == 0 {
        schema[keyword] = value;
    }
}

fn number(rng: &mut Rng) -> Value {
    let name = one_of(rng, &["integer", "number"]);
    let mut number = json!({ "type": name });
    let (min, max, below, step) = (rng.i32(-3..3), rng.i32(0..6), rng.i32(0..6), rng.i32(1..4));
    maybe(rng, 2, &mut number, "minimum", json!(min));
    maybe(rng, 2, &mut number, "maximum", json!(max));
    maybe(rng, 6, &mut number, "exclusiveMaximum", json!(below));
    maybe(rng, 6, &mut number, "multipleOf", json!(step));
    number
}

fn text(rng: &mut Rng) -> Value {
    let mut text = json!({ "type": "string" });
    let (min, max) = (rng.u32(0..3), rng.u32(0..5));
    let pattern = *one_of(rng, &["^a", "^[0-9]+$", "b$", "^[ab]{2,3}$"]);
    let format = *one_of(rng, &["uuid", "date-time", "date", "ipv4"]);
    maybe(rng, 3, &mut text, "minLength", json!(min));
    maybe(rng, 3, &mut text, "maxLength", json!(max));
    maybe(rng, 4, &mut text, "pattern", json!(pattern));
    maybe(rng, 4, &mut text, "format", json!(format));
    text
}

fn values(rng: &mut Rng) -> Value {
    let mut all =
        vec![json!("a"), json!("b"), json!("c"), json!(1), json!(2), json!(null), json!(true)];
    rng.shuffle(&mut all);
    all.truncate(rng.usize(1..4));
    json!({ "enum": all })
}

fn several(rng: &mut Rng, depth: u32) -> Vec<Value> {
    (0..rng.usize(1..4)).map(|_| schema(rng, depth - 1)).collect()
}

fn array(rng: &mut Rng, depth: u32) -> Value {
    let mut array = json!({ "type": "array" });
    let items = schema(rng, depth - 1);
    let prefix = [schema(rng, depth - 1), schema(rng, depth - 1)];
    let (min, max) = (rng.u32(0..3), rng.u32(0..4));
    if rng.u32(0..4) > 0 {
        array["items"] = items;
    }
    maybe(rng, 3, &mut array, "minItems", json!(min));
    maybe(rng, 3, &mut array, "maxItems", json!(max));
    maybe(rng, 5, &mut array, "uniqueItems", json!(true));
    maybe(rng, 4, &mut array, "prefixItems", json!(prefix));
    array
}

fn object(rng: &mut Rng, depth: u32) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for name in ["p", "q", "r"] {
        if rng.u32(0..3) > 0 {
            properties.insert(name.into(), schema(rng, depth.saturating_sub(1)));
            if rng.bool() {
                required.push(name);
            }
        }
    }
    let mut object = json!({ "type": "object", "properties": properties, "required": required });
    let (additional, pattern) = (schema(rng, 0), schema(rng, 0));
    match rng.u32(0..6) {
        0 | 1 => object["additionalProperties"] = json!(false),
        2 => object["additionalProperties"] = additional,
        _ => {}
    }
    let (min, max) = (rng.u32(0..3), rng.u32(0..4));
    maybe(rng, 8, &mut object, "patternProperties", json!({ "^x": pattern }));
    maybe(rng, 10, &mut object, "minProperties", json!(min));
    maybe(rng, 10, &mut object, "maxProperties", json!(max));
    object
}

/// As serde writes enums with a tag.
fn tagged(rng: &mut Rng, depth: u32) -> Value {
    let tags = ["a", "b", "c"];
    let variants = tags[..rng.usize(1..4)].iter().map(|tag| {
        let mut variant = object(rng, depth - 1);
        variant["properties"]["type"] = json!({ "const": tag });
        if let Some(required) = variant["required"].as_array_mut() {
            required.push(json!("type"));
        }
        variant
    });
    json!({ "oneOf": variants.collect::<Vec<_>>() })
}

/// Changes something somewhere.
pub(crate) fn change(rng: &mut Rng, schema_: &mut Value) {
    match schema_ {
        Value::Array(schemas) if !schemas.is_empty() && schemas.iter().all(Value::is_object) => {
            let index = rng.usize(0..schemas.len());
            match rng.u32(0..4) {
                0 if schemas.len() > 1 => drop(schemas.remove(index)),
                1 => schemas.push(schema(rng, 1)),
                _ => change(rng, &mut schemas[index]),
            }
        }
        Value::Object(keywords) if !keywords.is_empty() => {
            if rng.u32(0..3) == 0 && !keywords.contains_key("$defs") {
                *schema_ = schema(rng, 2);
                return;
            }
            let names: Vec<String> = keywords.keys().cloned().collect();
            let name = one_of(rng, &names).clone();
            change_keyword(rng, keywords, &name);
        }
        _ => {}
    }
}

fn change_keyword(rng: &mut Rng, keywords: &mut Map<String, Value>, name: &str) {
    match name {
        "minimum" | "maximum" => drop(keywords.insert(name.into(), json!(rng.i32(-4..7)))),
        "minLength" | "maxLength" | "minItems" | "maxItems" => {
            keywords.insert(name.into(), json!(rng.u32(0..5)));
        }
        "required" => {
            let Some(Value::Array(required)) = keywords.get_mut(name) else { return };
            let property = json!(one_of(rng, &["p", "q", "r"]));
            match required.iter().position(|earlier| *earlier == property) {
                Some(index) => drop(required.remove(index)),
                None => required.push(property),
            }
        }
        "type" | "$ref" | "const" | "enum" => {}
        "format" | "pattern" | "multipleOf" | "uniqueItems" | "unevaluatedProperties" => {
            keywords.remove(name);
        }
        "$defs" | "properties" | "patternProperties" => {
            let Some(Value::Object(schemas)) = keywords.get_mut(name) else { return };
            let names: Vec<String> = schemas.keys().cloned().collect();
            if names.is_empty() {
                return;
            }
            let inner = one_of(rng, &names);
            if name != "$defs" && rng.u32(0..5) == 0 {
                schemas.remove(inner);
            } else if let Some(schema) = schemas.get_mut(inner) {
                change(rng, schema);
            }
        }
        _ => {
            if let Some(schema) = keywords.get_mut(name) {
                change(rng, schema);
            }
        }
    }
}
