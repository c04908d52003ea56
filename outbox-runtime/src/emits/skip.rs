//! Leaving fields out of an event: a secret that came in is not to be found in the log.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::record::{Properties, Property};

type SchemaFn = fn(&mut SchemaGenerator) -> Schema;

/// The fields that are left out of a value.
#[derive(Debug)]
pub struct Skips {
    skips: Vec<Skip>,
    /// For each, whether the property is always written; or why the value cannot be.
    checked: OnceLock<Result<Vec<bool>, String>>,
}

/// A field that is left out: the way to it, and what is read in its place.
#[derive(Debug)]
pub struct Skip {
    path: &'static [&'static str],
    default: fn() -> serde_json::Result<Box<RawValue>>,
}

/// Leaves out the field at this path, to which the function leads as well: so the compiler checks
/// it, and tells its type.
pub fn skip<T, F: LeftOut>(path: &'static [&'static str], _field: fn(&T) -> &F) -> Skip {
    Skip { path, default: F::default_json }
}

/// The type of a field that can be left out.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be left out of an event",
    label = "not `Default` and `Serialize`",
    note = "what `skip` leaves out is read back as the default of its type: implement `Default` and \
            `Serialize` for `{Self}`"
)]
pub trait LeftOut {
    /// The default, written.
    ///
    /// # Errors
    ///
    /// What the type says.
    fn default_json() -> serde_json::Result<Box<RawValue>>;
}

#[diagnostic::do_not_recommend]
impl<F: Default + Serialize> LeftOut for F {
    fn default_json() -> serde_json::Result<Box<RawValue>> {
        serde_json::value::to_raw_value(&F::default())
    }
}

impl Skips {
    /// Leaves out these fields.
    #[must_use]
    pub fn new(skips: Vec<Skip>) -> Self {
        Self { skips, checked: OnceLock::new() }
    }

    /// The value of the field with this name and schema, without what is left out.
    ///
    /// The property is removed by its name, so a field that serde renames would stay, and be
    /// leaked: a value whose schema has no such property is refused, and one that does not have a
    /// property which its schema promises.
    pub(super) fn leave_out(
        &self,
        json: &RawValue,
        name: &str,
        schema: SchemaFn,
    ) -> Result<Box<RawValue>, String> {
        let always = self.checked.get_or_init(|| self.check(name, schema)).as_ref();
        let mut json = json.to_owned();
        for (skip, always) in self.skips.iter().zip(always.map_err(Clone::clone)?) {
            json = without(&json, skip.path, *always)
                .map_err(|why| format!("{} cannot leave anything out: {why}", skip.shown(name)))?;
        }
        Ok(json)
    }

    /// The value with defaults for what was left out.
    pub(super) fn fill_in(&self, json: &RawValue) -> Result<Box<RawValue>, String> {
        let mut json = json.to_owned();
        for skip in &self.skips {
            let default = (skip.default)().map_err(|error| error.to_string())?;
            json = with(&json, skip.path, &default)?;
        }
        Ok(json)
    }

    /// The schema without what is left out.
    pub(super) fn describe(&self, generator: &mut SchemaGenerator, schema: SchemaFn) -> Schema {
        let mut inline = generator.settings().clone().with(inline).into_generator();
        let mut value = schema(&mut inline).to_value();
        generator.definitions_mut().extend(inline.take_definitions(false));
        for skip in &self.skips {
            remove(&mut value, skip.path);
        }
        // What is not an object is `true` or `false`, which is a schema as well.
        value.try_into().unwrap_or_default()
    }

    fn check(&self, name: &str, schema: SchemaFn) -> Result<Vec<bool>, String> {
        let settings = SchemaSettings::draft2020_12().for_serialize().with(inline);
        let schema = schema(&mut settings.into_generator()).to_value();
        let check = |skip: &Skip| {
            is_always_written(&schema, skip.path).map_err(|(property, present)| {
                let present: Vec<String> = present.iter().map(|name| format!("`{name}`")).collect();
                format!(
                    "{} cannot leave out what has another name in JSON: there is no property \
                     `{property}`, but {}. Take away serde's `rename`, or what else hides it",
                    skip.shown(name),
                    if present.is_empty() { "none at all".to_owned() } else { present.join(", ") },
                )
            })
        };
        self.skips.iter().map(check).collect()
    }
}

