//! Whether a document is a schema at all.

use std::collections::HashMap;

use serde_json::Value;

use super::arena::{LISTS, MAPS, ONE, Unusable, join};

const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];

/// Looks whether a document is a schema at all.
pub(super) struct Check {
    pub(super) names: HashMap<String, String>,
    pub(super) refs: Vec<(String, String)>,
    pub(super) errors: Vec<Unusable>,
}

impl Check {
    fn error(&mut self, pointer: &str, message: impl Into<String>) {
        self.errors.push(Unusable { pointer: pointer.to_owned(), message: message.into() });
    }

    pub(super) fn schema(&mut self, schema: &Value, pointer: String) {
        let keywords = match schema {
            Value::Bool(_) => return,
            Value::Object(keywords) => keywords,
            other => {
                let message = format!("a schema is an object or a boolean, not {}", kind(other));
                return self.error(&pointer, message);
            }
        };
        for (keyword, value) in keywords {
            let at = join(&pointer, keyword);
            match keyword.as_str() {
                "$ref" => match value.as_str() {
                    Some(target) => self.refs.push((at.clone(), target.to_owned())),
                    None => self.error(&at, "`$ref` is a text"),
                },
                "$id" | "id" => self.name(value, "", &pointer),
                "$anchor" => self.name(value, "#", &pointer),
                "$dynamicRef" | "$recursiveRef" => {
                    self.error(&at, format!("`{keyword}` is not supported: use `$ref`"));
                }
                "type" => self.types(value, &at),
                "required" if !is_texts(value) && !value.is_boolean() => {
                    self.error(&at, "`required` is a list of names");
                }
                "enum" if !value.is_array() => self.error(&at, "`enum` is a list of values"),
                "pattern" => match value.as_str().map(regex::Regex::new) {
                    Some(Ok(_)) => {}
                    Some(Err(_)) => self.error(&at, "this pattern is beyond Rust's regex"),
                    None => self.error(&at, "`pattern` is a text"),
                },
                "multipleOf" | "maximum" | "minimum" if !value.is_number() => {
                    self.error(&at, format!("`{keyword}` is a number"));
                }
                "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties"
                | "minProperties"
                    if value.as_f64().is_none_or(|n| n < 0.0 || n.fract() != 0.0) =>
                {
                    self.error(&at, format!("`{keyword}` is a whole number"));
                }
                _ => {}
            }
            let is_list = value.is_array();
            if LISTS.contains(&keyword.as_str()) && (is_list || !ONE.contains(&keyword.as_str())) {
                match value.as_array() {
                    Some(schemas) => {
                        for (index, schema) in schemas.iter().enumerate() {
                            self.schema(schema, join(&at, &index.to_string()));
                        }
                    }
                    None => self.error(&at, format!("`{keyword}` is a list of schemas")),
                }
            } else if ONE.contains(&keyword.as_str()) {
                self.schema(value, at);
            } else if MAPS.contains(&keyword.as_str()) {
                match value.as_object() {
                    Some(schemas) => {
                        for (name, schema) in schemas {
                            self.schema(schema, join(&at, name));
                        }
                    }
                    None => self.error(&at, format!("`{keyword}` is a map of schemas")),
                }
            }
        }
    }

    fn name(&mut self, value: &Value, prefix: &str, pointer: &str) {
        if let Some(name) = value.as_str() {
            let name = name.trim_end_matches('#');
            self.names.insert(format!("{prefix}{name}"), pointer.to_owned());
        }
    }

    fn types(&mut self, value: &Value, at: &str) {
        let names: Vec<&Value> = match value {
            Value::Array(names) => names.iter().collect(),
            one => vec![one],
        };
        for name in names {
            match name.as_str() {
                Some(name) if TYPES.contains(&name) => {}
                Some(name) => self.error(at, format!("`{name}` is no type of JSON")),
                None => self.error(at, "`type` is a name, or a list of names"),
            }
        }
    }
}

fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|texts| texts.iter().all(Value::is_string))
}

/// What a value is, for messages.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "an integer",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
