//! What a version of an event writes and reads, at one time.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::schema::Schema;

/// The two schemas of an event's version, and what they cannot show.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Revision {
    /// What is written.
    pub write: Schema,
    /// What is read.
    pub read: Schema,
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
            && self.write.hash() == other.write.hash()
            && self.read.hash() == other.read.hash()
    }
}

/// The hash of what a schema means: of its canonical text without documentation.
#[must_use]
pub fn hash(schema: &Value) -> String {
    let mut bare = String::new();
    write_bare(schema, Position::Schema, &mut bare);
    let digest = Sha256::digest(bare);
    let mut hash = String::from("sha256:");
    for byte in digest {
        hash.extend(
            [byte >> 4, byte & 0xf]
                .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])),
        );
    }
    hash
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

/// Writes a schema without its documentation, with its keys in order.
fn write_bare(value: &Value, position: Position, to: &mut String) {
    match value {
        Value::Object(entries) => {
            let is_kept =
                |name: &str| position != Position::Schema || !DOCUMENTATION.contains(&name);
            let mut entries: Vec<_> = entries.iter().filter(|(name, _)| is_kept(name)).collect();
            entries.sort_unstable_by_key(|(name, _)| *name);
            let write = |(name, value): &(&String, &Value), to: &mut String| {
                write_text(name, to);
                to.push(':');
                match position {
                    Position::Value => write_bare(value, Position::Value, to),
                    Position::Named => write_bare(value, Position::Schema, to),
                    Position::Schema => write_keyword(name, value, to),
                }
            };
            write_list('{', &entries, '}', write, to);
        }
        Value::Array(items) => {
            write_list('[', items, ']', |item, to| write_bare(item, position, to), to);
        }
        Value::String(text) => write_text(text, to),
        other => to.push_str(&other.to_string()),
    }
}

fn write_keyword(name: &str, value: &Value, to: &mut String) {
    match (name, value) {
        // (Its order is that of the fields in the source.)
        ("required", Value::Array(names)) => {
            let mut names: Vec<&Value> = names.iter().collect();
            names.sort_by_key(|name| name.as_str());
            write_list('[', &names, ']', |name, to| write_bare(name, Position::Value, to), to);
        }
        (name, _) if NAMED.contains(&name) => write_bare(value, Position::Named, to),
        (name, _) if VALUES.contains(&name) => write_bare(value, Position::Value, to),
        _ => write_bare(value, Position::Schema, to),
    }
}

fn write_list<T>(
    open: char,
    all: &[T],
    close: char,
    one: impl Fn(&T, &mut String),
    to: &mut String,
) {
    to.push(open);
    for (index, item) in all.iter().enumerate() {
        if index > 0 {
            to.push(',');
        }
        one(item, to);
    }
    to.push(close);
}

fn write_text(text: &str, to: &mut String) {
    match text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        true => to.push_str(&Value::from(text).to_string()),
        // (There is nothing in it to escape.)
        false => to.extend(["\"", text, "\""]),
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
