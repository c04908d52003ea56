//! See the rule of this name.

use crate::check;

rule! {
    a_required_field_becomes_an_option: forward Breaks, backward Reads,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: Option<u32> } }
}
