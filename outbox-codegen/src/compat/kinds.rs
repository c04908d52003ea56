//! The kinds of JSON values.

use serde_json::Value;

/// A kind of JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Array,
    Boolean,
    Null,
    Number,
    Object,
    Text,
}

/// Some of the kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kind {
    const ALL: [Self; 6] =
        [Self::Array, Self::Boolean, Self::Null, Self::Number, Self::Object, Self::Text];

    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// The kind of the values of a type; none for what is no type.
    pub(super) fn of_type(name: &str) -> Option<Self> {
        Some(match name {
            "array" => Self::Array,
            "boolean" => Self::Boolean,
            "null" => Self::Null,
            "number" | "integer" => Self::Number,
            "object" => Self::Object,
            "string" => Self::Text,
            _ => return None,
        })
    }
}

impl Kinds {
    pub(super) const ALL: Self = Self(0b11_1111);

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of their names.
    pub(super) fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

impl FromIterator<Kind> for Kinds {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        Self(kinds.into_iter().fold(0, |all, kind| all | 1 << kind as u8))
    }
}
