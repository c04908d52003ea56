//! See the rule of this name.

use crate::check;

rule! {
    any_json_becomes_a_type: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: Value } }
    => { pub struct OrderPlaced { a: u32 } }
}
