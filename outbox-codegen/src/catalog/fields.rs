//! The fields of a version, as rows of tables.

use outbox_runtime::EventInfo;
use serde_json::Value;

use super::markdown::{code, text};
use super::parts::Parts;
use super::words::{resolved, words};

/// A table of fields; an enum has one for each variant.
pub(super) struct Fields {
    /// The variant, if it is one, and what is said of it.
    pub(super) variant: Option<(String, String)>,
    /// Name, type in words, whether it is required, description.
    pub(super) rows: Vec<[String; 4]>,
}

/// What a version writes; where what the version itself reads may lack a field, that is told as well.
pub(super) fn tables(event: &EventInfo) -> Vec<Fields> {
    let (write, read) = ((event.write_schema)(), (event.read_schema)());
    let (write, read) = (write.as_value(), read.as_value());
    let (write, read) = (Parts::of(write, write), Parts::of(read, read));
    let mut tables = Vec::new();
    if let Some((fields, between)) = write.inner() {
        let prefix = between.trim_start_matches('.');
        tables.push(Fields { variant: None, rows: rows(&fields, &inner(&read), prefix, &[]) });
    }
    let reading = variants(&read);
    for Variant { name, about, parts } in variants(&write) {
        let read = reading.iter().find(|variant| variant.name == name);
        let read = read.map_or_else(|| parts.nothing(), |variant| variant.parts.clone());
        let rows = rows(&parts, &read, "", &[]);
        tables.push(Fields { variant: Some((code(&name), about)), rows });
    }
    tables
}

/// What is written, in words, where it has neither fields nor variants.
pub(super) fn payload(event: &EventInfo) -> Option<String> {
    let write = (event.write_schema)();
    let parts = Parts::of(write.as_value(), write.as_value());
    let tells = parts.properties().is_empty() && variants(&parts).is_empty();
    let words = tells.then(|| words(write.as_value(), write.as_value()))?;
    (words != "object").then_some(words)
}

/// The fields of an object, each followed by its own, but for an object that is in itself.
fn rows(write: &Parts<'_>, read: &Parts<'_>, prefix: &str, around: &[&Value]) -> Vec<[String; 4]> {
    let mut found = Vec::new();
    let around: Vec<&Value> = around.iter().copied().chain(write.object()).collect();
    let reading = read.properties();
    for (name, property) in write.properties() {
        let required = match (write.requires(name), read.requires(name)) {
            (true, true) => "yes",
            (true, false) => "when written",
            (false, _) => "no",
        };
        let path = format!("{prefix}{name}");
        let parts = write.at(property);
        found.push([
            code(&path),
            words(property, write.root()),
            required.to_owned(),
            text(parts.text("description").unwrap_or_default()),
        ]);
        let Some((fields, between)) = parts.inner() else { continue };
        let is_around = |object: &Value| around.iter().any(|outer| std::ptr::eq(*outer, object));
        if !fields.object().is_some_and(is_around) {
            let read_as = reading.iter().find(|(other, _)| *other == name);
            let read_as = read_as.map_or(read.nothing(), |(_, schema)| inner(&read.at(schema)));
            found.extend(rows(&fields, &read_as, &format!("{path}{between}"), &around));
        }
    }
    found
}

fn inner<'a>(parts: &Parts<'a>) -> Parts<'a> {
    parts.inner().map_or_else(|| parts.nothing(), |(inner, _)| inner)
}

struct Variant<'a> {
    name: String,
    /// What is said of it, or else what it is, where it has no name of its own; as Markdown.
    about: String,
    parts: Parts<'a>,
}

fn variants<'a>(parts: &Parts<'a>) -> Vec<Variant<'a>> {
    let unit = |name| Variant { name, about: String::new(), parts: parts.nothing() };
    let mut found: Vec<_> = units(parts).into_iter().map(unit).collect();
    for (is_tagged, alternatives) in parts.alternatives() {
        for (index, schema) in alternatives.iter().enumerate() {
            let parts = parts.at(schema);
            let about = text(parts.text("description").unwrap_or_default());
            let units = units(&parts);
            if !units.is_empty() {
                let unit = |name| Variant { name, about: about.clone(), parts: parts.clone() };
                found.extend(units.into_iter().map(unit));
            } else if let Some(name) = variant_name(schema, &parts, is_tagged) {
                found.push(Variant { name, about, parts });
            } else {
                let has_fields = !parts.properties().is_empty();
                let is_told = has_fields || !about.is_empty();
                let about = if is_told { about } else { words(schema, parts.root()) };
                found.push(Variant { name: (index + 1).to_string(), about, parts });
            }
        }
    }
    found
}

/// The names of variants without fields.
fn units(parts: &Parts<'_>) -> Vec<String> {
    let several = parts.get("enum").and_then(Value::as_array).into_iter().flatten();
    several.chain(parts.get("const")).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The name of a variant with fields: its tag, or the property around them, or else that of its type.
fn variant_name(schema: &Value, variant: &Parts<'_>, is_tagged: bool) -> Option<String> {
    let properties = variant.properties();
    let tag = properties.iter().find_map(|(_, tag)| tag.get("const")?.as_str());
    let around = match properties[..] {
        [(only, _)] if is_tagged => Some(only.as_str()),
        _ => None,
    };
    let name = tag.or(around).or(variant.text("title")).map(str::to_owned);
    name.or_else(|| resolved(schema, variant.root()).1)
}
