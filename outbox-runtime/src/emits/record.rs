//! The structs that `#[emits]` makes: an event of an input and an output, and an input of several
//! arguments. On the wire they are objects of their fields, as serde would write them.
//!
//! Each field's type is bound once, where its [`Field`](super::field::Field) is made, so that a
//! type that does not fit is one error.

use std::borrow::Cow;

use schemars::{Schema, SchemaGenerator};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::{Error as _, SerializeStruct};
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::value::RawValue;

use super::field::Object;

/// A property that was written, or why it was not.
pub type Written = Result<Property, String>;

/// A property of a JSON object.
#[derive(Debug)]
pub struct Property {
    pub(super) name: Cow<'static, str>,
    pub(super) value: Box<RawValue>,
}

/// A struct that `#[emits]` made.
pub trait Record: Sized {
    /// Its name.
    const NAME: &'static str;

    /// The module that it is in.
    const MODULE: &'static str;

    /// What is said about it.
    const DOCS: &'static str;

    /// Its fields, written.
    ///
    /// # Errors
    ///
    /// What a field says.
    fn write(&self) -> Result<Vec<Property>, String>;

    /// Reads its fields.
    ///
    /// # Errors
    ///
    /// What a field says.
    fn read(properties: &Properties) -> Result<Self, String>;

    /// Adds its fields to a schema.
    fn describe(object: &mut Object<'_>);
}

/// `Serialize::serialize`.
///
/// # Errors
///
/// What a field says.
pub fn serialize<R: Record, S: Serializer>(record: &R, serializer: S) -> Result<S::Ok, S::Error> {
    let properties = record.write().map_err(S::Error::custom)?;
    let mut object = serializer.serialize_struct(R::NAME, properties.len())?;
    for property in &properties {
        // The names of a struct's fields live for ever.
        if let Cow::Borrowed(name) = property.name {
            object.serialize_field(name, &property.value)?;
        }
    }
    object.end()
}

/// `Deserialize::deserialize`.
///
/// # Errors
///
/// What a field says.
pub fn deserialize<'de, R: Record, D: Deserializer<'de>>(deserializer: D) -> Result<R, D::Error> {
    let properties = Properties::deserialize(deserializer)?;
    R::read(&properties).map_err(D::Error::custom)
}

/// `JsonSchema::schema_name`.
#[must_use]
pub fn schema_name<R: Record>() -> Cow<'static, str> {
    Cow::Borrowed(R::NAME)
}

/// `JsonSchema::schema_id`.
#[must_use]
pub fn schema_id<R: Record>() -> Cow<'static, str> {
    Cow::Owned(format!("{}::{}", R::MODULE, R::NAME))
}

/// `JsonSchema::json_schema`.
#[must_use]
pub fn json_schema<R: Record>(generator: &mut SchemaGenerator) -> Schema {
    let mut object = Object::new(generator);
    R::describe(&mut object);
    object.into_schema(R::DOCS)
}

/// The properties of a JSON object, in their order, each as it was written.
#[derive(Debug, Default)]
pub struct Properties(pub(super) Vec<Property>);

impl Properties {
    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|property| property.name == name).map(|property| &*property.value)
    }

    pub(super) fn into_json(self) -> Result<Box<RawValue>, String> {
        let mut json = String::from("{");
        for (index, property) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let name = serde_json::to_string(&property.name).map_err(|error| error.to_string())?;
            json.extend([comma, &name, ":", property.value.get()]);
        }
        json.push('}');
        RawValue::from_string(json).map_err(|error| error.to_string())
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Properties;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Properties, M::Error> {
                let mut properties = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    properties.push(Property { name: Cow::Owned(name), value });
                }
                Ok(Properties(properties))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}
