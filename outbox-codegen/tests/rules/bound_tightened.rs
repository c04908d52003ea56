//! See the rule of this name.

use crate::check;

rule! {
    a_bound_is_added: forward Reads, backward BreaksBySchema,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { #[schemars(range(max = 9))] a: u32 } }
}
