//! The columns of an event: one for each property of the newest version's payload.

use std::collections::{BTreeMap, HashSet};

use outbox_runtime::EventInfo;
use serde_json::Value;

use super::kind::Kind;
use crate::reference::followed;

/// A column, and what in a payload is its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Column {
    /// Its name in the view.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) source: Source,
}

/// Where a value comes from: the first that a payload has.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// The payload is no object: all of it.
    Whole,
    /// A property, by its name and the other names that are read.
    Property {
        names: Vec<String>,
        /// What is read where a payload of one of these versions has none of them.
        default: Option<(Value, Rows)>,
    },
}

/// Rows that a default is for: older payloads go through code that says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    All,
    OfVersion(u32),
}

/// Columns that every view has.
pub(super) const ENVELOPE: [&str; 5] = ["position", "id", "version", "key", "created_at"];

/// What Postgres keeps of a name.
const MAX_NAME_BYTES: usize = 63;

/// The columns of a version, in the order of their names.
pub(super) fn columns(event: &EventInfo) -> Vec<Column> {
    let (write, read) = ((event.write_schema)(), (event.read_schema)());
    let (write, read) = (write.as_value(), read.as_value());
    let mut kinds = BTreeMap::new();
    let mut defaults = BTreeMap::new();
    properties(write, write, &mut Seen::new(), &mut |name, schema| {
        let kind = Kind::of(schema, write);
        kinds
            .entry(name.to_owned())
            .and_modify(|known| {
                if *known != kind {
                    *known = Kind::Json;
                }
            })
            .or_insert(kind);
    });
    properties(read, read, &mut Seen::new(), &mut |name, schema| {
        if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
            defaults.insert(name.to_owned(), default.clone());
        }
    });
    if kinds.is_empty() {
        let kind = Kind::of(write, write);
        return vec![Column { name: "value".to_owned(), kind, source: Source::Whole }];
    }
    let rows = if event.version == 1 { Rows::All } else { Rows::OfVersion(event.version) };
    let mut taken: Vec<String> = ENVELOPE.map(str::to_owned).to_vec();
    let columns = kinds.into_iter().map(|(property, kind)| {
        let name = free(&property, &taken);
        taken.push(name.clone());
        let aliases = event.aliases.iter().filter(|alias| alias.property == Some(&property));
        let aliases = aliases.flat_map(|alias| alias.names).copied();
        let names = std::iter::once(property.as_str()).chain(aliases).map(str::to_owned).collect();
        let default = defaults.remove(&property).map(|default| (default, rows));
        Column { name, kind, source: Source::Property { names, default } }
    });
    columns.collect()
}

/// Schemas that were looked at, by where they are: types may lead to themselves.
pub(super) type Seen = HashSet<*const Value>;

/// The properties of an object: its own, and those of what it is made of.
fn properties(schema: &Value, root: &Value, seen: &mut Seen, found: &mut dyn FnMut(&str, &Value)) {
    if !seen.insert(schema) {
        return;
    }
    if let Some(target) = followed(schema, root) {
        properties(target, root, seen, found);
    }
    for (name, property) in
        schema.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        found(name, property);
    }
    for keyword in ["allOf", "oneOf", "anyOf"] {
        for part in schema.get(keyword).and_then(Value::as_array).into_iter().flatten() {
            properties(part, root, seen, found);
        }
    }
}

/// A name for a column that none has yet.
fn free(property: &str, taken: &[String]) -> String {
    let is_free = |name: &str| !taken.iter().any(|other| other == name);
    let wanted = cut(property, MAX_NAME_BYTES);
    if !wanted.is_empty() && is_free(wanted) {
        return wanted.to_owned();
    }
    let stem = cut(property, MAX_NAME_BYTES - 12);
    let numbered = (2..).map(|number| format!("payload_{stem}_{number}"));
    let mut names = std::iter::once(format!("payload_{stem}")).chain(numbered);
    names.find(|name| is_free(name)).unwrap_or_default()
}

/// The beginning of a text that has no more bytes.
pub(super) fn cut(text: &str, max_bytes: usize) -> &str {
    let mut end = max_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
