//! The variants of an enum, and how they are told apart: serde's four styles but the untagged one.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::node::resolve;

/// How serde tells the variants of an enum apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tagging {
    /// The name is the text, or the only property.
    External,
    /// The name is in a property beside the others.
    Internal(String),
    /// The name is in one property, the data in another.
    Adjacent(String, String),
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// Its data; none for a unit variant.
    pub(crate) data: Option<Value>,
}

impl Variant {
    fn unit(name: String) -> Self {
        Self { name, data: None }
    }
}

impl std::fmt::Display for Tagging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::External => f.write_str("by its name"),
            Self::Internal(tag) => write!(f, "by the property `{tag}`"),
            Self::Adjacent(tag, content) => {
                write!(f, "by the property `{tag}`, with its data in `{content}`")
            }
        }
    }
}

/// The variants of an enum, where a schema describes one.
pub(crate) fn variants(root: &Value, schema: &Value) -> Option<(Tagging, Vec<Variant>)> {
    if let Some(names) = names(schema) {
        return Some((Tagging::External, names.into_iter().map(Variant::unit).collect()));
    }
    let alternatives = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    // A tagged enum whose variants share properties (flattened structs) has these beside `oneOf`.
    let alternatives: Vec<Cow<'_, Value>> =
        alternatives.iter().map(|one| resolve(root, one, &mut Vec::new())).collect();
    external(&alternatives)
        .map(|variants| (Tagging::External, variants))
        .or_else(|| tagged(&alternatives))
}

/// The texts that a schema lists.
fn names(schema: &Value) -> Option<Vec<String>> {
    if let Some(name) = schema.get("const").and_then(Value::as_str) {
        return Some(vec![name.to_owned()]);
    }
    let values = schema.get("enum")?.as_array()?;
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

fn external(alternatives: &[Cow<'_, Value>]) -> Option<Vec<Variant>> {
    let mut variants = Vec::new();
    for alternative in alternatives {
        if let Some(names) = names(alternative) {
            variants.extend(names.into_iter().map(Variant::unit));
            continue;
        }
        let properties = alternative.get("properties")?.as_object()?;
        let is_closed = alternative.get("additionalProperties") == Some(&Value::Bool(false));
        let required = alternative.get("required")?.as_array()?;
        let (name, data) = properties.iter().next()?;
        let is_variant = properties.len() == 1 && required.len() == 1 && is_closed;
        // An internally tagged unit variant looks alike, but for its constant.
        if !is_variant || names_one(data).is_some() {
            return None;
        }
        variants.push(Variant { name: name.clone(), data: Some(data.clone()) });
    }
    Some(variants)
}

fn names_one(schema: &Value) -> Option<String> {
    match names(schema)?.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

fn tagged(alternatives: &[Cow<'_, Value>]) -> Option<(Tagging, Vec<Variant>)> {
    let properties: Vec<&Map<String, Value>> =
        alternatives.iter().map(|one| one.get("properties")?.as_object()).collect::<Option<_>>()?;
    let first = properties.first()?;
    let is_tag = |name: &&String| {
        properties.iter().all(|all| all.get(*name).is_some_and(|tag| names_one(tag).is_some()))
    };
    let tag = first.keys().find(is_tag)?.clone();
    let content = content(alternatives, &properties, &tag);
    let mut variants = Vec::new();
    for (alternative, properties) in alternatives.iter().zip(&properties) {
        let name = names_one(properties.get(&tag)?)?;
        let data = match &content {
            Some(content) => properties.get(content).cloned(),
            None => (properties.len() > 1 || alternative.get("additionalProperties").is_some())
                .then(|| without(alternative, &tag)),
        };
        variants.push(Variant { name, data });
    }
    let tagging = match content {
        Some(content) => Tagging::Adjacent(tag, content),
        None => Tagging::Internal(tag),
    };
    Some((tagging, variants))
}

/// The property that holds the data of every variant that has some. A struct variant with one field of its
/// own looks the same: so it must be several variants', or have a name that such a property is given.
fn content(
    alternatives: &[Cow<'_, Value>],
    all: &[&Map<String, Value>],
    tag: &str,
) -> Option<String> {
    const USUAL: &[&str] = &["c", "content", "data", "payload", "value"];
    let others: Vec<&String> =
        all.iter().flat_map(|all| all.keys()).filter(|name| *name != tag).collect();
    let first = *others.first()?;
    let is_common = others.iter().all(|name| *name == first);
    let is_always_there = alternatives.iter().zip(all).all(|(one, all)| {
        let required = one.get("required").and_then(Value::as_array).map_or(0, Vec::len);
        all.len() == required
    });
    let is_content = others.len() > 1 || USUAL.contains(&first.as_str());
    (is_common && is_always_there && is_content).then(|| first.clone())
}

/// A struct without one of its properties.
fn without(schema: &Value, name: &str) -> Value {
    let mut rest = schema.clone();
    if let Some(properties) = rest.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove(name);
    }
    if let Some(required) = rest.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|one| *one != json!(name));
    }
    rest
}
