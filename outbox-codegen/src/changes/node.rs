//! What a schema describes, in the words of Rust types: a struct, an enum with its tagging, a list, an
//! option, ... Only for explaining a change; what is compatible is decided by [`crate::compat`].

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::variant::{Tagging, Variant, variants};
use crate::reference;

/// A schema in its document.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The definitions that it went through, the outermost first.
    pub(super) definitions: Vec<String>,
    pub(super) is_nullable: bool,
    pub(super) default: Option<Value>,
    pub(super) kind: Kind,
}

/// What a schema describes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Any,
    Null,
    Boolean,
    Integer(Limits),
    Number(Limits),
    Text(Text),
    List {
        item: Value,
        limits: Limits,
        is_set: bool,
    },
    Tuple(Vec<Value>),
    Map(Value),
    Record(Record),
    Enum(Tagging, Vec<Variant>),
    /// Alternatives without a tag.
    Union(Vec<Value>),
    /// Anything else.
    Other(Value),
}

/// The bounds of a number or a length, and the name of the numbers' type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Limits {
    pub(super) format: Option<String>,
    pub(super) bounds: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Text {
    pub(super) format: Option<String>,
    pub(super) pattern: Option<String>,
    pub(super) limits: Limits,
}

/// A struct.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    pub(super) fields: BTreeMap<String, Value>,
    pub(super) required: BTreeSet<String>,
    pub(super) is_closed: bool,
}

impl Node {
    /// Reads a schema of the document `root`.
    pub(super) fn read(root: &Value, schema: &Value) -> Self {
        let mut definitions = Vec::new();
        let default = schema.get("default").cloned();
        let resolved = resolve(root, schema, &mut definitions);
        let Some(inner) = without_null(&resolved) else {
            return Self { definitions, is_nullable: false, default, kind: kind(root, &resolved) };
        };
        let inner = Self::read(root, &inner);
        definitions.extend(inner.definitions);
        Self { definitions, is_nullable: true, default, kind: inner.kind }
    }

    /// In words.
    pub(super) fn shown(&self) -> String {
        let kind = match &self.kind {
            Kind::Any => "any JSON".to_owned(),
            Kind::Null => "null".to_owned(),
            Kind::Boolean => "a boolean".to_owned(),
            Kind::Integer(limits) => format!("an integer{}", limits.shown()),
            Kind::Number(limits) => format!("a number{}", limits.shown()),
            Kind::Text(Text { format: Some(format), .. }) => format!("a text ({format})"),
            Kind::Text(_) => "a text".to_owned(),
            Kind::List { is_set: true, .. } => "a set".to_owned(),
            Kind::List { .. } => "a list".to_owned(),
            Kind::Tuple(items) => format!("a tuple of {}", items.len()),
            Kind::Map(_) => "a map".to_owned(),
            Kind::Record(_) => "a struct".to_owned(),
            Kind::Enum(..) => "an enum".to_owned(),
            Kind::Union(_) => "an untagged enum".to_owned(),
            Kind::Other(_) => "something else".to_owned(),
        };
        if self.is_nullable { format!("{kind} or null") } else { kind }
    }
}

impl Limits {
    fn shown(&self) -> String {
        self.format.as_ref().map(|format| format!(" ({format})")).unwrap_or_default()
    }
}

/// Follows references, and puts together what stands beside them.
pub(super) fn resolve<'s>(
    root: &Value,
    schema: &'s Value,
    definitions: &mut Vec<String>,
) -> Cow<'s, Value> {
    let is_more = |entries: &&Map<_, _>| ["$ref", "allOf"].iter().any(|k| entries.contains_key(*k));
    let Some(entries) = schema.as_object().filter(is_more) else { return Cow::Borrowed(schema) };
    let mut merged = entries.clone();
    if let Some(Value::String(target)) = merged.remove("$ref") {
        // (What refers to itself ends somewhere: circles are refused before.)
        if definitions.contains(&target) || definitions.len() > 64 {
            return Cow::Owned(Value::Bool(true));
        }
        definitions.push(target.clone());
        let found = reference::pointer(&target).and_then(|pointer| root.pointer(&pointer));
        if let Some(found) = found {
            merge(&mut merged, &resolve(root, found, definitions));
        }
    }
    if let Some(Value::Array(parts)) = merged.remove("allOf") {
        for part in parts {
            let part = resolve(root, &part, definitions);
            merge(&mut merged, &part);
        }
    }
    Cow::Owned(Value::Object(merged))
}

fn merge(into: &mut Map<String, Value>, other: &Value) {
    let Some(other) = other.as_object() else { return };
    for (keyword, value) in other {
        match (into.get_mut(keyword), value) {
            (Some(Value::Object(own)), Value::Object(more)) if keyword == "properties" => {
                for (name, schema) in more {
                    own.entry(name.clone()).or_insert_with(|| schema.clone());
                }
            }
            (Some(Value::Array(own)), Value::Array(more)) if keyword == "required" => {
                let more: Vec<_> =
                    more.iter().filter(|name| !own.contains(name)).cloned().collect();
                own.extend(more);
            }
            (Some(_), _) => {}
            (None, value) => {
                into.insert(keyword.clone(), value.clone());
            }
        }
    }
}

