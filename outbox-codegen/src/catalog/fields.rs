//! The fields of a version, as rows of tables.

use outbox_runtime::EventInfo;
use serde_json::Value;

use super::markdown::{code, text};
use super::words::{alternatives, resolved, words};

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
    let (write, read) = (Side::of(write.as_value()), Side::of(read.as_value()));
    let mut tables = Vec::new();
    let common = rows(write, read, "", &[]);
    if !common.is_empty() {
        tables.push(Fields { variant: None, rows: common });
    }
    let reading = alternatives(read.schema);
    for (index, variant) in alternatives(write.schema).into_iter().flatten().enumerate() {
        let reading = reading.and_then(|all| all.get(index)).unwrap_or(&Value::Null);
        tables.extend(variants(write.part(variant), read.part(reading), index));
    }
    let literals = write.schema.get("enum").into_iter().map(|_| write);
    tables.extend(literals.flat_map(|unit| variants(unit, read, 0)));
    tables
}

/// A schema in its document.
#[derive(Clone, Copy)]
struct Side<'a> {
    schema: &'a Value,
    root: &'a Value,
}

impl<'a> Side<'a> {
    fn of(root: &'a Value) -> Side<'a> {
        Side { schema: root, root }.part(root)
    }

    fn part(self, schema: &'a Value) -> Self {
        Self { schema: resolved(schema, self.root).0, root: self.root }
    }

    fn properties(self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.schema.get("properties").and_then(Value::as_object).into_iter().flatten()
    }

    fn property(self, name: &str) -> &'a Value {
        let properties = self.schema.get("properties");
        properties.and_then(|properties| properties.get(name)).unwrap_or(&Value::Null)
    }

    fn requires(self, name: &str) -> bool {
        let required = self.schema.get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|other| other == name))
    }

    /// What has fields of its own: the object, an item of the list, what is there unless it is null.
    fn inner(self) -> Option<(Self, &'static str)> {
        if self.properties().next().is_some() {
            return Some((self, "."));
        }
        if let Some(items) = self.schema.get("items") {
            let items = self.part(items);
            return items.properties().next().is_some().then_some((items, "[]."));
        }
        let is_null = |schema: &&Value| schema.get("type").is_some_and(|kind| kind == "null");
        let mut present = alternatives(self.schema)?.iter().filter(|schema| !is_null(schema));
        match (present.next(), present.next()) {
            (Some(only), None) => self.part(only).inner(),
            _ => None,
        }
    }
}

/// The fields of an object, each followed by its own, but for an object that is in itself.
fn rows(write: Side<'_>, read: Side<'_>, prefix: &str, around: &[&Value]) -> Vec<[String; 4]> {
    let mut found = Vec::new();
    let around = [around, &[write.schema]].concat();
    for (name, property) in write.properties() {
        let required = match (write.requires(name), read.requires(name)) {
            (true, true) => "yes",
            (true, false) => "when written",
            (false, _) => "no",
        };
        let path = format!("{prefix}{name}");
        found.push([
            code(&path),
            words(property, write.root),
            required.to_owned(),
            text(description(property, write.root)),
        ]);
        let Some((inner, between)) = write.part(property).inner() else { continue };
        if !around.iter().any(|outer| std::ptr::eq(*outer, inner.schema)) {
            let reading = read.part(read.property(name)).inner();
            let reading = reading.map_or(read.part(&Value::Null), |(reading, _)| reading);
            found.extend(rows(inner, reading, &format!("{path}{between}"), &around));
        }
    }
    found
}

fn description<'a>(schema: &'a Value, root: &'a Value) -> &'a str {
    let said = |schema: &'a Value| schema.get("description").and_then(Value::as_str);
    said(schema).or_else(|| said(resolved(schema, root).0)).unwrap_or_default()
}

/// The variants that one alternative is: several where they have no fields.
fn variants(write: Side<'_>, read: Side<'_>, index: usize) -> Vec<Fields> {
    let about = text(description(write.schema, write.root));
    let variant = |name: &str, rows| Fields { variant: Some((code(name), about.clone())), rows };
    if let Some(name) = write.schema.get("const").and_then(Value::as_str) {
        return vec![variant(name, Vec::new())];
    }
    if let Some(names) = write.schema.get("enum").and_then(Value::as_array) {
        return names
            .iter()
            .filter_map(Value::as_str)
            .map(|name| variant(name, Vec::new()))
            .collect();
    }
    let rows = rows(write, read, "", &[]);
    let tag = write.properties().find_map(|(_, tag)| tag.get("const")?.as_str());
    let mut properties = write.properties();
    let name = match (tag, properties.next(), properties.next()) {
        (Some(tag), ..) => tag.to_owned(),
        (None, Some((only, _)), None) => only.clone(),
        _ => {
            let title = write.schema.get("title").and_then(Value::as_str);
            title.map_or_else(|| format!("{}", index + 1), str::to_owned)
        }
    };
    vec![variant(&name, rows)]
}
