//! See the rule of this name.

use crate::check;

rule! {
    a_number_becomes_an_integer: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: f64 } }
    => { pub struct OrderPlaced { a: i64 } }
}