/// The schema of the rest, if null is read.
fn without_null(schema: &Value) -> Option<Value> {
    let is_null = |value: &Value| value.get("type").is_some_and(|name| name == "null");
    for keyword in ["anyOf", "oneOf"] {
        let Some(alternatives) = schema.get(keyword).and_then(Value::as_array) else { continue };
        let rest: Vec<&Value> = alternatives.iter().filter(|one| !is_null(one)).collect();
        if rest.len() < alternatives.len() && !rest.is_empty() {
            let mut inner = schema.clone();
            inner[keyword] = rest.iter().copied().cloned().collect();
            return Some(if let [one] = rest[..] { one.clone() } else { inner });
        }
    }
    if let Some(names) = schema.get("type").and_then(Value::as_array) {
        let mut rest: Vec<Value> = names.iter().filter(|name| *name != "null").cloned().collect();
        if rest.len() < names.len() && !rest.is_empty() {
            let mut inner = schema.clone();
            inner["type"] = if rest.len() == 1 { rest.remove(0) } else { Value::Array(rest) };
            if let Some(Value::Array(values)) = inner.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            return Some(inner);
        }
    }
    None
}

fn kind(root: &Value, schema: &Value) -> Kind {
    let Some(entries) = schema.as_object() else { return Kind::Any };
    if let Some((tagging, variants)) = variants(root, schema) {
        return Kind::Enum(tagging, variants);
    }
    if let Some(Value::Array(alternatives)) = entries.get("anyOf").or_else(|| entries.get("oneOf"))
    {
        return Kind::Union(alternatives.clone());
    }
    if entries.contains_key("enum") || entries.contains_key("const") || entries.contains_key("not")
    {
        return Kind::Other(schema.clone());
    }
    match entries.get("type").and_then(Value::as_str) {
        Some("null") => Kind::Null,
        Some("boolean") => Kind::Boolean,
        Some("integer") => Kind::Integer(limits(entries, NUMBERS)),
        Some("number") => Kind::Number(limits(entries, NUMBERS)),
        Some("string") => Kind::Text(Text {
            format: text(entries, "format"),
            pattern: text(entries, "pattern"),
            limits: limits(entries, &["maxLength", "minLength"]),
        }),
        Some("array") => list(entries),
        Some("object") => object(entries),
        None if entries.contains_key("properties") => object(entries),
        None if !entries.contains_key("type") => Kind::Any,
        _ => Kind::Other(schema.clone()),
    }
}

const NUMBERS: &[&str] =
    &["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"];

fn text(entries: &Map<String, Value>, keyword: &str) -> Option<String> {
    entries.get(keyword).and_then(Value::as_str).map(str::to_owned)
}

fn limits(entries: &Map<String, Value>, keywords: &[&str]) -> Limits {
    let bounds = entries.iter().filter(|(keyword, _)| keywords.contains(&keyword.as_str()));
    let bounds = bounds.map(|(keyword, value)| (keyword.clone(), value.clone())).collect();
    Limits { format: text(entries, "format"), bounds }
}

/// The longest array of fixed length whose items are looked at one by one.
const FEW: u64 = 64;

fn list(entries: &Map<String, Value>) -> Kind {
    let item = entries.get("items").cloned().unwrap_or(Value::Bool(true));
    let length = |keyword| entries.get(keyword).and_then(Value::as_u64);
    let fixed = length("minItems").filter(|min| length("maxItems") == Some(*min) && *min <= FEW);
    match (entries.get("prefixItems"), fixed) {
        (Some(Value::Array(items)), _) => Kind::Tuple(items.clone()),
        (_, Some(length)) => Kind::Tuple((0..length).map(|_| item.clone()).collect()),
        _ => Kind::List {
            item,
            limits: limits(entries, &["maxItems", "minItems"]),
            is_set: entries.get("uniqueItems") == Some(&Value::Bool(true)),
        },
    }
}

fn object(entries: &Map<String, Value>) -> Kind {
    let properties = entries.get("properties").and_then(Value::as_object);
    let rest = ["additionalProperties", "unevaluatedProperties"]
        .iter()
        .find_map(|keyword| entries.get(*keyword));
    let is_closed = rest == Some(&Value::Bool(false));
    match (properties, rest) {
        (None, Some(value)) if !is_closed => Kind::Map(value.clone()),
        _ => Kind::Record(Record {
            fields: properties
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), schema.clone()))
                .collect(),
            required: crate::compat::required(entries).map(str::to_owned).collect(),
            is_closed,
        }),
    }
}
