//! Keywords as the drafts have them.

use serde_json::{Map, Value};

use super::arena::{Arena, Id};
use super::number::{Bound, Num, Range};

/// A whole number, written with a fraction of zero or without.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_f64().map(|float| float as u64))
}

pub(crate) fn required(schema: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let names = schema.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str)
}

/// The bounds of numbers, in the words of this draft and of draft 4.
pub(crate) fn range_of(schema: &Map<String, Value>) -> Range {
    let mut range = Range::default();
    let number = |keyword| schema.get(keyword).and_then(Num::of);
    let is_exclusive = |keyword| schema.get(keyword) == Some(&Value::Bool(true));
    if let Some(min) = number("minimum") {
        range.at_least(Bound::new(min, is_exclusive("exclusiveMinimum")));
    }
    if let Some(max) = number("maximum") {
        range.at_most(Bound::new(max, is_exclusive("exclusiveMaximum")));
    }
    if let Some(min) = number("exclusiveMinimum") {
        range.at_least(Bound::new(min, true));
    }
    if let Some(max) = number("exclusiveMaximum") {
        range.at_most(Bound::new(max, true));
    }
    range
}

/// The schemas of the first items and of all others, in the words of this draft and of older ones.
pub(crate) fn items(arena: &mut Arena<'_>, id: Id) -> (Vec<Id>, Option<Id>) {
    if arena.value(id).get("items").is_some_and(Value::is_array) {
        return (arena.children(id, "items"), arena.child(id, "additionalItems"));
    }
    (arena.children(id, "prefixItems"), arena.child(id, "items"))
}
