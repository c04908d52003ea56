//! Whether two schemas say the same, word for word, but for what says nothing about values.

use serde_json::{Map, Value};

use super::arena::{LISTS, MAPS, ONE};

/// Keywords that accept every value.
const ANNOTATIONS: &[&str] = &[
    "$comment",
    "$defs",
    "$schema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// Whether both are the same without annotations, and without definitions, which say nothing by
/// themselves. What they refer to is not looked at.
pub(super) fn is_same(a: &Value, b: &Value) -> bool {
    let (Value::Object(a), Value::Object(b)) = (a, b) else { return a == b };
    let says = |keyword: &&String| !ANNOTATIONS.contains(&keyword.as_str());
    a.keys().filter(says).count() == b.keys().filter(says).count()
        && a.iter().filter(|(keyword, _)| says(keyword)).all(|(keyword, value)| {
            b.get(keyword).is_some_and(|other| is_same_keyword(keyword, value, other))
        })
}

fn is_same_keyword(keyword: &str, a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) if MAPS.contains(&keyword) => is_same_map(a, b),
        (Value::Array(a), Value::Array(b)) if LISTS.contains(&keyword) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        _ if ONE.contains(&keyword) => is_same(a, b),
        _ => a == b,
    }
}

fn is_same_map(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    a.len() == b.len()
        && a.iter().all(|(name, schema)| b.get(name).is_some_and(|other| is_same(schema, other)))
}

/// Whether both documents have the same definitions, which refer to nothing else.
pub(super) fn has_same_definitions<'a>(a: &'a Value, b: &'a Value) -> bool {
    let none = &Map::new();
    DEFINITIONS.iter().all(|keyword| {
        let (a, b) = (a.get(keyword), b.get(keyword));
        let map = |all: Option<&'a Value>| all.and_then(Value::as_object).unwrap_or(none);
        is_same_map(map(a), map(b)) && a.and_then(refers_only_to_definitions) != Some(false)
    })
}

/// Whether all references in a schema are to definitions; `None` where there are none.
pub(crate) fn refers_only_to_definitions(schema: &Value) -> Option<bool> {
    let both = |a, b| a && b;
    match schema {
        Value::Object(map) => {
            let own = map.get("$ref").map(is_definition);
            let inner = map.values().filter_map(refers_only_to_definitions);
            own.into_iter().chain(inner).reduce(both)
        }
        Value::Array(list) => list.iter().filter_map(refers_only_to_definitions).reduce(both),
        _ => None,
    }
}

fn is_definition(target: &Value) -> bool {
    let path = target.as_str().and_then(|target| target.strip_prefix("#/"));
    let keyword = path.and_then(|path| path.split_once('/')).map(|(keyword, _)| keyword);
    keyword.is_some_and(|keyword| DEFINITIONS.contains(&keyword))
}
