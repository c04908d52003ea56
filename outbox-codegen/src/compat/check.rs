//! Whether a document is a schema at all.

use std::collections::HashMap;

use serde_json::Value;

use super::arena::{LISTS, MAPS, ONE, Unusable, push};

const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];

/// Looks whether a document is a schema at all.
#[derive(Default)]
pub(super) struct Check {
    pub(super) names: HashMap<String, String>,
    pub(super) refs: Vec<(String, String)>,
    pub(super) errors: Vec<Unusable>,
    /// Where it looks.
    pointer: String,
}

impl Check {
    fn error(&mut self, message: impl Into<String>) {
        self.errors.push(Unusable { pointer: self.pointer.clone(), message: message.into() });
    }

    fn below(&mut self, step: &str, look: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        push(&mut self.pointer, step);
        look(self);
        self.pointer.truncate(length);
    }

    pub(super) fn schema(&mut self, schema: &Value) {
        let keywords = match schema {
            Value::Bool(_) => return,
            Value::Object(keywords) => keywords,
            other => {
                return self
                    .error(format!("a schema is an object or a boolean, not {}", kind(other)));
            }
        };
        for (keyword, value) in keywords {
            match keyword.as_str() {
                "$id" | "id" => self.name(value, ""),
                "$anchor" => self.name(value, "#"),
                _ => {}
            }
            self.below(keyword, |check| {
                check.keyword(keyword, value);
                check.schemas(keyword, value);
            });
        }
    }

    fn keyword(&mut self, keyword: &str, value: &Value) {
        match keyword {
            "$ref" => match value.as_str() {
                Some(target) => self.refs.push((self.pointer.clone(), target.to_owned())),
                None => self.error("`$ref` is a text"),
            },
            "$dynamicRef" | "$recursiveRef" => {
                self.error(format!("`{keyword}` is not supported: use `$ref`"));
            }
            "type" => self.types(value),
            "required" if !is_texts(value) && !value.is_boolean() => {
                self.error("`required` is a list of names");
            }
            "enum" if !value.is_array() => self.error("`enum` is a list of values"),
            "pattern" => match value.as_str().map(regex::Regex::new) {
                Some(Ok(_)) => {}
                Some(Err(_)) => self.error("this pattern is beyond Rust's regex"),
                None => self.error("`pattern` is a text"),
            },
            "multipleOf" | "maximum" | "minimum" if !value.is_number() => {
                self.error(format!("`{keyword}` is a number"));
            }
            "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties"
            | "minProperties"
                if value.as_f64().is_none_or(|n| n < 0.0 || n.fract() != 0.0) =>
            {
                self.error(format!("`{keyword}` is a whole number"));
            }
            _ => {}
        }
    }

    /// The schemas that a keyword holds.
    fn schemas(&mut self, keyword: &str, value: &Value) {
        let is_list = value.is_array();
        if LISTS.contains(&keyword) && (is_list || !ONE.contains(&keyword)) {
            match value.as_array() {
                Some(schemas) => {
                    for (index, schema) in schemas.iter().enumerate() {
                        self.below(&index.to_string(), |check| check.schema(schema));
                    }
                }
                None => self.error(format!("`{keyword}` is a list of schemas")),
            }
        } else if ONE.contains(&keyword) {
            self.schema(value);
        } else if MAPS.contains(&keyword) {
            match value.as_object() {
                Some(schemas) => {
                    for (name, schema) in schemas {
                        self.below(name, |check| check.schema(schema));
                    }
                }
                None => self.error(format!("`{keyword}` is a map of schemas")),
            }
        }
    }

    fn name(&mut self, value: &Value, prefix: &str) {
        if let Some(name) = value.as_str() {
            let name = name.trim_end_matches('#');
            self.names.insert(format!("{prefix}{name}"), self.pointer.clone());
        }
    }

    fn types(&mut self, value: &Value) {
        let names = match value {
            Value::Array(names) => names,
            one => std::slice::from_ref(one),
        };
        for name in names {
            match name.as_str() {
                Some(name) if TYPES.contains(&name) => {}
                Some(name) => self.error(format!("`{name}` is no type of JSON")),
                None => self.error("`type` is a name, or a list of names"),
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
