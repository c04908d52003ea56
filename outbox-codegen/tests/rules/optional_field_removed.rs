//! See the rule of this name.

use crate::check;

rule! {
    an_optional_field_is_removed: forward Reads, backward Reads,
    { pub struct OrderPlaced { a: u32, b: Option<u32> } }
    => { pub struct OrderPlaced { a: u32 } }
}
