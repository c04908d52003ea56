//! See the rule of this name.

use crate::check;

rule! {
    a_required_field_is_removed: forward Breaks, backward Reads,
    { pub struct OrderPlaced { a: u32, b: u32 } }
    => { pub struct OrderPlaced { a: u32 } }
}
