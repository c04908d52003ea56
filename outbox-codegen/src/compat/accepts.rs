//! Whether a schema accepts a value: each keyword as the specification has it, so that a verdict can be
//! shown to be true with a value.

use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

use super::arena::{Arena, Id};
use super::number::{Num, bounds_of_format};
use super::{format, keywords};

/// What cannot be decided, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unhandled {
    /// The JSON pointer of the schema.
    pub pointer: String,
    /// What stands in the way.
    pub what: String,
}

/// How deep values are looked into; deeper ones end the program's stack elsewhere.
const DEEPEST: usize = 200;

/// Regular expressions that were needed before.
#[derive(Debug, Default)]
pub(crate) struct Patterns(HashMap<String, Option<Regex>>);

impl Patterns {
    /// Whether the text has the pattern. A pattern that is none has been refused before.
    pub(crate) fn has(&mut self, pattern: &str, text: &str) -> bool {
        if !self.0.contains_key(pattern) {
            self.0.insert(pattern.to_owned(), Regex::new(pattern).ok());
        }
        let regex = self.0.get(pattern).and_then(Option::as_ref);
        regex.is_some_and(|regex| regex.is_match(text))
    }
}

/// Evaluates schemas.
pub(crate) struct Evaluate<'e, 'a> {
    pub(crate) arena: &'e mut Arena<'a>,
    pub(crate) patterns: &'e mut Patterns,
}

/// Which parts of a value a schema has looked at, for `unevaluatedProperties`.
#[derive(Default)]
struct Seen<'v> {
    properties: Vec<&'v str>,
    items: usize,
}

impl Seen<'_> {
    fn and(&mut self, other: Self) {
        self.properties.extend(other.properties);
        self.items = self.items.max(other.items);
    }
}

type Answer<'v> = Result<Option<Seen<'v>>, Unhandled>;

