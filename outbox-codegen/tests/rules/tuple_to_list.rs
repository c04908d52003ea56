//! See the rule of this name.

use crate::check;

rule! {
    an_array_becomes_a_list: forward Breaks, backward Reads,
    { pub struct OrderPlaced { a: [u32; 2] } }
    => { pub struct OrderPlaced { a: Vec<u32> } }
}
