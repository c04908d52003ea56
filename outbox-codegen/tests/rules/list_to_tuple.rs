//! See the rule of this name.

use crate::check;

rule! {
    a_list_becomes_an_array: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: Vec<u32> } }
    => { pub struct OrderPlaced { a: [u32; 2] } }

    a_list_becomes_a_tuple: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: Vec<u32> } }
    => { pub struct OrderPlaced { a: (u32, u8) } }
}