impl<'a> Evaluate<'_, 'a> {
    /// Whether the schema accepts the value.
    pub(crate) fn accepts(&mut self, id: Id, value: &Value) -> Result<bool, Unhandled> {
        Ok(self.schema(id, value, 0)?.is_some())
    }

    fn unhandled<T>(&self, id: Id, what: impl Into<String>) -> Result<T, Unhandled> {
        Err(Unhandled { pointer: self.arena.pointer(id).to_owned(), what: what.into() })
    }

    fn schema<'v>(&mut self, id: Id, value: &'v Value, depth: usize) -> Answer<'v> {
        if depth > DEEPEST {
            return self.unhandled(id, "schemas that refer to one another without an end");
        }
        let schema = match self.arena.value(id) {
            Value::Bool(accepts) => return Ok(accepts.then(Seen::default)),
            Value::Object(schema) => schema,
            _ => return self.unhandled(id, "something that is no schema"),
        };
        let mut seen = Seen::default();
        if let Some(target) = self.arena.target(id) {
            let Ok(target) = target else {
                let target = schema.get("$ref").and_then(Value::as_str).unwrap_or_default();
                return self.unhandled(id, format!("`$ref` to `{target}`"));
            };
            match self.schema(target, value, depth + 1)? {
                Some(found) => seen.and(found),
                None => return Ok(None),
            }
            if !self.arena.has_siblings(id) {
                return Ok(Some(seen));
            }
        }
        let own = self.types_and_values(schema, value)
            && match value {
                Value::Number(_) => self.number(id, schema, value)?,
                Value::String(text) => self.text(schema, text),
                _ => true,
            };
        if !own {
            return Ok(None);
        }
        let parts = [
            self.combined(id, value, depth)?,
            match value {
                Value::Array(items) => self.array(id, schema, items, depth)?,
                Value::Object(_) => self.object(id, schema, value, depth)?,
                _ => Some(Seen::default()),
            },
        ];
        for part in parts {
            match part {
                Some(part) => seen.and(part),
                None => return Ok(None),
            }
        }
        self.unevaluated(id, value, seen, depth)
    }

    fn types_and_values(&mut self, schema: &serde_json::Map<String, Value>, value: &Value) -> bool {
        let is = |name: &str| match name {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "number" => value.is_number(),
            "integer" => Num::of(value).is_some_and(Num::is_integer),
            _ => false,
        };
        let typed = match schema.get("type") {
            Some(Value::String(name)) => is(name),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(is),
            _ => true,
        };
        typed
            && schema.get("const").is_none_or(|constant| is_equal(constant, value))
            && schema
                .get("enum")
                .and_then(Value::as_array)
                .is_none_or(|values| values.iter().any(|one| is_equal(one, value)))
    }

    fn number(
        &mut self,
        id: Id,
        schema: &serde_json::Map<String, Value>,
        value: &Value,
    ) -> Result<bool, Unhandled> {
        let Some(number) = Num::of(value) else { return Ok(true) };
        let bounds = bounds_of_format(schema.get("format").and_then(Value::as_str).unwrap_or(""));
        let in_format = bounds
            .is_none_or(|(min, max)| Num::Integer(min) <= number && number <= Num::Integer(max));
        if !in_format || !keywords::range_of(schema).has(number) {
            return Ok(false);
        }
        match schema.get("multipleOf").and_then(Num::of) {
            None => Ok(true),
            Some(step) => match number.is_multiple_of(step) {
                Some(is_multiple) => Ok(is_multiple),
                None => self.unhandled(id, "`multipleOf` of numbers that are no integers"),
            },
        }
    }

    fn text(&mut self, schema: &serde_json::Map<String, Value>, text: &str) -> bool {
        let length = text.chars().count() as u64;
        let limit = |keyword| schema.get(keyword).and_then(keywords::whole);
        limit("minLength").is_none_or(|min| length >= min)
            && limit("maxLength").is_none_or(|max| length <= max)
            && schema
                .get("pattern")
                .and_then(Value::as_str)
                .is_none_or(|pattern| self.patterns.has(pattern, text))
            && schema
                .get("format")
                .and_then(Value::as_str)
                .is_none_or(|name| format::has(name, text).unwrap_or(true))
    }

    /// `allOf`, `anyOf`, `oneOf`, `not`, and `if`.
    fn combined<'v>(&mut self, id: Id, value: &'v Value, depth: usize) -> Answer<'v> {
        let mut seen = Seen::default();
        for child in self.arena.children(id, "allOf") {
            match self.schema(child, value, depth + 1)? {
                Some(found) => seen.and(found),
                None => return Ok(None),
            }
        }
        for keyword in ["anyOf", "oneOf"] {
            let children = self.arena.children(id, keyword);
            if children.is_empty() {
                continue;
            }
            let mut matches = 0;
            for child in children {
                if let Some(found) = self.schema(child, value, depth + 1)? {
                    seen.and(found);
                    matches += 1;
                }
            }
            if matches == 0 || (keyword == "oneOf" && matches > 1) {
                return Ok(None);
            }
        }
        if let Some(not) = self.arena.child(id, "not")
            && self.schema(not, value, depth + 1)?.is_some()
        {
            return Ok(None);
        }
        if let Some(condition) = self.arena.child(id, "if") {
            let branch = match self.schema(condition, value, depth + 1)? {
                Some(found) => {
                    seen.and(found);
                    "then"
                }
                None => "else",
            };
            if let Some(branch) = self.arena.child(id, branch) {
                match self.schema(branch, value, depth + 1)? {
                    Some(found) => seen.and(found),
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(seen))
    }

    fn array<'v>(
        &mut self,
        id: Id,
        schema: &serde_json::Map<String, Value>,
        items: &'v [Value],
        depth: usize,
    ) -> Answer<'v> {
        let limit = |keyword| schema.get(keyword).and_then(keywords::whole);
        let length = items.len() as u64;
        if limit("minItems").is_some_and(|min| length < min)
            || limit("maxItems").is_some_and(|max| length > max)
        {
            return Ok(None);
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            let repeated = (1..items.len())
                .any(|index| items[..index].iter().any(|earlier| is_equal(earlier, &items[index])));
            if repeated {
                return Ok(None);
            }
        }
        let (prefix, rest) = keywords::items(self.arena, id);
        for (index, item) in items.iter().enumerate() {
            let child = prefix.get(index).copied().or(rest);
            if let Some(child) = child
                && self.schema(child, item, depth + 1)?.is_none()
            {
                return Ok(None);
            }
        }
        if let Some(wanted) = self.arena.child(id, "contains") {
            let mut found = 0;
            for item in items {
                found += u64::from(self.schema(wanted, item, depth + 1)?.is_some());
            }
            let enough = limit("minContains").unwrap_or(1) <= found;
            if !enough || limit("maxContains").is_some_and(|max| found > max) {
                return Ok(None);
            }
        }
        let items = if rest.is_some() { usize::MAX } else { prefix.len() };
        Ok(Some(Seen { items, ..Seen::default() }))
    }

    fn object<'v>(
        &mut self,
        id: Id,
        schema: &serde_json::Map<String, Value>,
        value: &'v Value,
        depth: usize,
    ) -> Answer<'v> {
        let Some(object) = value.as_object() else { return Ok(Some(Seen::default())) };
        let limit = |keyword| schema.get(keyword).and_then(keywords::whole);
        let count = object.len() as u64;
        if limit("minProperties").is_some_and(|min| count < min)
            || limit("maxProperties").is_some_and(|max| count > max)
            || keywords::required(schema).any(|name| !object.contains_key(name))
        {
            return Ok(None);
        }
        let properties = self.arena.map(id, "properties");
        let patterns = self.arena.map(id, "patternProperties");
        let additional = self.arena.child(id, "additionalProperties");
        let names = self.arena.child(id, "propertyNames");
        let mut seen = Seen::default();
        for (name, value) in object {
            let mut schemas: Vec<Id> = properties
                .iter()
                .filter(|(property, _)| property == name)
                .map(|(_, schema)| *schema)
                .collect();
            for (pattern, schema) in &patterns {
                if self.patterns.has(pattern, name) {
                    schemas.push(*schema);
                }
            }
            if schemas.is_empty() {
                schemas.extend(additional);
            }
            if !schemas.is_empty() {
                seen.properties.push(name);
            }
            for schema in schemas {
                if self.schema(schema, value, depth + 1)?.is_none() {
                    return Ok(None);
                }
            }
            if let Some(names) = names
                && self.schema(names, &Value::String(name.clone()), depth + 1)?.is_none()
            {
                return Ok(None);
            }
        }
        for keyword in ["dependentRequired", "dependencies"] {
            let needs = schema.get(keyword).and_then(Value::as_object);
            for (name, needed) in needs.into_iter().flatten() {
                let Some(needed) = needed.as_array() else {
                    return self.unhandled(id, format!("`{keyword}` with schemas"));
                };
                let missing =
                    needed.iter().filter_map(Value::as_str).any(|name| !object.contains_key(name));
                if object.contains_key(name) && missing {
                    return Ok(None);
                }
            }
        }
        for (name, schema) in self.arena.map(id, "dependentSchemas") {
            if object.contains_key(name) {
                match self.schema(schema, value, depth + 1)? {
                    Some(found) => seen.and(found),
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(seen))
    }

    fn unevaluated<'v>(
        &mut self,
        id: Id,
        value: &'v Value,
        mut seen: Seen<'v>,
        depth: usize,
    ) -> Answer<'v> {
        if let Some(object) = value.as_object()
            && let Some(child) = self.arena.child(id, "unevaluatedProperties")
        {
            for (name, value) in object {
                if !seen.properties.contains(&name.as_str())
                    && self.schema(child, value, depth + 1)?.is_none()
                {
                    return Ok(None);
                }
            }
            seen.properties.extend(object.keys().map(String::as_str));
        }
        if let Some(items) = value.as_array()
            && let Some(child) = self.arena.child(id, "unevaluatedItems")
        {
            for item in items.iter().skip(seen.items) {
                if self.schema(child, item, depth + 1)?.is_none() {
                    return Ok(None);
                }
            }
            seen.items = usize::MAX;
        }
        Ok(Some(seen))
    }
}

/// Equality of JSON: 1 and 1.0 are the same number.
pub(crate) fn is_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => Num::of(a) == Num::of(b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, value)| b.get(name).is_some_and(|b| is_equal(value, b)))
        }
        _ => a == b,
    }
}