impl Skip {
    fn shown(&self, name: &str) -> String {
        format!("`skip({name}.{})`", self.path.join("."))
    }
}

fn inline(settings: &mut SchemaSettings) {
    settings.inline_subschemas = true;
}

/// Whether what has this schema is always written with the property at this path; or the first name
/// on the path that is no property, and the properties that are.
fn is_always_written<'p>(schema: &Value, path: &[&'p str]) -> Result<bool, (&'p str, Vec<String>)> {
    let Some((first, rest)) = path.split_first() else { return Ok(true) };
    let properties = schema.get("properties").and_then(Value::as_object);
    let Some(inner) = properties.and_then(|properties| properties.get(*first)) else {
        let present = properties.map(|properties| properties.keys().cloned().collect());
        return Err((first, present.unwrap_or_default()));
    };
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.is_some_and(|names| names.iter().any(|name| name == first));
    Ok(is_always_written(inner, rest)? && required)
}

fn remove(schema: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else { return };
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    if !rest.is_empty() {
        properties.get_mut(*first).into_iter().for_each(|inner| remove(inner, rest));
        return;
    }
    properties.remove(*first);
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| name != first);
    }
}

fn without(json: &RawValue, path: &[&str], always: bool) -> Result<Box<RawValue>, String> {
    change(json, path, &|mut properties, name| {
        let before = properties.0.len();
        properties.0.retain(|property| property.name != name);
        if always && properties.0.len() == before {
            return Err(format!("its schema promises `{name}`, but it was not written"));
        }
        Ok(properties)
    })
}

fn with(json: &RawValue, path: &[&'static str], value: &RawValue) -> Result<Box<RawValue>, String> {
    change(json, path, &|mut properties, name| {
        if properties.get(name).is_none() {
            let name = name.to_owned().into();
            properties.0.push(Property { name, value: value.to_owned() });
        }
        Ok(properties)
    })
}

/// Changes the object that the last name of the path is in. On the way there, `null` has nothing to
/// change, and anything else than an object is an error.
fn change(
    json: &RawValue,
    path: &[&str],
    edit: &dyn Fn(Properties, &str) -> Result<Properties, String>,
) -> Result<Box<RawValue>, String> {
    let Some((first, rest)) = path.split_first() else { return Ok(json.to_owned()) };
    if json.get().trim() == "null" {
        return Ok(json.to_owned());
    }
    let mut properties: Properties = crate::json::read(json.get())
        .map_err(|_| format!("what should have the property `{first}` is not an object"))?;
    if rest.is_empty() {
        return edit(properties, first)?.into_json();
    }
    for property in properties.0.iter_mut().filter(|property| property.name == *first) {
        property.value = change(&property.value, rest, edit)?;
    }
    properties.into_json()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn a_property_is_removed_at_any_depth_and_the_rest_stays_as_it_was() {
        for (json, path, expected) in [
            (r#"{"a":0.1,"b":1}"#, &["b"][..], r#"{"a":0.1}"#),
            (r#"{"b":1,"b":2}"#, &["b"], "{}"),
            (
                r#"{"a":{"b":1,"c":340282366920938463463374607431768211455}}"#,
                &["a", "b"],
                r#"{"a":{"c":340282366920938463463374607431768211455}}"#,
            ),
            (r#"{"a":null}"#, &["a", "b"], r#"{"a":null}"#),
            (r#"{"c":1}"#, &["a", "b"], r#"{"c":1}"#),
            ("null", &["a"], "null"),
        ] {
            assert_eq!(without(&raw(json), path, false).unwrap().get(), expected);
        }
        let error = without(&raw(r#"{"a":[{"b":1}]}"#), &["a", "b"], false).unwrap_err();
        assert_eq!(error, "what should have the property `b` is not an object");
        let error = without(&raw(r#"{"cardNumber":1}"#), &["card"], true).unwrap_err();
        assert_eq!(error, "its schema promises `card`, but it was not written");
    }

    #[test]
    fn a_default_is_put_where_nothing_is() {
        for (json, expected) in [
            (r#"{"a":{}}"#, r#"{"a":{"b":0}}"#),
            (r#"{"a":{"b":7}}"#, r#"{"a":{"b":7}}"#),
            (r#"{"a":null}"#, r#"{"a":null}"#),
            ("{}", "{}"),
        ] {
            assert_eq!(with(&raw(json), &["a", "b"], &raw("0")).unwrap().get(), expected);
        }
    }
}
