//! See the rule of this name.

use crate::check;

rule! {
    a_default_value_changes: forward Reads, backward Reads,
    { pub struct OrderPlaced { #[serde(default = "one")] a: u32 } }
    => { pub struct OrderPlaced { #[serde(default = "two")] a: u32 } }
}
