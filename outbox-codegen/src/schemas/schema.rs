//! A JSON Schema as it is held: shared, and hashed once.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::revision::hash;

/// A JSON Schema that does not change. A clone is the same one, and costs nothing.
#[derive(Clone)]
pub struct Schema(Arc<(Value, OnceLock<String>)>);

impl Schema {
    /// The [`hash`] of what it means.
    #[must_use]
    pub fn hash(&self) -> &str {
        let (schema, known) = &*self.0;
        known.get_or_init(|| hash(schema))
    }
}

impl From<Value> for Schema {
    fn from(schema: Value) -> Self {
        Self(Arc::new((schema, OnceLock::new())))
    }
}

impl Deref for Schema {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0.0
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Value::fmt(self, f)
    }
}
