//! Keyword by keyword, from draft 2020-12 to an older draft.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Dialect, Target, target, unevaluated};

/// Keywords with a schema that both older drafts have.
const SCHEMA: [&str; 2] = ["additionalProperties", "not"];
/// Keywords with a schema that draft 4 lacks.
const SCHEMA_SINCE_6: [&str; 5] = ["contains", "propertyNames", "if", "then", "else"];
/// Keywords with a list of schemas.
const LIST: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords with schemas by name.
const NAMED: [&str; 2] = ["properties", "patternProperties"];
/// Keywords whose value means the same in every draft.
const SAME: [&str; 17] = [
    "type",
    "enum",
    "format",
    "pattern",
    "title",
    "description",
    "default",
    "minimum",
    "maximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];
/// Keywords that tell and check nothing, which draft 4 lacks.
const TELLING: [&str; 6] =
    ["examples", "readOnly", "writeOnly", "deprecated", "contentEncoding", "contentMediaType"];
/// Keywords that no older draft has, and that change what is accepted or where names lead.
const NOWHERE: [&str; 8] = [
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "minContains",
    "maxContains",
    "unevaluatedItems",
];

pub(super) struct Converter<'a> {
    pub(super) dialect: Dialect,
    /// The schema that is converted.
    pub(super) document: &'a Value,
    /// What references begin with.
    pub(super) folder: &'a str,
    /// Where the root will be.
    pub(super) root: &'a str,
    /// Where the schemas below `$defs` will be.
    pub(super) places: &'a BTreeMap<String, String>,
}

type Path = Vec<String>;
type Outcome<T> = Result<T, String>;

