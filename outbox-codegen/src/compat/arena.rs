//! JSON Schema documents, and the schemas in them, each with a number.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde_json::Value;

use super::check::Check;
use super::same::{self, refers_only_to_definitions};
use super::store::Store;
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
#[derive(Debug)]
pub(crate) struct Arena<'a> {
    documents: Vec<Document<'a>>,
    schemas: Vec<Schema<'a>>,
    /// Where each schema is in memory, which is as good as its document and its pointer.
    by_place: HashMap<*const Value, Id>,
    /// What is referred to.
    targets: HashMap<Id, Id>,
    /// Of two documents, whether they have the same definitions.
    same_definitions: HashMap<(usize, usize), bool>,
    store: &'a Store,
}

#[derive(Debug)]
struct Document<'a> {
    root: &'a Value,
    /// Whether keywords beside `$ref` count, as they do since 2019-09.
    siblings_of_refs: bool,
    /// The pointers of schemas with an `$anchor` or an `$id`.
    names: HashMap<String, String>,
}

#[derive(Debug)]
struct Schema<'a> {
    document: usize,
    pointer: String,
    value: &'a Value,
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

impl<'a> Arena<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self {
            documents: Vec::new(),
            schemas: Vec::new(),
            by_place: HashMap::new(),
            targets: HashMap::new(),
            same_definitions: HashMap::new(),
            store,
        }
    }

    /// Adds a document, or finds one that is the same; its root.
    pub(crate) fn add(&mut self, root: &'a Value) -> Result<Id, Vec<Unusable>> {
        if let Some(known) = self.documents.iter().position(|document| document.root == root) {
            return Ok(self.intern(known, self.documents[known].root, String::new));
        }
        let dialect = root.get("$schema").and_then(Value::as_str).unwrap_or_default();
        let old = ["draft-03", "draft-04", "draft-06", "draft-07"];
        let siblings_of_refs = !old.iter().any(|draft| dialect.contains(draft));
        let mut check = Check::default();
        check.schema(root);
        let Check { names, refs, mut errors, .. } = check;
        let index = self.documents.len();
        self.documents.push(Document { root, siblings_of_refs, names });
        let id = self.intern(index, root, String::new);
        for (pointer, target) in refs {
            if let Err(message) = self.resolve(id, &target) {
                errors.push(Unusable { pointer, message });
            }
        }
        if errors.is_empty() {
            errors = self.circles(index);
        }
        if errors.is_empty() { Ok(id) } else { Err(errors) }
    }

    /// The schemas of a document that are defined by nothing but themselves: what they refer to leads
    /// back to them without a property or an item in between.
    fn circles(&mut self, document: usize) -> Vec<Unusable> {
        let (mut done, mut circles) = (HashSet::new(), Vec::new());
        let mut places = Vec::new();
        refs_in(self.documents[document].root, &mut String::new(), &mut places);
        for (pointer, schema) in places {
            let start = self.intern(document, schema, || pointer);
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
        if let Some(target) = self.target(id) {
            all.extend(target.ok());
            if !self.has_siblings(id) {
                return all;
            }
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            all.extend(self.children(id, keyword));
        }
        for keyword in ["not", "if", "then", "else"] {
            all.extend(self.child(id, keyword));
        }
        all
    }

    /// A schema that is in no document.
    pub(crate) fn synthetic(&mut self, schema: Value) -> Id {
        let (root, next) = self.store.keep(schema);
        self.store = next;
        let document = Document { root, siblings_of_refs: true, names: HashMap::new() };
        self.documents.push(document);
        self.intern(self.documents.len() - 1, root, String::new)
    }

    fn intern(
        &mut self,
        document: usize,
        value: &'a Value,
        pointer: impl FnOnce() -> String,
    ) -> Id {
        let place = std::ptr::from_ref(value);
        if let Some(id) = self.by_place.get(&place) {
            return *id;
        }
        let id = Id(u32::try_from(self.schemas.len()).unwrap_or(u32::MAX));
        self.schemas.push(Schema { document, pointer: pointer(), value });
        self.by_place.insert(place, id);
        id
    }

    fn schema(&self, id: Id) -> &Schema<'a> {
        &self.schemas[id.0 as usize]
    }

    /// The schema itself.
    pub(crate) fn value(&self, id: Id) -> &'a Value {
        self.schema(id).value
    }

    /// Its place in its document.
    pub(crate) fn pointer(&self, id: Id) -> &str {
        &self.schema(id).pointer
    }

    /// Whether both say the same, word for word, but for annotations.
    pub(crate) fn is_same(&mut self, a: Id, b: Id) -> bool {
        if a == b {
            return true;
        }
        let (of_a, of_b) = (self.schema(a).document, self.schema(b).document);
        let (schema_a, schema_b) = (self.value(a), self.value(b));
        let documents = &self.documents;
        let mut has_same_definitions = || {
            let same = || same::has_same_definitions(documents[of_a].root, documents[of_b].root);
            *self.same_definitions.entry((of_a, of_b)).or_insert_with(same)
        };
        documents[of_a].siblings_of_refs == documents[of_b].siblings_of_refs
            && same::is_same(schema_a, schema_b)
            && refers_only_to_definitions(schema_a).is_none_or(|all| all && has_same_definitions())
    }

    /// A schema inside of this one, if it is there.
    pub(crate) fn child(&mut self, id: Id, keyword: &str) -> Option<Id> {
        let value = self.value(id).get(keyword)?;
        Some(self.inside(id, value, |pointer| push(pointer, keyword)))
    }

    /// The schemas in a list inside of this one.
    pub(crate) fn children(&mut self, id: Id, keyword: &str) -> Vec<Id> {
        let list = self.value(id).get(keyword).and_then(Value::as_array);
        let list = list.into_iter().flatten().enumerate();
        list.map(|(index, value)| {
            self.inside(id, value, |pointer| {
                push(pointer, keyword);
                push(pointer, &index.to_string());
            })
        })
        .collect()
    }

    /// The schemas in a map inside of this one.
    pub(crate) fn map(&mut self, id: Id, keyword: &str) -> Vec<(&'a str, Id)> {
        let map = self.value(id).get(keyword).and_then(Value::as_object);
        let map = map.into_iter().flatten();
        map.map(|(name, value)| {
            let id = self.inside(id, value, |pointer| {
                push(pointer, keyword);
                push(pointer, name);
            });
            (name.as_str(), id)
        })
        .collect()
    }

    fn inside(&mut self, id: Id, value: &'a Value, steps: impl FnOnce(&mut String)) -> Id {
        let place = std::ptr::from_ref(value);
        if let Some(id) = self.by_place.get(&place) {
            return *id;
        }
        let Schema { document, pointer, .. } = self.schema(id);
        let (document, mut pointer) = (*document, pointer.clone());
        steps(&mut pointer);
        self.intern(document, value, || pointer)
    }

    /// Whether keywords beside the `$ref` of this schema count.
    pub(crate) fn has_siblings(&self, id: Id) -> bool {
        self.documents[self.schema(id).document].siblings_of_refs
    }

    /// What the `$ref` of this schema refers to, if it has one.
    pub(crate) fn target(&mut self, id: Id) -> Option<Result<Id, String>> {
        let target = self.value(id).get("$ref")?.as_str()?;
        if let Some(known) = self.targets.get(&id) {
            return Some(Ok(*known));
        }
        let found = self.resolve(id, target);
        if let Ok(found) = found {
            self.targets.insert(id, found);
        }
        Some(found)
    }

    /// What a `$ref` in the document of this schema refers to.
    fn resolve(&mut self, from: Id, target: &str) -> Result<Id, String> {
        let document = self.schema(from).document;
        let Document { root, names, .. } = &self.documents[document];
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
        let found = root.pointer(&pointer).ok_or_else(|| nothing_at(target))?;
        Ok(self.intern(document, found, || pointer))
    }
}

fn nothing_at(target: &str) -> String {
    format!("`$ref` to `{target}`, and there is nothing in this document")
}

/// Everything with a `$ref`, and its pointer.
fn refs_in<'a>(value: &'a Value, pointer: &mut String, to: &mut Vec<(String, &'a Value)>) {
    let length = pointer.len();
    let mut below = |step: &str, value| {
        push(pointer, step);
        refs_in(value, pointer, to);
        pointer.truncate(length);
    };
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| below(name, value));
            if map.get("$ref").is_some_and(Value::is_string) {
                to.push((pointer.clone(), value));
            }
        }
        Value::Array(list) => {
            let items = list.iter().enumerate();
            items.for_each(|(index, value)| below(&index.to_string(), value));
        }
        _ => {}
    }
}

/// Takes a JSON pointer one step further.
pub(super) fn push(pointer: &mut String, step: &str) {
    pointer.push('/');
    match step.contains(['~', '/']) {
        true => pointer.push_str(&step.replace('~', "~0").replace('/', "~1")),
        false => pointer.push_str(step),
    }
}
