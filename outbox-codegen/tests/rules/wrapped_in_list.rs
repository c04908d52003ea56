//! See the rule of this name.

use crate::check;

rule! {
    a_value_becomes_a_list: forward Breaks, backward Breaks,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: Vec<u32> } }
}
