//! See the rule of this name.

use crate::check;

rule! {
    a_default_is_added: forward Reads, backward Reads,
    { pub struct OrderPlaced { a: u32 } }
    => { pub struct OrderPlaced { #[serde(default)] a: u32 } }
}
