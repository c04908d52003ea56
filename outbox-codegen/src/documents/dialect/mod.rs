//! JSON Schemas of draft 2020-12, which schemars makes, in the words of older drafts.
//!
//! What comes out accepts the same values. What an older draft cannot say is an error; what nobody
//! checks values by (unknown keywords, and in draft 4 `examples` and the like) is left out.
//!
//! One difference is in the drafts themselves: `1.0` is no integer in draft 4. No integer of Rust is
//! written like that.

mod keywords;
mod unevaluated;

use std::collections::BTreeMap;
use std::fmt;

use outbox_runtime::EventInfo;
use serde_json::Value;

use self::keywords::Converter;
use super::names::{Names, plain};
use super::text;
use crate::reference;

/// An older draft of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Draft4,
    Draft7,
}

/// A schema that an older draft of JSON Schema cannot express.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unconvertible {
    /// The event's name.
    pub event: String,
    /// Its version.
    pub version: u32,
    /// Where in the schema of what it writes: a JSON pointer.
    pub pointer: String,
    /// What is there.
    pub what: String,
}

impl fmt::Display for Unconvertible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event, version, pointer, what } = self;
        let pointer = if pointer.is_empty() { "the root" } else { pointer };
        write!(f, "`{event}` version {version}: {what}, at {pointer} of the schema that it writes")
    }
}

impl std::error::Error for Unconvertible {}

/// The schema of an event version in an older draft, as the entries of one folder of a document.
pub(super) struct Converted {
    /// The name of the payload's schema among the entries.
    pub(super) root: String,
    /// The payload's schema, and those that it refers to.
    pub(super) entries: BTreeMap<String, Value>,
}

/// Converts what a version writes. `folder` is where the entries will be, such as `#/definitions/`;
/// `root` is the name of the payload's schema, and `prefix` what the names of the others begin with.
pub(super) fn convert(
    event: &EventInfo,
    dialect: Dialect,
    folder: &str,
    root: &str,
    prefix: &str,
) -> Result<Converted, Unconvertible> {
    let schema = text::written(event);
    let mut names = Names::default();
    let root = names.take(root);
    let mut places = BTreeMap::new();
    for name in definitions(&schema) {
        places.insert(name.clone(), names.take(&format!("{prefix}{}", plain(name))));
    }
    let converter = Converter { dialect, folder, document: &schema, root: &root, places: &places };
    let mut path = Vec::new();
    let entries = converter.document(&mut path).map_err(|what| Unconvertible {
        event: event.name.to_owned(),
        version: event.version,
        pointer: pointer(&path),
        what,
    })?;
    Ok(Converted { root, entries })
}

/// The names below `$defs`.
pub(super) fn definitions(schema: &Value) -> impl Iterator<Item = &String> {
    schema.get("$defs").and_then(Value::as_object).into_iter().flat_map(|named| named.keys())
}

/// What a `$ref` points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// The schema itself.
    Root,
    /// A schema below `$defs`.
    Definition(String),
    /// Anything else.
    Elsewhere,
}

/// Reads a `$ref`.
pub(super) fn target(reference: &str) -> Target {
    let Some(pointer) = reference::pointer(reference) else { return Target::Elsewhere };
    match pointer.strip_prefix("/$defs/") {
        _ if pointer.is_empty() => Target::Root,
        Some(token) if !token.contains('/') => {
            Target::Definition(token.replace("~1", "/").replace("~0", "~"))
        }
        _ => Target::Elsewhere,
    }
}

fn pointer(path: &[String]) -> String {
    let escaped = path.iter().map(|token| token.replace('~', "~0").replace('/', "~1"));
    escaped.map(|token| format!("/{token}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_as_it_is_escaped() {
        assert_eq!(target("#"), Target::Root);
        assert_eq!(target("#/$defs/a%20b~1c~0d%25"), Target::Definition("a b/c~d%".to_owned()));
        assert_eq!(target("#/$defs/a/properties/b"), Target::Elsewhere);
        assert_eq!(target("other.json"), Target::Elsewhere);
        assert_eq!(target("#/$defs/%ff"), Target::Elsewhere);
        assert_eq!(target("#/$defs/100%"), Target::Definition("100%".to_owned()));
    }
}
