//! From a JSON Schema to a type. Every keyword can only narrow what a schema admits, so one that types
//! cannot express is passed over, and what is left still admits every value.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::literal;
use super::types::{Object, Property, Tuple, Type};
use crate::documents::dialect::{Target, target};

/// Longer arrays of a fixed length are no tuples.
const MAX_TUPLE_ITEMS: u64 = 16;

/// Formats of integers that JavaScript numbers do not hold exactly.
const WIDE_INTEGERS: [&str; 6] = ["int64", "uint64", "int", "uint", "int128", "uint128"];

/// The names of the schemas that references lead to.
pub(super) struct Scope<'a> {
    pub(super) root: &'a str,
    pub(super) definitions: &'a BTreeMap<String, String>,
}

impl Scope<'_> {
    /// The type of a schema.
    pub(super) fn translate(&self, schema: &Value) -> Type {
        let keywords = match schema {
            Value::Bool(false) => return Type::Never,
            Value::Object(keywords) => keywords,
            _ => return Type::Unknown,
        };
        let schemas = |keyword| {
            let list = keywords.get(keyword).and_then(Value::as_array)?;
            Some(list.iter().map(|schema| self.translate(schema)).collect::<Vec<_>>())
        };
        let mut parts = vec![self.reference(keywords)];
        parts.extend(schemas("allOf").into_iter().flatten());
        parts.extend(schemas("anyOf").map(Type::union));
        parts.extend(schemas("oneOf").map(Type::union));
        let others = Type::intersection(parts);
        match self.own(keywords) {
            // It says no more than the others, and would admit properties that they do not declare.
            own if own == Type::any_object() && others != Type::Unknown && !open(keywords) => {
                others
            }
            own => Type::intersection([own, others]),
        }
    }

    fn reference(&self, keywords: &Map<String, Value>) -> Type {
        let Some(reference) = keywords.get("$ref").and_then(Value::as_str) else {
            return Type::Unknown;
        };
        match target(reference) {
            Target::Root => Type::word(self.root),
            Target::Definition(name) => match self.definitions.get(&name) {
                Some(name) => Type::word(name),
                None => Type::Unknown,
            },
            Target::Elsewhere => Type::Unknown,
        }
    }

    /// What the schema says of values itself: which they are, or else of which types.
    fn own(&self, keywords: &Map<String, Value>) -> Type {
        if let Some(value) = keywords.get("const") {
            return literal::of(value);
        }
        if let Some(Value::Array(values)) = keywords.get("enum") {
            return Type::union(values.iter().map(literal::of));
        }
        match keywords.get("type") {
            Some(Value::String(name)) => self.named(name, keywords),
            Some(Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str);
                Type::union(names.map(|name| self.named(name, keywords)))
            }
            _ => Type::Unknown,
        }
    }

    fn named(&self, name: &str, keywords: &Map<String, Value>) -> Type {
        match name {
            "null" | "boolean" | "string" | "number" => Type::word(name),
            "integer" => Type::word("number"),
            "array" => self.array(keywords),
            "object" => self.object(keywords),
            _ => Type::Unknown,
        }
    }

    fn array(&self, keywords: &Map<String, Value>) -> Type {
        let count = |keyword| keywords.get(keyword).and_then(Value::as_u64);
        let (min, max) = (count("minItems").unwrap_or(0), count("maxItems"));
        let item = keywords.get("items").map_or(Type::Unknown, |schema| self.translate(schema));
        let mut items: Vec<Type> = match keywords.get("prefixItems") {
            Some(Value::Array(schemas)) => schemas.iter().map(|it| self.translate(it)).collect(),
            _ => Vec::new(),
        };
        if items.is_empty() && max == Some(min) && min <= MAX_TUPLE_ITEMS {
            items = (0..min).map(|_| item.clone()).collect();
        }
        if items.is_empty() && max != Some(0) {
            return match item {
                Type::Never => Type::Tuple(Tuple { items, required: 0, rest: None }),
                item => Type::Array(Box::new(item)),
            };
        }
        let fits = |max: u64| usize::try_from(max).unwrap_or(usize::MAX);
        items.truncate(max.map_or(usize::MAX, fits));
        let full = max.is_some_and(|max| fits(max) <= items.len());
        Type::Tuple(Tuple {
            required: fits(min).min(items.len()),
            items,
            rest: (!full && item != Type::Never).then(|| Box::new(item)),
        })
    }

    fn object(&self, keywords: &Map<String, Value>) -> Type {
        let required: Vec<&str> = match keywords.get("required") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let declared = keywords.get("properties").and_then(Value::as_object);
        let mut properties: Vec<Property> = declared
            .into_iter()
            .flatten()
            .map(|(name, schema)| Property {
                name: name.clone(),
                docs: docs(schema),
                required: required.contains(&name.as_str()),
                value: self.translate(schema),
            })
            .collect();
        let undeclared =
            required.iter().filter(|name| !declared.is_some_and(|d| d.contains_key(**name)));
        properties.extend(undeclared.map(|name| Property {
            name: (*name).to_owned(),
            docs: String::new(),
            required: true,
            value: Type::Unknown,
        }));
        let others = self.others(keywords, properties.is_empty());
        Type::Object(Object { properties, others: others.map(Box::new) })
    }

    /// The type of properties that may be there besides. TypeScript wants it to admit the declared ones
    /// too: then it is `unknown`.
    fn others(&self, keywords: &Map<String, Value>, alone: bool) -> Option<Type> {
        let patterns = keywords.get("patternProperties").and_then(Value::as_object);
        let patterns = patterns.into_iter().flat_map(Map::values).map(|it| self.translate(it));
        let mut types: Vec<Type> = patterns.collect();
        match (keywords.get("additionalProperties"), keywords.get("unevaluatedProperties")) {
            (Some(schema), _) => types.push(self.translate(schema)),
            (None, Some(Value::Bool(false))) if !alone => {}
            // It leaves out what other keywords declare.
            (None, Some(_)) => types.push(Type::Unknown),
            (None, None) if types.is_empty() && !alone => {}
            (None, None) => types.push(Type::Unknown),
        }
        match (Type::union(types), alone) {
            (Type::Never, true) => Some(Type::Never),
            (Type::Never, false) => None,
            (others, true) => Some(others),
            (_, false) => Some(Type::Unknown),
        }
    }
}

