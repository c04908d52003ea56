//! See the rule of this name.

use crate::check;

rule! {
    a_required_field_is_added: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: u32, b: String } }
}
