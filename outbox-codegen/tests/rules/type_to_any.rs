//! See the rule of this name.

use crate::check;

rule! {
    a_type_becomes_any_json: forward Breaks, backward Reads,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: Value } }
}
