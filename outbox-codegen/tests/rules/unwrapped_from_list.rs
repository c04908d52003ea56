//! See the rule of this name.

use crate::check;

rule! {
    a_list_becomes_a_value: forward Breaks, backward Breaks,
    { pub struct OrderPlaced { a: Vec<u32> } }
    => { pub struct OrderPlaced { a: u32 } }
}
