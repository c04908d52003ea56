//! See the rule of this name.

use crate::check;

rule! {
    nested_fields_are_flattened: forward Breaks, backward Breaks,
    { pub struct Inner { b: u32 } pub struct OrderPlaced { a: u32, inner: Inner } }
    => { pub struct Inner { b: u32 } pub struct OrderPlaced { a: u32, #[serde(flatten)] inner: Inner } }
}
