//! The fields of the structs that `#[emits]` makes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::record::{Properties, Property, Written};
use super::skip::Skips;

/// What can be a part of an event.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of an event",
    label = "not `Serialize`, `Deserialize` and `JsonSchema`",
    note = "add `#[derive(Serialize, Deserialize, JsonSchema)]` to `{Self}`"
)]
pub trait Payload {
    /// As JSON.
    ///
    /// # Errors
    ///
    /// What the type says.
    fn write(&self) -> serde_json::Result<Box<RawValue>>;

    /// From JSON; `None` is a property that is not there, which has this name.
    ///
    /// # Errors
    ///
    /// What the type says.
    fn read(json: Option<&RawValue>, name: &'static str) -> serde_json::Result<Self>
    where
        Self: Sized;

    /// Its schema.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema> Payload for T {
    fn write(&self) -> serde_json::Result<Box<RawValue>> {
        serde_json::value::to_raw_value(self)
    }

    fn read(json: Option<&RawValue>, name: &'static str) -> serde_json::Result<Self> {
        read(json, name)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// A field of type `T`, which is captured from a reference to `C`.
pub struct Field<T, C: ?Sized = T> {
    name: &'static str,
    write: fn(&C) -> serde_json::Result<Box<RawValue>>,
    read: fn(Option<&RawValue>, &'static str) -> serde_json::Result<T>,
    schema: fn(&mut SchemaGenerator) -> Schema,
    skips: Option<fn() -> &'static Skips>,
}

impl<T, C: ?Sized> Clone for Field<T, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, C: ?Sized> Copy for Field<T, C> {}

impl<T, C: ?Sized> std::fmt::Debug for Field<T, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Field").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A field of this type.
#[must_use]
pub const fn value<T: Payload>(name: &'static str) -> Field<T> {
    Field { name, write: T::write, read: T::read, schema: T::schema, skips: None }
}

/// A field of text that is captured from `&str`.
#[must_use]
pub const fn text(name: &'static str) -> Field<String, str> {
    let write = |text: &str| serde_json::value::to_raw_value(text);
    Field { name, write, read: String::read, schema: String::schema, skips: None }
}

/// A field of many that are captured from `&[T]`.
#[must_use]
pub const fn slice<T: Payload>(name: &'static str) -> Field<Vec<T>, [T]> {
    Field { name, write: write_each, read: read_each, schema: schema_of_each::<T>, skips: None }
}

fn write_each<T: Payload>(values: &[T]) -> serde_json::Result<Box<RawValue>> {
    let values: Vec<Box<RawValue>> = values.iter().map(T::write).collect::<Result<_, _>>()?;
    serde_json::value::to_raw_value(&values)
}

fn read_each<T: Payload>(
    json: Option<&RawValue>,
    name: &'static str,
) -> serde_json::Result<Vec<T>> {
    let values: Vec<Box<RawValue>> = read(json, name)?;
    values.iter().map(|value| T::read(Some(value), name)).collect()
}

fn read<T: DeserializeOwned>(json: Option<&RawValue>, name: &'static str) -> serde_json::Result<T> {
    match json {
        Some(json) => crate::json::read(json.get()),
        None => T::deserialize(Absent(name)),
    }
}

fn schema_of_each<T: Payload>(generator: &mut SchemaGenerator) -> Schema {
    let items = T::schema(generator);
    json_schema!({ "type": "array", "items": items })
}

impl<T, C: ?Sized> Field<T, C> {
    /// Leaves these fields of the field's value out.
    #[must_use]
    pub const fn skipping(mut self, skips: fn() -> &'static Skips) -> Self {
        self.skips = Some(skips);
        self
    }

    /// The value as a property.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or not without what is to be left out.
    pub fn write(&self, value: &C) -> Written {
        let json = (self.write)(value).map_err(|error| format!("its `{}`: {error}", self.name))?;
        self.finish(json)
    }

    /// The arguments as the one property of this field.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub fn gather(&self, arguments: Vec<Property>) -> Result<Option<Property>, String> {
        self.finish(Properties(arguments).into_json()?).map(Some)
    }

    fn finish(&self, json: Box<RawValue>) -> Written {
        let value = match self.skips {
            Some(skips) => skips().leave_out(&json, self.name, self.schema)?,
            None => json,
        };
        Ok(Property { name: Cow::Borrowed(self.name), value })
    }

    /// The value from its property.
    ///
    /// # Errors
    ///
    /// When the property does not fit.
    pub fn read(&self, properties: &Properties) -> Result<T, String> {
        let json = properties.get(self.name);
        let filled = match (json, self.skips) {
            (Some(json), Some(skips)) => Some(skips().fill_in(json)?),
            _ => None,
        };
        (self.read)(filled.as_deref().or(json), self.name).map_err(|error| match json {
            Some(_) => format!("its `{}`: {error}", self.name),
            None => error.to_string(),
        })
    }

    /// Adds the field to its struct's schema.
    pub fn describe(&self, object: &mut Object<'_>) {
        let schema = match self.skips {
            Some(skips) => skips().describe(object.generator, self.schema),
            None => (self.schema)(object.generator),
        };
        let always = object.generator.contract().is_serialize();
        if always || (self.read)(None, self.name).is_err() {
            object.required.push(Value::from(self.name));
        }
        object.properties.insert(self.name.to_owned(), schema.to_value());
    }
}

/// The schema of a struct, as far as it is described.
#[derive(Debug)]
pub struct Object<'g> {
    generator: &'g mut SchemaGenerator,
    properties: Map<String, Value>,
    required: Vec<Value>,
}

impl<'g> Object<'g> {
    pub(super) fn new(generator: &'g mut SchemaGenerator) -> Self {
        Self { generator, properties: Map::new(), required: Vec::new() }
    }

    pub(super) fn into_schema(self, docs: &'static str) -> Schema {
        let mut schema = json_schema!({ "type": "object" });
        if !docs.is_empty() {
            schema.insert("description".to_owned(), Value::from(docs));
        }
        schema.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(self.required));
        }
        schema
    }
}

/// What a property that is not there is read from: nothing but an `Option` can be.
struct Absent(&'static str);

impl<'de> Deserializer<'de> for Absent {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> serde_json::Result<V::Value> {
        Err(serde_json::Error::missing_field(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
