//! The types of JSON Schemas in words.

use serde_json::{Map, Value};

use super::markdown::{code, enumerated};
use super::parts::Parts;
use crate::reference::{self, followed};

/// How deep alternatives in alternatives are told.
const DEEPEST: usize = 4;

/// References that are followed one after another.
const MAX_REFERENCES: usize = 16;

/// A schema in words, as Markdown for a table's cell.
pub(super) fn words(schema: &Value, root: &Value) -> String {
    told(schema, root, DEEPEST)
}

/// The schema that references lead to, with the name that the first of them leads to. What has
/// properties beside its reference is a type of its own.
pub(super) fn resolved<'a>(schema: &'a Value, root: &'a Value) -> (&'a Value, Option<String>) {
    let referred = |schema| followed(schema, root).filter(|_| schema.get("properties").is_none());
    let Some(first) = referred(schema) else { return (schema, None) };
    let following = std::iter::successors(Some(first), |schema| referred(schema));
    (following.take(MAX_REFERENCES).last().unwrap_or(first), name(schema, root))
}

/// The name of what a schema refers to.
fn name(schema: &Value, root: &Value) -> Option<String> {
    let pointer = reference::pointer(schema.get("$ref")?.as_str()?)?;
    match pointer.rsplit_once('/') {
        Some((_, token)) => Some(token.replace("~1", "/").replace("~0", "~")),
        None => root.get("title").and_then(Value::as_str).map(str::to_owned),
    }
}

fn told(schema: &Value, root: &Value, depth: usize) -> String {
    one_of(each(schema, root, depth))
}

/// What a schema admits, one after another.
fn each(schema: &Value, root: &Value, depth: usize) -> Vec<String> {
    let (schema, name) = resolved(schema, root);
    if let Some(literals) = schema.get("enum").and_then(Value::as_array) {
        return literals.iter().map(literal).collect();
    }
    if let Some(constant) = schema.get("const") {
        return vec![literal(constant)];
    }
    if let Some(alternatives) = alternatives(schema) {
        return match depth.checked_sub(1) {
            Some(below) => alternatives.iter().flat_map(|one| each(one, root, below)).collect(),
            None => vec![named(name, "one of several".to_owned())],
        };
    }
    let one = match schema.get("type") {
        Some(Value::Array(types)) => {
            let of_type =
                |kind: &Value| of_type(kind.as_str().unwrap_or_default(), schema, root, depth);
            return types.iter().map(of_type).collect();
        }
        Some(Value::String(kind)) if kind == "object" => named(name, object(schema, root, depth)),
        Some(Value::String(kind)) => of_type(kind, schema, root, depth),
        _ if schema.get("properties").is_some() => named(name, object(schema, root, depth)),
        _ if *schema == Value::Bool(false) => "nothing".to_owned(),
        _ => named(name, "any JSON".to_owned()),
    };
    vec![one]
}

/// The alternatives of a schema, if it has some.
pub(super) fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    ["oneOf", "anyOf"].into_iter().find_map(|keyword| schema.get(keyword)?.as_array())
}

fn named(name: Option<String>, otherwise: String) -> String {
    name.map_or(otherwise, |name| code(&name))
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
    let parts = Parts::of(schema, root);
    let names: Vec<String> = parts.properties().iter().map(|(name, _)| code(name)).collect();
    if !names.is_empty() {
        return format!("object with {}", enumerated(&names, "and"));
    }
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    let others = schema.get("additionalProperties").filter(|values| values.is_object());
    let values = patterns.into_iter().flat_map(Map::values).chain(others);
    match depth.checked_sub(1) {
        Some(below) if patterns.is_some() || others.is_some() => {
            let values = values.flat_map(|values| each(values, root, below)).collect();
            format!("map from text to {}", one_of(values))
        }
        _ => "object".to_owned(),
    }
}