/// Whether a schema says that there may be properties that are not declared by name.
fn open(keywords: &Map<String, Value>) -> bool {
    let unevaluated = keywords.get("unevaluatedProperties");
    unevaluated.is_some_and(|schema| *schema != Value::Bool(false))
        || keywords.contains_key("additionalProperties")
        || keywords.contains_key("patternProperties")
}

/// What a schema says to people, and what they have to know of its type.
pub(super) fn docs(schema: &Value) -> String {
    let mut docs = schema.get("description").and_then(Value::as_str).unwrap_or("").to_owned();
    if let Some(note) = note(schema) {
        docs = joined(&docs, note);
    }
    if schema.get("deprecated") == Some(&Value::Bool(true)) {
        docs = joined(&docs, "@deprecated");
    }
    docs
}

/// A note, where numbers may not be exact.
pub(super) fn note(schema: &Value) -> Option<&'static str> {
    let format = schema.get("format").and_then(Value::as_str);
    let wide = format.is_some_and(|format| WIDE_INTEGERS.contains(&format));
    let of_all = ["items", "additionalProperties"].iter().filter_map(|word| schema.get(*word));
    let by_place = schema.get("prefixItems").and_then(Value::as_array).into_iter().flatten();
    let by_name = schema.get("patternProperties").and_then(Value::as_object);
    let by_name = by_name.into_iter().flat_map(Map::values);
    let wide = wide || of_all.chain(by_place).chain(by_name).any(|inner| note(inner).is_some());
    wide.then_some("An integer of 64 bits or more: beyond 2^53 a JavaScript number is not exact.")
}

/// Two paragraphs.
pub(super) fn joined(before: &str, after: &str) -> String {
    let text = format!("{}\n\n{after}", before.trim_end());
    text.trim_start().to_owned()
}
