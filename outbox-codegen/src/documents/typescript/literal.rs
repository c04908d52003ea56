//! JSON values as types.

use serde_json::{Number, Value};

use super::types::{Object, Property, Tuple, Type};

/// Up to here every integer is a JavaScript number.
const EXACT: u64 = 1 << 53;

/// The type that has this value; a wider one where the value is no literal.
pub(super) fn of(value: &Value) -> Type {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => Type::Word(value.to_string()),
        Value::Number(number) if exact(number) => Type::Word(value.to_string()),
        Value::Number(_) => Type::word("number"),
        Value::Array(items) => {
            let items: Vec<Type> = items.iter().map(of).collect();
            Type::Tuple(Tuple { required: items.len(), items, rest: None })
        }
        Value::Object(members) if members.is_empty() => Type::any_object(),
        Value::Object(members) => {
            let properties = members.iter().map(|(name, value)| Property {
                name: name.clone(),
                docs: String::new(),
                required: true,
                value: of(value),
            });
            Type::Object(Object { properties: properties.collect(), others: None })
        }
    }
}

fn exact(number: &Number) -> bool {
    match (number.as_i64(), number.as_u64()) {
        (Some(integer), _) => integer.unsigned_abs() <= EXACT,
        (None, Some(integer)) => integer <= EXACT,
        (None, None) => number.as_f64().is_some_and(f64::is_finite),
    }
}
