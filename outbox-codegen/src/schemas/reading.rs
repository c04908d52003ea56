//! What a revision reads, with the aliases and the `other` variant that its schema does not show.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::revision::{Alias, Reading, Revision};

impl Revision {
    /// The schema of what is read, aliases and `#[serde(other)]` included. Sets may have an item twice.
    #[must_use]
    pub fn reader(&self) -> Cow<'_, Value> {
        let Reading { aliases, other } = &self.reading;
        if aliases.is_empty() && other.is_none() && !has_uniqueness(&self.read) {
            return Cow::Borrowed(&self.read);
        }
        let mut schema = Value::clone(&self.read);
        for alias in aliases {
            match (&alias.variant, &alias.property) {
                (None, Some(property)) => property_alias(&mut schema, property, &alias.names),
                (Some(variant), Some(property)) => {
                    let in_variant = |one: &mut Value| {
                        if let Some(data) = data_of(one, variant) {
                            property_alias(data, property, &alias.names);
                        }
                    };
                    alternatives(&mut schema).into_iter().flatten().for_each(in_variant);
                }
                (Some(variant), None) => variant_alias(&mut schema, variant, alias),
                (None, None) => {}
            }
        }
        if other.is_some() {
            with_other(&mut schema);
        }
        without_uniqueness(&mut schema);
        Cow::Owned(schema)
    }
}

fn has_uniqueness(schema: &Value) -> bool {
    match schema {
        Value::Object(entries) => entries.iter().any(|(keyword, value)| {
            (keyword == "uniqueItems" && value.is_boolean()) || has_uniqueness(value)
        }),
        Value::Array(items) => items.iter().any(has_uniqueness),
        _ => false,
    }
}

/// Serde's sets read an item twice, and keep it once.
fn without_uniqueness(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            entries.retain(|keyword, value| keyword != "uniqueItems" || !value.is_boolean());
            entries.values_mut().for_each(without_uniqueness);
        }
        Value::Array(items) => items.iter_mut().for_each(without_uniqueness),
        _ => {}
    }
}

fn alternatives(schema: &mut Value) -> Option<&mut Vec<Value>> {
    let keyword = ["oneOf", "anyOf"].into_iter().find(|keyword| schema.get(keyword).is_some())?;
    schema.get_mut(keyword)?.as_array_mut()
}

/// The schema that the fields of a variant are in, if this alternative is the variant.
fn data_of<'a>(alternative: &'a mut Value, variant: &str) -> Option<&'a mut Value> {
    let properties = alternative.get("properties")?.as_object()?;
    let is_tagged = properties.values().any(|tag| is_constant(tag, variant));
    let content = properties.iter().find(|(_, data)| data.get("properties").is_some());
    let content = content.map(|(name, _)| name.clone());
    match (is_tagged, content) {
        (true, Some(content)) if properties.len() == 2 => {
            alternative["properties"].get_mut(content)
        }
        (true, _) => Some(alternative),
        (false, _) => alternative.get_mut("properties")?.get_mut(variant),
    }
}

fn is_constant(schema: &Value, text: &str) -> bool {
    schema.get("const").is_some_and(|value| value == text)
        || schema.get("enum") == Some(&json!([text]))
}

/// A property may be there under each of the names; and if it is required, must be under one of them.
fn property_alias(schema: &mut Value, property: &str, names: &[String]) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    let Some(of_property) = properties.get(property).cloned() else { return };
    for name in names {
        properties.insert(name.clone(), of_property.clone());
    }
    let required = schema.get_mut("required").and_then(Value::as_array_mut);
    let Some(required) = required.filter(|required| required.contains(&json!(property))) else {
        return;
    };
    required.retain(|name| name != property);
    let names = std::iter::once(property).chain(names.iter().map(String::as_str));
    let one_of_them: Value = names.map(|name| json!({ "required": [name] })).collect();
    let more = json!({ "anyOf": one_of_them });
    match schema.get_mut("allOf").and_then(Value::as_array_mut) {
        Some(all) => all.push(more),
        None => schema["allOf"] = json!([more]),
    }
}

/// A variant may have each of the names.
fn variant_alias(schema: &mut Value, variant: &str, alias: &Alias) {
    let names = || alias.names.iter().map(|name| json!(name));
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        if values.contains(&json!(variant)) {
            values.extend(names());
        }
        return;
    }
    let Some(alternatives) = alternatives(schema) else { return };
    let mut more = Vec::new();
    for alternative in alternatives.iter_mut() {
        if let Some(Value::Array(values)) = alternative.get_mut("enum") {
            if values.contains(&json!(variant)) {
                values.extend(names());
            }
        } else if is_constant(alternative, variant) {
            more.extend(names().map(|name| json!({ "const": name })));
        } else if let Some(properties) = alternative.get("properties").and_then(Value::as_object) {
            let tag = properties.iter().find(|(_, tag)| is_constant(tag, variant));
            let tag = tag.map(|(tag, _)| tag.clone());
            let is_named = tag.is_none() && properties.contains_key(variant);
            for name in &alias.names {
                let mut twin = alternative.clone();
                match &tag {
                    Some(tag) => twin["properties"][tag] = json!({ "const": name }),
                    None if is_named => {
                        let data = twin["properties"][variant].clone();
                        twin["properties"] = json!({ name.clone(): data });
                        twin["required"] = json!([name]);
                    }
                    None => continue,
                }
                more.push(twin);
            }
        }
    }
    alternatives.extend(more);
}

/// A variant that is not known is read as one that is.
fn with_other(schema: &mut Value) {
    let any_text = json!({ "type": "string" });
    if schema.get("enum").is_some() || schema.get("const").is_some() {
        *schema = any_text;
        return;
    }
    let Some(alternatives) = alternatives(schema) else { return };
    let properties: Vec<_> = alternatives
        .iter()
        .filter_map(|one| one.get("properties").and_then(Value::as_object))
        .collect();
    let is_tag = |name: &&String| {
        properties.iter().all(|all| {
            all.get(*name)
                .is_some_and(|tag| tag.get("const").is_some() || tag.get("enum").is_some())
        })
    };
    let tag = properties.first().and_then(|first| first.keys().find(is_tag)).cloned();
    let more = match tag {
        None => any_text,
        // Whatever else is there is not looked at.
        Some(tag) => json!({
            "type": "object",
            "properties": { tag.clone(): { "type": "string" } },
            "required": [tag],
        }),
    };
    // (`oneOf` would refuse what two alternatives accept.)
    if let Some(alternatives) = schema.as_object_mut().and_then(|all| all.remove("oneOf")) {
        schema["anyOf"] = alternatives;
    }
    if let Some(Value::Array(alternatives)) = schema.get_mut("anyOf") {
        alternatives.push(more);
    }
}
