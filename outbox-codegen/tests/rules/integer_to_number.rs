//! See the rule of this name.

use crate::check;

rule! {
    an_integer_becomes_a_number: forward Breaks, backward Reads,
    { pub struct OrderPlaced { a: i64 } }
    => { pub struct OrderPlaced { a: f64 } }
}
