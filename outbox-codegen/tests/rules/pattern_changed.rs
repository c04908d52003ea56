//! See the rule of this name.

use crate::check;

rule! {
    a_pattern_changes: forward BreaksBySchema, backward BreaksBySchema,
    { pub struct OrderPlaced { #[schemars(regex(pattern = "^a"))] a: String } }
    => { pub struct OrderPlaced { #[schemars(regex(pattern = "^b"))] a: String } }
}
