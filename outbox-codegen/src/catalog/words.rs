//! The types of JSON Schemas in words.

use serde_json::Value;

use super::markdown::{code, enumerated};

/// How deep alternatives in alternatives are told.
const DEEPEST: usize = 4;

/// A schema in words, as Markdown for a table's cell.
pub(super) fn words(schema: &Value, root: &Value) -> String {
    told(schema, root, DEEPEST)
}

/// The schema that a reference leads to, with the name that it has there.
pub(super) fn resolved<'a>(schema: &'a Value, root: &'a Value) -> (&'a Value, Option<&'a str>) {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let Some(pointer) = reference.and_then(|reference| reference.strip_prefix('#')) else {
        return (schema, None);
    };
    let name = pointer.rsplit('/').next().filter(|name| !name.is_empty());
    (root.pointer(pointer).unwrap_or(schema), name)
}

fn told(schema: &Value, root: &Value, depth: usize) -> String {
    let (schema, name) = resolved(schema, root);
    if let Some(literals) = schema.get("enum").and_then(Value::as_array) {
        return one_of(literals.iter().map(literal).collect());
    }
    if let Some(constant) = schema.get("const") {
        return literal(constant);
    }
    if let Some(alternatives) = alternatives(schema) {
        if depth == 0 {
            return name.map_or_else(|| "one of several".to_owned(), code);
        }
        return one_of(alternatives.iter().map(|each| told(each, root, depth - 1)).collect());
    }
    match schema.get("type") {
        Some(Value::Array(types)) => {
            let each =
                |kind: &Value| of_type(kind.as_str().unwrap_or_default(), schema, root, depth);
            one_of(types.iter().map(each).collect())
        }
        Some(Value::String(kind)) if kind == "object" => named(name, object(schema, root, depth)),
        Some(Value::String(kind)) => of_type(kind, schema, root, depth),
        _ if schema.get("properties").is_some() => named(name, object(schema, root, depth)),
        _ if *schema == Value::Bool(false) => "nothing".to_owned(),
        _ => named(name, "any JSON".to_owned()),
    }
}

/// The alternatives of a schema, if it has some.
pub(super) fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    ["oneOf", "anyOf"].into_iter().find_map(|keyword| schema.get(keyword)?.as_array())
}

fn named(name: Option<&str>, otherwise: String) -> String {
    name.map_or(otherwise, code)
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => code(text),
        other => code(&other.to_string()),
    }
}

/// Each alternative once, and nothing last.
fn one_of(words: Vec<String>) -> String {
    let mut different: Vec<String> = Vec::new();
    for word in words {
        if !different.contains(&word) {
            different.push(word);
        }
    }
    different.sort_by_key(|word| word == "nothing");
    enumerated(&different, "or")
}

fn of_type(kind: &str, schema: &Value, root: &Value, depth: usize) -> String {
    let format = schema.get("format").and_then(Value::as_str);
    match kind {
        "null" => "nothing".to_owned(),
        "boolean" => "true or false".to_owned(),
        "integer" => integer(schema, format),
        "number" => "number".to_owned(),
        "string" => text(schema, format),
        "array" => array(schema, root, depth),
        "object" => object(schema, root, depth),
        other => code(other),
    }
}

fn integer(schema: &Value, format: Option<&str>) -> String {
    let bits = format.map(|format| format.trim_start_matches("uint").trim_start_matches("int"));
    let bits = bits.filter(|bits| !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit()));
    let from_zero = schema.get("minimum").and_then(Value::as_f64) == Some(0.0);
    let from = if from_zero { " from 0" } else { "" };
    match bits {
        Some(bits) => format!("whole number{from} ({bits} bits)"),
        None => format!("whole number{from}"),
    }
}

fn text(schema: &Value, format: Option<&str>) -> String {
    match (format, schema.get("pattern").and_then(Value::as_str)) {
        (Some("uuid"), _) => "UUID".to_owned(),
        (Some("date-time"), _) => "date and time".to_owned(),
        (Some(format @ ("date" | "time" | "duration")), _) => format.to_owned(),
        (Some(format), _) => format!("text ({})", code(format)),
        (None, Some(pattern)) => format!("text like {}", code(pattern)),
        (None, None) => "text".to_owned(),
    }
}

fn array(schema: &Value, root: &Value, depth: usize) -> String {
    let Some(below) = depth.checked_sub(1) else { return "list".to_owned() };
    if let Some(parts) = schema.get("prefixItems").and_then(Value::as_array) {
        let parts: Vec<String> = parts.iter().map(|part| told(part, root, below)).collect();
        return format!("list of exactly {}", enumerated(&parts, "and"));
    }
    let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
    let what = if unique { "set" } else { "list" };
    match schema.get("items") {
        Some(items) => format!("{what} of {}", told(items, root, below)),
        None => format!("{what} of any JSON"),
    }
}

fn object(schema: &Value, root: &Value, depth: usize) -> String {
    let properties = schema.get("properties").and_then(Value::as_object);
    match (properties, schema.get("additionalProperties"), depth.checked_sub(1)) {
        (Some(properties), ..) if !properties.is_empty() => {
            let names: Vec<String> = properties.keys().map(|name| code(name)).collect();
            format!("object with {}", enumerated(&names, "and"))
        }
        (_, Some(values @ Value::Object(_)), Some(below)) => {
            format!("map from text to {}", told(values, root, below))
        }
        _ => "object".to_owned(),
    }
}
