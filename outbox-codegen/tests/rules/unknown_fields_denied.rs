//! See the rule of this name.

use crate::check;

rule! {
    unknown_fields_are_denied: forward Reads, backward Reads,
    { pub struct OrderPlaced { a: u32 } }
    => { #[serde(deny_unknown_fields)] pub struct OrderPlaced { a: u32 } }

    unknown_fields_are_denied_and_an_old_one_is_gone: forward Reads, backward Breaks,
    { pub struct OrderPlaced { a: u32, b: Option<u32> } }
    => { #[serde(deny_unknown_fields)] pub struct OrderPlaced { a: u32 } }
}
