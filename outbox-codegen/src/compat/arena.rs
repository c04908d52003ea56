//! JSON Schema documents, and the schemas in them, each with a number.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde_json::{Map, Value};

use super::check::Check;
use crate::reference::percent_decoded;

/// A schema in one of the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id(u32);

/// Why a document is no schema that can be compared: what, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The JSON pointer.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the root" } else { &self.pointer };
        write!(f, "{place}: {}", self.message)
    }
}

/// Documents and their schemas.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    documents: Vec<Document>,
    schemas: Vec<(usize, String)>,
    by_place: HashMap<(usize, String), Id>,
}

#[derive(Debug)]
struct Document {
    root: Value,
    /// Whether keywords beside `$ref` count, as they do since 2019-09.
    siblings_of_refs: bool,
    /// The pointers of schemas with an `$anchor` or an `$id`.
    names: HashMap<String, String>,
}

/// Where schemas are in a schema: one, a list of them, or a map of them.
pub(super) const ONE: &[&str] = &[
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
pub(super) const LISTS: &[&str] = &["allOf", "anyOf", "items", "oneOf", "prefixItems"];
pub(super) const MAPS: &[&str] =
    &["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];

impl Arena {
    /// Adds a document, or finds one that is the same; its root.
    pub(crate) fn add(&mut self, root: Value) -> Result<Id, Vec<Unusable>> {
        if let Some(known) = self.documents.iter().position(|document| document.root == root) {
            return Ok(self.intern(known, String::new()));
        }
        let dialect = root.get("$schema").and_then(Value::as_str).unwrap_or_default();
        let old = ["draft-03", "draft-04", "draft-06", "draft-07"];
        let document = Document {
            siblings_of_refs: !old.iter().any(|draft| dialect.contains(draft)),
            names: HashMap::new(),
            root,
        };
        let index = self.documents.len();
        self.documents.push(document);
        let mut check = Check { names: HashMap::new(), refs: Vec::new(), errors: Vec::new() };
        check.schema(&self.documents[index].root, String::new());
        let Check { names, refs, mut errors } = check;
        self.documents[index].names = names;
        let root = self.intern(index, String::new());
        for (pointer, target) in refs {
            if let Err(message) = self.resolve(root, &target) {
                errors.push(Unusable { pointer, message });
            }
        }
        if errors.is_empty() {
            errors = self.circles(index);
        }
        if errors.is_empty() { Ok(root) } else { Err(errors) }
    }

    /// The schemas of a document that are defined by nothing but themselves: what they refer to leads
    /// back to them without a property or an item in between.
    fn circles(&mut self, document: usize) -> Vec<Unusable> {
        let (mut done, mut circles) = (HashSet::new(), Vec::new());
        let mut pointers = Vec::new();
        refs_in(&self.documents[document].root, String::new(), &mut pointers);
        for pointer in pointers {
            let start = self.intern(document, pointer);
            self.follow(start, &mut Vec::new(), &mut done, &mut circles);
        }
        circles
    }

    fn follow(
        &mut self,
        id: Id,
        path: &mut Vec<Id>,
        done: &mut HashSet<Id>,
        circles: &mut Vec<Unusable>,
    ) {
        if path.contains(&id) {
            let message = "this schema refers to itself with nothing in between".to_owned();
            circles.push(Unusable { pointer: self.pointer(id).to_owned(), message });
        } else if done.insert(id) {
            path.push(id);
            for next in self.in_place(id) {
                self.follow(next, path, done, circles);
            }
            path.pop();
        }
    }

    /// The schemas that look at the same value as this one.
    fn in_place(&mut self, id: Id) -> Vec<Id> {
        let mut all = Vec::new();
        let target = self.value(id).get("$ref").and_then(Value::as_str).map(str::to_owned);
        if let Some(target) = target {
            all.extend(self.resolve(id, &target).ok());
            if !self.has_siblings(id) {
                return all;
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            all.extend(self.children(id, keyword));
        }
        for keyword in ["not", "if", "then", "else"] {
            if self.value(id).get(keyword).is_some() {
                all.push(self.child(id, &[keyword]));
            }
        }
        all
    }

    /// A schema that is in no document.
    pub(crate) fn synthetic(&mut self, schema: Value) -> Id {
        self.documents.push(Document {
            root: schema,
            siblings_of_refs: true,
            names: HashMap::new(),
        });
        self.intern(self.documents.len() - 1, String::new())
    }

    fn intern(&mut self, document: usize, pointer: String) -> Id {
        let place = (document, pointer);
        if let Some(id) = self.by_place.get(&place) {
            return *id;
        }
        let id = Id(u32::try_from(self.schemas.len()).unwrap_or(u32::MAX));
        self.schemas.push(place.clone());
        self.by_place.insert(place, id);
        id
    }

    /// The schema itself.
    pub(crate) fn value(&self, id: Id) -> &Value {
        let (document, pointer) = &self.schemas[id.0 as usize];
        self.documents[*document].root.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Its place in its document.
    pub(crate) fn pointer(&self, id: Id) -> &str {
        &self.schemas[id.0 as usize].1
    }

    /// Whether both say the same, word for word, but for annotations.
    pub(crate) fn is_same(&self, a: Id, b: Id) -> bool {
        if a == b {
            return true;
        }
        let document = |id: Id| &self.documents[self.schemas[id.0 as usize].0];
        let (of_a, of_b) = (document(a), document(b));
        let same_definitions = || {
            let same = |keyword: &&str| of_a.root.get(keyword) == of_b.root.get(keyword);
            if DEFINITIONS.iter().all(same)
                && DEFINITIONS.iter().all(|keyword| {
                    of_a.root.get(keyword).and_then(refers_only_to_definitions) != Some(false)
                })
            {
                return true;
            }
            DEFINITIONS.iter().all(|keyword| {
                let (a, b) = (of_a.root.get(keyword), of_b.root.get(keyword));
                let empty = Value::Object(Map::new());
                let of = |definitions: Option<&Value>| plain_map(definitions.unwrap_or(&empty));
                of(a) == of(b) && a.and_then(refers_only_to_definitions) != Some(false)
            })
        };
        of_a.siblings_of_refs == of_b.siblings_of_refs
            && (self.value(a) == self.value(b) || plain(self.value(a)) == plain(self.value(b)))
            && refers_only_to_definitions(self.value(a)).is_none_or(|all| all && same_definitions())
    }

    /// A schema inside of this one.
    pub(crate) fn child(&mut self, id: Id, path: &[&str]) -> Id {
        let (document, pointer) = self.schemas[id.0 as usize].clone();
        let pointer = path.iter().fold(pointer, |pointer, step| join(&pointer, step));
        self.intern(document, pointer)
    }

    /// The schemas in a list inside of this one.
    pub(crate) fn children(&mut self, id: Id, keyword: &str) -> Vec<Id> {
        let count = self.value(id).get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        (0..count).map(|index| self.child(id, &[keyword, &index.to_string()])).collect()
    }

    /// The schemas in a map inside of this one.
    pub(crate) fn map(&mut self, id: Id, keyword: &str) -> Vec<(String, Id)> {
        let names: Vec<String> = match self.value(id).get(keyword).and_then(Value::as_object) {
            Some(map) => map.keys().cloned().collect(),
            None => Vec::new(),
        };
        names
            .into_iter()
            .map(|name| {
                let id = self.child(id, &[keyword, &name]);
                (name, id)
            })
            .collect()
    }

    /// Whether keywords beside the `$ref` of this schema count.
    pub(crate) fn has_siblings(&self, id: Id) -> bool {
        self.documents[self.schemas[id.0 as usize].0].siblings_of_refs
    }

    /// What a `$ref` in the document of this schema refers to.
    pub(crate) fn resolve(&mut self, from: Id, target: &str) -> Result<Id, String> {
        let document = self.schemas[from.0 as usize].0;
        let names = &self.documents[document].names;
        let (base, fragment) = target.split_once('#').unwrap_or((target, ""));
        let base = match base {
            "" => String::new(),
            base => names.get(base).cloned().ok_or_else(|| {
                format!(
                    "`$ref` to `{target}`, which is another document: put everything into one file, \
                     for example with its `$defs`"
                )
            })?,
        };
        let pointer = if fragment.is_empty() {
            base
        } else if fragment.starts_with('/') {
            format!("{base}{}", percent_decoded(fragment).ok_or_else(|| nothing_at(target))?)
        } else {
            let anchor = format!("#{fragment}");
            names.get(&anchor).cloned().ok_or_else(|| nothing_at(target))?
        };
        if self.documents[document].root.pointer(&pointer).is_none() {
            return Err(nothing_at(target));
        }
        Ok(self.intern(document, pointer))
    }
}

fn nothing_at(target: &str) -> String {
    format!("`$ref` to `{target}`, and there is nothing in this document")
}

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

/// The schema without annotations, and without definitions, which say nothing by themselves.
fn plain(schema: &Value) -> Value {
    let Value::Object(keywords) = schema else { return schema.clone() };
    let plain_keyword = |(keyword, value): (&String, &Value)| {
        let value = match (keyword.as_str(), value) {
            (map, Value::Object(_)) if MAPS.contains(&map) => plain_map(value),
            (list, Value::Array(schemas)) if LISTS.contains(&list) => {
                schemas.iter().map(plain).collect()
            }
            (one, _) if ONE.contains(&one) => plain(value),
            _ => value.clone(),
        };
        (keyword.clone(), value)
    };
    let says = |(keyword, _): &(&String, &Value)| !ANNOTATIONS.contains(&keyword.as_str());
    Value::Object(keywords.iter().filter(says).map(plain_keyword).collect())
}

fn plain_map(schemas: &Value) -> Value {
    let schemas = schemas.as_object().into_iter().flatten();
    Value::Object(schemas.map(|(name, schema)| (name.clone(), plain(schema))).collect())
}

const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

/// The pointers of everything with a `$ref`.
fn refs_in(value: &Value, pointer: String, to: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| refs_in(value, join(&pointer, name), to));
            if map.get("$ref").is_some_and(Value::is_string) {
                to.push(pointer);
            }
        }
        Value::Array(list) => {
            let items = list.iter().enumerate();
            items.for_each(|(index, value)| refs_in(value, join(&pointer, &index.to_string()), to));
        }
        _ => {}
    }
}

/// Whether all references in a schema are to definitions; `None` where there are none.
pub(crate) fn refers_only_to_definitions(schema: &Value) -> Option<bool> {
    let is_definition = |target: &Value| {
        let target = target.as_str().unwrap_or_default();
        DEFINITIONS.iter().any(|keyword| target.starts_with(&format!("#/{keyword}/")))
    };
    let parts: Vec<&Value> = match schema {
        Value::Object(map) => map.values().collect(),
        Value::Array(list) => list.iter().collect(),
        _ => return None,
    };
    let own = schema.get("$ref").map(is_definition);
    let inner = parts.into_iter().filter_map(refers_only_to_definitions);
    own.into_iter().chain(inner).reduce(|a, b| a && b)
}

/// A JSON pointer one step further.
pub(super) fn join(pointer: &str, step: &str) -> String {
    format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
}