impl Converter<'_> {
    /// Converts the root and what is below `$defs`. After an error, `path` says where.
    pub(super) fn document(&self, path: &mut Path) -> Outcome<BTreeMap<String, Value>> {
        let mut entries = BTreeMap::new();
        entries.insert(self.root.to_owned(), self.schema(self.document, path)?);
        path.push("$defs".to_owned());
        for (name, place) in self.places {
            let schema = &self.document["$defs"][name];
            entries.insert(place.clone(), self.at(name, schema, path)?);
        }
        path.pop();
        Ok(entries)
    }

    fn at(&self, token: &str, schema: &Value, path: &mut Path) -> Outcome<Value> {
        path.push(token.to_owned());
        let converted = self.schema(schema, path)?;
        path.pop();
        Ok(converted)
    }

    fn schema(&self, schema: &Value, path: &mut Path) -> Outcome<Value> {
        let keywords = match schema {
            // Draft 4 has no such schemas, and AsyncAPI's own schema wants objects.
            Value::Bool(any) => return Ok(if *any { json!({}) } else { json!({ "not": {} }) }),
            Value::Object(keywords) => keywords,
            _ => return Err("something that is no schema".to_owned()),
        };
        let mut to = Map::new();
        for (keyword, value) in keywords {
            path.push(keyword.clone());
            self.keyword(keyword, value, keywords, &mut to, path)?;
            path.pop();
        }
        Ok(Value::Object(to))
    }

    fn keyword(
        &self,
        keyword: &str,
        value: &Value,
        all: &Map<String, Value>,
        to: &mut Map<String, Value>,
        path: &mut Path,
    ) -> Outcome<()> {
        let older = self.dialect == Dialect::Draft4;
        match keyword {
            "$ref" => self.reference(value, all.len() == 1, to)?,
            "prefixItems" => set(to, "items", self.list(value, path)?),
            "items" if all.contains_key("prefixItems") => {
                set(to, "additionalItems", self.schema(value, path)?);
            }
            "items" => set(to, "items", self.schema(value, path)?),
            "required" if empty(value) => {}
            "required" => set(to, "required", value.clone()),
            "const" if older && all.contains_key("enum") => also(to, json!({ "enum": [value] })),
            "const" if older => set(to, "enum", json!([value])),
            "const" => set(to, "const", value.clone()),
            "exclusiveMinimum" if older => also(to, json!({ "minimum": value, keyword: true })),
            "exclusiveMaximum" if older => also(to, json!({ "maximum": value, keyword: true })),
            "exclusiveMinimum" | "exclusiveMaximum" => set(to, keyword, value.clone()),
            "unevaluatedProperties" | "unevaluatedItems" if *value == json!(true) => {}
            "unevaluatedProperties" => {
                let same = unevaluated::beside(all, self.document);
                also(to, self.schema(&same.ok_or_else(|| self.missing(keyword))?, path)?);
            }
            "dependentRequired" => depend(to, value.clone()),
            "dependentSchemas" => depend(to, self.named(value, path)?),
            "additionalProperties" if value.is_boolean() => set(to, keyword, value.clone()),
            _ if SCHEMA.contains(&keyword) => set(to, keyword, self.schema(value, path)?),
            _ if SCHEMA_SINCE_6.contains(&keyword) && !older => {
                set(to, keyword, self.schema(value, path)?);
            }
            _ if LIST.contains(&keyword) => merge(to, keyword, self.list(value, path)?),
            _ if NAMED.contains(&keyword) => set(to, keyword, self.named(value, path)?),
            _ if SAME.contains(&keyword) => set(to, keyword, value.clone()),
            _ if TELLING.contains(&keyword) && !older => set(to, keyword, value.clone()),
            _ if SCHEMA_SINCE_6.contains(&keyword) || NOWHERE.contains(&keyword) => {
                return Err(self.missing(keyword));
            }
            _ if keyword.starts_with("x-") => set(to, keyword, value.clone()),
            _ => {}
        }
        Ok(())
    }

    fn missing(&self, keyword: &str) -> String {
        let draft = if self.dialect == Dialect::Draft4 { "4" } else { "7" };
        format!("`{keyword}` cannot be said in draft {draft} of JSON Schema")
    }

    /// In older drafts a reference makes its neighbours void: it goes into an `allOf` beside them.
    fn reference(&self, value: &Value, alone: bool, to: &mut Map<String, Value>) -> Outcome<()> {
        let text = value.as_str().unwrap_or_default();
        let place = match target(text) {
            Target::Root => Some(self.root),
            Target::Definition(name) => self.places.get(&name).map(String::as_str),
            Target::Elsewhere => None,
        };
        let place =
            place.ok_or_else(|| format!("`{text}` refers to neither the root nor to `$defs`"))?;
        let reference = json!(format!("{}{place}", self.folder));
        match alone {
            true => set(to, "$ref", reference),
            false => also(to, json!({ "$ref": reference })),
        }
        Ok(())
    }

    fn list(&self, value: &Value, path: &mut Path) -> Outcome<Value> {
        let schemas = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let converted = schemas
            .iter()
            .enumerate()
            .map(|(index, schema)| self.at(&index.to_string(), schema, path));
        converted.collect::<Outcome<Vec<Value>>>().map(Value::Array)
    }

    fn named(&self, value: &Value, path: &mut Path) -> Outcome<Value> {
        let mut converted = Map::new();
        for (name, schema) in value.as_object().into_iter().flatten() {
            converted.insert(name.clone(), self.at(name, schema, path)?);
        }
        Ok(Value::Object(converted))
    }
}

fn empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

fn set(to: &mut Map<String, Value>, keyword: &str, value: Value) {
    to.insert(keyword.to_owned(), value);
}

/// Adds something that has to hold as well.
fn also(to: &mut Map<String, Value>, schema: Value) {
    merge(to, "allOf", Value::Array(vec![schema]));
}

/// Adds to a list that may have begun already.
fn merge(to: &mut Map<String, Value>, keyword: &str, schemas: Value) {
    match (to.get_mut(keyword), schemas) {
        (Some(Value::Array(list)), Value::Array(mut more)) => list.append(&mut more),
        (_, schemas) => set(to, keyword, schemas),
    }
}

/// Adds to `dependencies`, which is one keyword for two of now. A name in both has to meet both.
fn depend(to: &mut Map<String, Value>, more: Value) {
    let before = to.entry("dependencies").or_insert_with(|| json!({}));
    let (Value::Object(before), Value::Object(more)) = (before, more) else { return };
    for (name, new) in more.into_iter().filter(|(_, value)| !empty(value)) {
        let as_schema = |value: Value| match value {
            Value::Array(_) => json!({ "required": value }),
            schema => schema,
        };
        let joined = match before.remove(&name) {
            Some(old) => json!({ "allOf": [as_schema(old), as_schema(new)] }),
            None => new,
        };
        before.insert(name, joined);
    }
}
