//! A schema with everything that holds beside it: what it refers to, and what is in its `allOf`. What is
//! flattened into a type, or tagged inside of it, is written like that.

use serde_json::Value;

use super::words::alternatives;
use crate::reference::followed;

/// How many options in options are looked into.
const MAX_DEPTH: u32 = 16;

/// A schema in its document.
#[derive(Clone)]
pub(super) struct Parts<'a> {
    all: Vec<&'a Value>,
    root: &'a Value,
}

impl<'a> Parts<'a> {
    pub(super) fn of(schema: &'a Value, root: &'a Value) -> Self {
        let mut all = Vec::new();
        add(schema, root, &mut all);
        Self { all, root }
    }

    /// A schema of the same document.
    pub(super) fn at(&self, schema: &'a Value) -> Self {
        Self::of(schema, self.root)
    }

    /// Where nothing is said.
    pub(super) fn nothing(&self) -> Self {
        Self { all: Vec::new(), root: self.root }
    }

    pub(super) fn root(&self) -> &'a Value {
        self.root
    }

    /// The value of a keyword, where it is said first.
    pub(super) fn get(&self, keyword: &str) -> Option<&'a Value> {
        self.all.iter().find_map(|part| part.get(keyword))
    }

    pub(super) fn text(&self, keyword: &str) -> Option<&'a str> {
        self.get(keyword).and_then(Value::as_str)
    }

    /// Its properties, each once.
    pub(super) fn properties(&self) -> Vec<(&'a String, &'a Value)> {
        let mut properties = Vec::<(&String, &Value)>::new();
        let named = |part: &&'a Value| part.get("properties").and_then(Value::as_object);
        for (name, schema) in self.all.iter().filter_map(named).flatten() {
            if !properties.iter().any(|(other, _)| *other == name) {
                properties.push((name, schema));
            }
        }
        properties
    }

    pub(super) fn requires(&self, property: &str) -> bool {
        let required = self.all.iter().filter_map(|part| part.get("required")?.as_array());
        required.flatten().any(|name| name == property)
    }

    /// The alternatives of each part that has some, and whether it is exactly one of them that holds, as
    /// of what is tagged. (What is there or null has none.)
    pub(super) fn alternatives(&self) -> impl Iterator<Item = (bool, &'a [Value])> {
        let all = self
            .all
            .iter()
            .filter_map(|part| Some((part.get("oneOf").is_some(), alternatives(part)?.as_slice())));
        all.filter(|(_, all)| present(all).len() > 1)
    }

    /// What has fields of its own: the object, an item of the list, what is there unless it is null.
    pub(super) fn inner(&self) -> Option<(Self, &'static str)> {
        self.inner_within(MAX_DEPTH)
    }

    fn inner_within(&self, depth: u32) -> Option<(Self, &'static str)> {
        let has_fields = |parts: &Self| !parts.properties().is_empty();
        if has_fields(self) {
            return Some((self.clone(), "."));
        }
        if let Some(items) = self.get("items") {
            return Some((self.at(items), "[].")).filter(|(items, _)| has_fields(items));
        }
        let alternatives = self.all.iter().find_map(|part| alternatives(part))?;
        match present(alternatives)[..] {
            [only] => self.at(only).inner_within(depth.checked_sub(1)?),
            _ => None,
        }
    }

    /// What tells one object from another: the first part with properties.
    pub(super) fn object(&self) -> Option<&'a Value> {
        self.all.iter().copied().find(|part| part.get("properties").is_some())
    }
}

fn add<'a>(schema: &'a Value, root: &'a Value, all: &mut Vec<&'a Value>) {
    if all.iter().any(|part| std::ptr::eq(*part, schema)) {
        return;
    }
    all.push(schema);
    if let Some(referred) = followed(schema, root) {
        add(referred, root, all);
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        add(part, root, all);
    }
}

/// Those that are not null.
fn present(alternatives: &[Value]) -> Vec<&Value> {
    let is_null = |schema: &Value| schema.get("type").is_some_and(|kind| kind == "null");
    alternatives.iter().filter(|schema| !is_null(schema)).collect()
}
