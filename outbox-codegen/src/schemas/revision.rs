//! What a version of an event writes and reads, at one time.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The two schemas of an event's version, and what they cannot show.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Revision {
    /// What is written.
    pub write: Value,
    /// What is read.
    pub read: Value,
    /// What serde reads besides.
    pub reading: Reading,
}

/// What serde reads, and a schema does not show: of the event's type itself, since what its fields'
/// types read is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Reading {
    /// Names that are read in the place of another one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
    /// The variant that is read in the place of one that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
}

/// Names that are read in the place of another one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Alias {
    /// The variant that it is in; none in a struct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The property; none where the alias is the variant's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// The names that are read as well.
    pub names: Vec<String>,
}

impl Revision {
    /// Whether the other one differs in its documentation only.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.reading == other.reading
            && hash(&self.write) == hash(&other.write)
            && hash(&self.read) == hash(&other.read)
    }
}

/// The hash of what a schema means: of its canonical text without documentation.
#[must_use]
pub fn hash(schema: &Value) -> String {
    let bare = without_documentation(schema, Position::Schema);
    let digest = Sha256::digest(bare.to_string());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// What stands at some place of a schema.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    /// A schema, or a list of them.
    Schema,
    /// Schemas by name: a property may be called `title`.
    Named,
    /// A value, such as a default.
    Value,
}

/// Keywords that say nothing about values.
const DOCUMENTATION: &[&str] =
    &["title", "description", "examples", "$comment", "deprecated", "readOnly", "writeOnly"];

/// Keywords that hold schemas by name.
const NAMED: &[&str] = &[
    "properties",
    "patternProperties",
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependencies",
];

/// Keywords that hold values.
const VALUES: &[&str] = &["const", "enum", "default", "required", "type"];

fn without_documentation(value: &Value, position: Position) -> Value {
    match value {
        Value::Object(entries) => {
            let mut names: Vec<&String> = entries.keys().collect();
            names.sort_unstable();
            let is_kept =
                |name: &str| position != Position::Schema || !DOCUMENTATION.contains(&name);
            let bare: Map<String, Value> = names
                .into_iter()
                .filter(|name| is_kept(name))
                .map(|name| {
                    let inside = match position {
                        Position::Value => Position::Value,
                        Position::Named => Position::Schema,
                        Position::Schema if NAMED.contains(&name.as_str()) => Position::Named,
                        Position::Schema if VALUES.contains(&name.as_str()) => Position::Value,
                        Position::Schema => Position::Schema,
                    };
                    let mut bare = without_documentation(&entries[name], inside);
                    // (Its order is that of the fields in the source.)
                    if position == Position::Schema
                        && name == "required"
                        && let Some(names) = bare.as_array_mut()
                    {
                        names.sort_by_key(ToString::to_string);
                    }
                    (name.clone(), bare)
                })
                .collect();
            Value::Object(bare)
        }
        Value::Array(items) => {
            items.iter().map(|item| without_documentation(item, position)).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::hash;

    #[test]
    fn documentation_and_the_order_of_keys_do_not_count() {
        let bare = json!({ "type": "object", "properties": { "title": { "type": "string" } } });
        let documented = json!({
            "properties": { "title": { "description": "Of the book.", "type": "string" } },
            "title": "Book",
            "type": "object",
        });
        assert_eq!(hash(&bare), hash(&documented));
    }

    #[test]
    fn what_only_looks_like_documentation_counts() {
        let properties = |name: &str| json!({ "properties": { name: true } });
        assert_ne!(hash(&properties("title")), hash(&properties("name")));
        let default = |title: &str| json!({ "default": { "title": title } });
        assert_ne!(hash(&default("a")), hash(&default("b")));
    }
}
