//! See the rule of this name.

use crate::check;

rule! {
    an_integer_loses_its_sign: forward Breaks, backward Breaks,
    { pub struct OrderPlaced { a: i32 } }
    => { pub struct OrderPlaced { a: u32 } }

    the_largest_integers_have_no_common_bound: forward Breaks, backward Breaks,
    { pub struct OrderPlaced { a: i64 } }
    => { pub struct OrderPlaced { a: u64 } }
}
