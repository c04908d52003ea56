//! See the rule of this name.

use crate::check;

rule! {
    a_bound_is_removed: forward BreaksBySchema, backward Reads,
    { pub struct OrderPlaced { #[schemars(length(min = 1))] a: String } }
    => { pub struct OrderPlaced { a: String } }
}
