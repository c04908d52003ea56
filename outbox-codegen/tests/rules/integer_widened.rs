//! See the rule of this name.

use crate::check;

rule! {
    an_integer_becomes_wider: forward Breaks, backward Reads,
    { pub struct OrderPlaced { a: i32 } }
    => { pub struct OrderPlaced { a: i64 } }

    an_unsigned_integer_becomes_wider: forward Breaks, backward Reads,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { a: u64 } }
}
